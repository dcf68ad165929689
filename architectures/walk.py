"""The one traversal that every architecture walks a graph with."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter_ns
from typing import Any, NamedTuple, TypeAlias

from architectures.contract import Problem, StageTiming
from architectures.graph import REQUEST, Graph, GraphError, Inputs, Outputs, Stage, Step


class StageResult(NamedTuple):
    """What one member got from a stage, and the time it took there.

    ``batch_size`` is 0 for a stage that waits for others instead of computing: its ``compute_ns``
    is that wait.
    """

    outputs: Outputs
    queue_ns: int
    compute_ns: int
    batch_size: int


Call: TypeAlias = Callable[[str, Inputs], "asyncio.Future[StageResult]"]
"""How an architecture runs one member through one stage. A refusal is raised as a Problem."""

After: TypeAlias = Callable[[], Awaitable[None]]
"""Walks the nodes nobody waits for; to be called once the answer is sent, or never."""

_Values: TypeAlias = dict[str, Outputs | None]
"""Node -> its outputs; None for one that did not run."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A walked graph: the JSON document, where the time went, and what is left to do.

    ``after`` is None where no detached node would run for this request.
    """

    document: Any
    timings: tuple[StageTiming, ...]
    after: After | None = None


async def walk(graph: Graph, request: Inputs, call: Call, late: Call | None = None) -> Answer:
    """Walk a graph for one request; a node starts the moment its last input is known.

    Cancelling the walk cancels every stage call in flight, so work for a client that left stops.

    Args:
        graph: to walk.
        request: its request.
        call: runs a stage.
        late: runs the stages of detached nodes; None is ``call``.

    Raises:
        Problem: a stage refused the request.
        Exception: whatever a stage call raised first.
    """
    values: _Values = {REQUEST: request}
    timings = await _walked(graph, graph.primary, values, call)
    answered = values[graph.answer_node]
    if answered is None:
        raise GraphError(
            f"graph {graph.name!r}: {graph.answer_node} gives the answer and did not run"
        )
    left = graph.detached and _anything_left(graph, values)
    after = partial(_follow, graph, values, late or call) if left else None
    return Answer(answered[graph.answer_field], tuple(timings), after)


def _anything_left(graph: Graph, values: _Values) -> bool:
    """Whether any detached node may run: one that will not is neither counted nor shed."""
    idle = {key for key, outputs in values.items() if outputs is None}
    for step in graph.steps:
        if step.key not in graph.detached:
            continue
        unfed = any(read.source in idle and not read.optional for read in step.reads)
        when = step.when
        off = when is not None and (
            when.source in idle or (when.source in values and not _holds(step, values))
        )
        if not (unfed or off):
            return True
        idle.add(step.key)
    return False


async def _follow(graph: Graph, values: _Values, call: Call) -> None:
    await _walked(graph, graph.detached, values, call)


async def _walked(
    graph: Graph, keys: frozenset[str], values: _Values, call: Call
) -> list[StageTiming]:
    """Walk some of a graph's nodes; what they stand on is in ``values``."""
    walking = _Walk(graph, keys, values, call)
    try:
        walking.begin()
        await walking.finished
    finally:
        walking.stop()
    return walking.timings


