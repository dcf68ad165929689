"""Feedback of this kind: a token and what its image really shows, put in line for the learner."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from architectures.ensemble.attributes import ATTRIBUTES
from architectures.patterns.feedback_problem import malformed
from architectures.patterns.online_weights import drift, seen
from architectures.patterns.online_weights.names import COUNTED, DRIFT, MOST_WAITING, QUEUE
from architectures.patterns.online_weights.sgd import Lesson
from architectures.plugin import Example
from architectures.state import Store

_MEANT = (
    '{"of": "weights", "token": "<an answer\'s feedback>", "label": {"category": "mug"}}, '
    "with any of " + ", ".join(ATTRIBUTES)
)


class _Label(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    category: Literal[*ATTRIBUTES["category"]] | None = None  # type: ignore[valid-type]
    colour: Literal[*ATTRIBUTES["colour"]] | None = None  # type: ignore[valid-type]
    pattern: Literal[*ATTRIBUTES["pattern"]] | None = None  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _says_something(self) -> "_Label":
        if not self.model_dump(exclude_none=True):
            raise ValueError("it says nothing")
        return self


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    of: Literal["weights"]
    token: Annotated[str, Field(pattern=f"^[0-9a-f]{{{2 * seen.TOKEN_BYTES}}}$")]
    label: _Label


def document_of(example: Example) -> dict[str, Any]:
    """The feedback of a client that asked about an example and learnt its category."""
    label = {"category": example.label["category"]}
    return {"of": "weights", "token": seen.token_of(example.body), "label": label}


async def take(store: Store, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put one feedback in line.

    Returns:
        ``taken``: False where the image was never asked about here, or too long ago. That is no
        error: the client can do nothing about it, and asking again would not help.

    Raises:
        Problem: 422, the body is malformed.
    """
    try:
        given = _Given.model_validate(document)
    except ValidationError as error:
        raise malformed(error, _MEANT) from error
    label = given.label.model_dump(exclude_none=True)
    return {"taken": await asyncio.to_thread(_take, store, given.token, label)}


def _take(store: Store, token: str, label: Mapping[str, str]) -> bool:
    features = seen.recall(store, token)
    if features is None:
        store.count({f"{COUNTED}forgotten": 1})
        return False
    told = drift.true_label(drift.renamed_in(store.read(DRIFT)), label)
    targets = tuple(
        names.index(told[kind]) if kind in told else -1 for kind, names in ATTRIBUTES.items()
    )
    store.push(QUEUE, [packed(Lesson(features, targets))], MOST_WAITING)
    store.count({f"{COUNTED}taken": 1})
    return True


def packed(lesson: Lesson) -> bytes:
    """A lesson as it waits in line."""
    return np.array(lesson.targets, np.int8).tobytes() + lesson.features.tobytes()


def unpacked(item: bytes) -> Lesson:
    """A lesson that waited in line."""
    targets = np.frombuffer(item, np.int8, len(ATTRIBUTES))
    features = np.frombuffer(item, np.float32, offset=len(ATTRIBUTES))
    return Lesson(features, tuple(targets.tolist()))
