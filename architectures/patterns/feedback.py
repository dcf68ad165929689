"""Feedback: what became of an answer; ``POST /v1/feedback``, JSON, one door for whatever learns.

``{"of": KIND, ...}``: the kind says who learns from it, and what else the body holds. A kind is
added by its row in ``HANDLERS``, one in ``EXAMPLES`` where a load generator may send it, and one in
``LEARNERS`` where something learns beside the requests.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from architectures.backends import BackendError
from architectures.contract import Problem
from architectures.graph import Endpoint, Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.patterns import agent, choosing
from architectures.patterns.online_weights import intake
from architectures.patterns.online_weights.learner import Learner
from architectures.plugin import Example, StageSpec
from architectures.state import Store, open_store

Handler: TypeAlias = Callable[[Store, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Takes a whole body whose ``of`` is its kind; raises a Problem (422) where it is malformed.

Its answer has ``"taken"``: whether somebody will learn from it."""


class Learning(Protocol):
    """Something that learns beside the requests, for as long as a process takes feedback."""

    def stop(self) -> None:
        """End it, and wait until it has ended; it blocks. The store is closed after this."""
        ...


HANDLERS: Mapping[str, Handler] = {
    "weights": intake.take,
    "choice": choosing.take,
    "agent": agent.take,
}

EXAMPLES: Mapping[str, Callable[[Example], Mapping[str, Any]]] = {"weights": intake.document_of}
"""Kind -> the body that a client sends who asked about an example, and knows its label."""

LEARNERS: Mapping[str, Callable[[Store, str], Learning]] = {"weights": Learner}
"""Kind -> begins to learn, given the store and the tier, at a process's first feedback of it."""

STAGES: Mapping[str, StageSpec] = {"take_feedback": StageSpec("take_feedback", "io")}

MOST_BYTES = 64 * 1024
"""Of a body: parsing one of megabytes would hold up whatever else waits on the event loop."""

_ANSWER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"of": {"enum": list(HANDLERS)}, "taken": {"type": "boolean"}},
    "required": ["of", "taken"],
}


def _graph(name: str) -> Graph:
    return Graph(
        name,
        (Node("take_feedback", {"body": "request.body"}),),
        answer="take_feedback.answer",
        answer_schema=_ANSWER_SCHEMA,
        endpoint=Endpoint(
            media_types=("application/json",),
            body_schema={
                "type": "object",
                "required": ["of"],
                "properties": {"of": {"enum": list(HANDLERS)}},
            },
        ),
        varies=True,
    )


GRAPHS: Mapping[str, Graph] = {
    name: _graph(name) for name in ("feedback", *(f"feedback/{kind}" for kind in EXAMPLES))
}
"""``feedback`` is the door. A load plan names a graph and sends bodies of one kind, so each kind
has a second path to the same door; its examples make the difference."""


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage.
    """
    return {"take_feedback": TakeFeedback}[name](tier)


def request(graph: str, example: Example) -> Example:
    """What a client sends who asked about an example and was then told what it shows."""
    kind = graph.removeprefix("feedback").removeprefix("/") or next(iter(EXAMPLES))
    body = json.dumps(EXAMPLES[kind](example)).encode()
    return Example(example.key, body, "application/json", example.label)


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 where somebody will learn from it."""
    return {"taken": float(document["taken"])}


class TakeFeedback:
    """An :class:`architectures.graph.IoStage`: ``body`` to the ``answer`` of the kind's handler.

    Args:
        tier: that is served.
    """

    def __init__(self, tier: str) -> None:
        self._tier = tier
        self._store: Store | None = None
        self._learning: dict[str, Learning] = {}

    async def __call__(self, member: Inputs) -> Outputs | Problem:
        """Take one feedback; refused with 422 where malformed, 503 where the store is away."""
        try:
            document = _parsed(member["body"])
            kind = document["of"]
            answer = await HANDLERS[kind](self._opened(kind), document)
        except Problem as problem:
            return problem
        except BackendError:
            return Problem("state-away", 503, "The feedback cannot be kept now; send it again.")
        return {"answer": {"of": kind, **answer}}

    async def close(self) -> None:
        """End what learns, then close the store."""
        for learning in self._learning.values():
            await asyncio.to_thread(learning.stop)
        if self._store is not None:
            self._store.close()

    def _opened(self, kind: str) -> Store:
        """The store; a kind's learner begins with the process's first feedback of that kind."""
        store = self._store = self._store or open_store()
        if kind in LEARNERS and kind not in self._learning:
            self._learning[kind] = LEARNERS[kind](store, self._tier)
        return store


def _parsed(body: bytes) -> Mapping[str, Any]:
    """A JSON object whose ``of`` is a kind we know."""
    if len(body) > MOST_BYTES:
        raise Problem("body-too-large", 413, f"Feedback may have {MOST_BYTES} bytes at most.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _misaddressed("The body is no JSON") from error
    if not isinstance(document, dict):
        raise _misaddressed("The body is JSON, but not an object")
    kind = document.get("of")
    if not isinstance(kind, str) or kind not in HANDLERS:
        raise _misaddressed("The body does not say what it is feedback of")
    return document


def _misaddressed(what: str) -> Problem:
    kinds = " or ".join(f'"{kind}"' for kind in HANDLERS)
    return Problem("malformed-feedback", 422, f'{what}; send an object whose "of" is {kinds}.')
