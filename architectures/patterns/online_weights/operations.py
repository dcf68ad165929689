"""What an operator may do to the weights: see them, reset them, and plant a drift."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from architectures.contract import Problem
from architectures.ensemble.attributes import CATEGORIES
from architectures.patterns.feedback_problem import malformed
from architectures.patterns.online_weights import drift, lease
from architectures.patterns.online_weights.head import SHIPPED
from architectures.patterns.online_weights.names import (
    COUNTED,
    DRIFT,
    HEAD,
    LEASE,
    MOST_WAITING,
    QUEUE,
)
from architectures.state import Published, Store, open_store

ACTIONS: Mapping[str, str] = {
    "weights": "Which version of the head is current, who learns, how much feedback waits.",
    "reset_weights": "Go back to the shipped head, as a new version; waiting feedback is dropped.",
    "drift": 'Let pairs of categories have each other\'s names: {"swap": [["mug", "hat"]]}.',
}


_Run: TypeAlias = Callable[[Store, Any], dict[str, Any]]


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Drift(BaseModel):
    model_config = ConfigDict(extra="forbid")

    swap: list[tuple[Literal[*CATEGORIES], Literal[*CATEGORIES]]]  # type: ignore[valid-type]


async def act(action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Carry out one of ``ACTIONS``.

    Raises:
        Problem: 422, the body is not what the action takes.
        KeyError: no such action.
    """
    asked, meant, run = _RUNS[action]
    try:
        given = asked.model_validate(body)
    except ValidationError as error:
        raise malformed(error, meant) from error
    return await asyncio.to_thread(_with_store, run, given)


def _with_store(run: _Run, given: BaseModel) -> dict[str, Any]:
    store = open_store()
    try:
        return run(store, given)
    finally:
        store.close()


def _status(store: Store, _: BaseModel) -> dict[str, Any]:
    counters = store.counters(COUNTED)
    return {
        **_version(store.read(HEAD)),
        "learner": lease.holder_of(store, LEASE),
        "queue": store.push(QUEUE, [], MOST_WAITING),
        "renamed": drift.renamed_in(store.read(DRIFT)),
        "counted": {name.removeprefix(COUNTED): count for name, count in counters.items()},
    }


def _reset(store: Store, _: BaseModel) -> dict[str, Any]:
    dropped = 0
    while items := store.pop(QUEUE, MOST_WAITING):
        dropped += len(items)
    return {**_version(store.publish(HEAD, SHIPPED)), "dropped": dropped}


def _drift(store: Store, given: _Drift) -> dict[str, Any]:
    try:
        planted = drift.plant(store, given.swap)
    except ValueError as error:
        raise Problem("malformed-feedback", 422, f"swap: {error}.") from error
    return {"renamed": drift.renamed_in(planted), "planted_ns": planted.published_ns}


def _version(published: Published | None) -> dict[str, Any]:
    if published is None:
        return {"version": 0, "published_ns": None}
    return {"version": published.version, "published_ns": published.published_ns}


_RUNS: Mapping[str, tuple[type[BaseModel], str, _Run]] = {
    "weights": (_Nothing, "an empty object", _status),
    "reset_weights": (_Nothing, "an empty object", _reset),
    "drift": (_Drift, '{"swap": [["mug", "hat"]]}', _drift),
}
"""Action -> its body, a body that is right, and what it does."""