class _Walk:
    """One request's progress. Callbacks instead of a task per node: at 10 ms a request it shows."""

    __slots__ = ("call", "finished", "graph", "keys", "left", "running", "timings", "values")

    def __init__(self, graph: Graph, keys: frozenset[str], values: _Values, call: Call) -> None:
        self.graph = graph
        self.keys = keys
        self.call = call
        self.values = values
        self.left = len(keys)
        self.running: dict[str, asyncio.Future[StageResult]] = {}
        self.timings: list[StageTiming] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self) -> None:
        """Start the nodes whose sources are known from the beginning."""
        values = self.values
        for step in [
            s for s in self.graph.steps if s.key in self.keys and s.needs <= values.keys()
        ]:
            self._begin(step)

    def _begin(self, step: Step) -> None:
        """Start a node whose sources are settled, or settle it as one that does not run."""
        values = self.values
        if step.key in values or step.key in self.running:
            return  # begun already, by a source that did not run and was settled on the way here
        inputs = {}
        for name, source, field, optional in step.reads:
            outputs = values[source]
            if outputs is not None:
                inputs[name] = outputs[field]
            elif optional:
                inputs[name] = None
            else:
                self._settle(step.key, None)
                return
        if step.when is not None and not _holds(step, values):
            self._settle(step.key, None)
            return
        started_ns = perf_counter_ns()
        future = self.call(step.stage, inputs)
        self.running[step.key] = future
        future.add_done_callback(partial(self._end, step.key, started_ns))

    def _end(self, key: str, started_ns: int, future: "asyncio.Future[StageResult]") -> None:
        del self.running[key]
        if self.finished.done():
            if not future.cancelled():
                future.exception()  # read, so that asyncio does not log it as forgotten
            return
        if future.cancelled():
            self.finished.cancel()
            return
        error = future.exception()
        if error is not None:
            self.finished.set_exception(error)
            return
        result = future.result()
        self.timings.append(
            StageTiming(
                key,
                perf_counter_ns() - started_ns,
                result.queue_ns,
                result.compute_ns,
                result.batch_size,
            )
        )
        try:
            self._settle(key, result.outputs)
        except Exception as unfit:  # noqa: BLE001 - the walk's caller gets it; here none would hear
            if not self.finished.done():
                self.finished.set_exception(unfit)

    def _settle(self, key: str, outputs: Outputs | None) -> None:
        values = self.values
        values[key] = outputs
        self.left -= 1
        if not self.left:
            self.finished.set_result(None)
            return
        for reader in self.graph.readers[key]:
            if reader.key in self.keys and reader.needs <= values.keys():
                self._begin(reader)

    def stop(self) -> None:
        for future in tuple(self.running.values()):
            future.cancel()


def _holds(step: Step, values: Mapping[str, Outputs | None]) -> bool:
    """Whether a node's condition is true; one read from a node that did not run is not."""
    if step.when is None:
        return True
    outputs = values[step.when.source]
    return outputs is not None and bool(outputs[step.when.field])


def run_batch(
    graph: Graph, stages: Mapping[str, Stage], requests: Sequence[Inputs]
) -> list[Answer | Problem]:
    """Run a whole graph over a batch in this thread, stage after stage: no queue, no hop.

    A refused member leaves the batch; the others go on. A node runs for the members it runs for.
    Detached nodes do not run: they never change an answer.
    """
    values: list[_Values] = [{REQUEST: request} for request in requests]
    refused: dict[int, Problem] = {}
    timings: list[list[StageTiming]] = [[] for _ in requests]
    for step in graph.steps:
        if step.key not in graph.primary:
            continue
        members = _members(step, values, refused)
        if not members:
            continue
        started_ns = perf_counter_ns()
        results = stages[step.stage](list(members.values()))
        spent_ns = perf_counter_ns() - started_ns
        timing = StageTiming(step.key, spent_ns, 0, spent_ns, len(members))
        for i, result in zip(members, results, strict=True):
            if isinstance(result, Problem):
                refused[i] = result
            else:
                values[i][step.key] = result
                timings[i].append(timing)
    return [refused.get(i) or _answer(graph, known, timings[i]) for i, known in enumerate(values)]


def _members(
    step: Step, values: Sequence[_Values], refused: Mapping[int, Problem]
) -> dict[int, dict[str, Any]]:
    """Whom a node runs for, and what it reads of each; for the others it is settled."""
    members: dict[int, dict[str, Any]] = {}
    for i, known in enumerate(values):
        if i in refused:
            continue
        inputs = _inputs(step, known)
        if inputs is None:
            known[step.key] = None
        else:
            members[i] = inputs
    return members


def _inputs(step: Step, values: _Values) -> dict[str, Any] | None:
    """What a node reads; None where it does not run."""
    if not _holds(step, values):
        return None
    inputs: dict[str, Any] = {}
    for name, source, field, optional in step.reads:
        outputs = values[source]
        if outputs is None and not optional:
            return None
        inputs[name] = None if outputs is None else outputs[field]
    return inputs


def _answer(graph: Graph, values: _Values, timings: list[StageTiming]) -> Answer:
    answered = values[graph.answer_node]
    if answered is None:
        raise GraphError(
            f"graph {graph.name!r}: {graph.answer_node} gives the answer and did not run"
        )
    return Answer(answered[graph.answer_field], tuple(timings))
