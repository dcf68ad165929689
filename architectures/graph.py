"""Graphs of stages as data, and the one traversal that every architecture walks them with.

A node runs a stage once its inputs are known. Inputs name their source, ``request.body`` or
``detect.box``, so only what a stage reads is ever sent to it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import CycleError, TopologicalSorter
from time import perf_counter_ns
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from architectures.contract import Problem, StageTiming

Inputs: TypeAlias = Mapping[str, Any]
"""One member's named inputs: numpy arrays, bytes, or JSON values."""

Outputs: TypeAlias = Mapping[str, Any]
"""One member's named outputs, of the same kinds."""

Stage: TypeAlias = Callable[[Sequence[Inputs]], Sequence[Outputs | Problem]]
"""Batch in, batch out, same length and order. A Problem refuses its own member only."""

REQUEST = "request"


class GraphError(ValueError):
    """A graph that cannot be walked."""


@dataclass(frozen=True, slots=True)
class Node:
    """One stage of a graph and where each of its inputs comes from.

    Attributes:
        stage: the stage to run; also the node's name, so a stage stands once in a graph.
        reads: input name -> ``source.field``, a source being ``request`` or another node.
    """

    stage: str
    reads: Mapping[str, str]

    def sources(self) -> list[tuple[str, str, str]]:
        """``(input, source, field)`` of each input, in order."""
        return [(name, *path.split(".", 1)) for name, path in self.reads.items()]  # type: ignore[misc]


class Graph:
    """Nodes in an order that respects their inputs, and the path of the answer.

    Args:
        name: the last part of its URL.
        nodes: in any order.
        answer: ``node.field`` of the JSON document to send back.
        answer_schema: JSON Schema of that document, for ``/openapi.json``; empty says nothing.

    Raises:
        GraphError: a source that is no node, a node twice, a cycle, no such answer node, or a node
            that the answer does not need: whether it ran in time would be left to chance.
    """

    def __init__(
        self,
        name: str,
        nodes: Sequence[Node],
        answer: str,
        answer_schema: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        by_name = {node.stage: node for node in nodes}
        if len(by_name) != len(nodes):
            raise GraphError(f"graph {name!r}: a stage stands in it twice")
        needs = {node.stage: {source for _, source, _ in node.sources()} for node in nodes}
        self.answer_node, _, self.answer_field = answer.partition(".")
        for stage, sources in (*needs.items(), ("answer", {self.answer_node})):
            unknown = sources - set(by_name) - {REQUEST}
            if unknown:
                raise GraphError(
                    f"graph {name!r}: {stage} reads from {', '.join(sorted(unknown))}, not a node"
                )
        try:
            order = [n for n in TopologicalSorter(needs).static_order() if n != REQUEST]
        except CycleError as error:
            raise GraphError(f"graph {name!r}: a cycle through {error.args[1]}") from error
        needed = _all_before(self.answer_node, needs)
        if needed < set(by_name):
            unneeded = ", ".join(sorted(set(by_name) - needed))
            raise GraphError(f"graph {name!r}: the answer does not need {unneeded}; leave it out")
        self.name = name
        self.answer_schema = answer_schema
        self.nodes = tuple(by_name[stage] for stage in order)
        self.needs = {stage: frozenset(sources - {REQUEST}) for stage, sources in needs.items()}
        self.readers = {
            stage: tuple(by_name[other] for other in order if stage in needs[other])
            for stage in order
        }
        self.sources = {node.stage: tuple(node.sources()) for node in self.nodes}

    @property
    def stages(self) -> tuple[str, ...]:
        """Its stages, sources before readers."""
        return tuple(node.stage for node in self.nodes)


def _all_before(stage: str, needs: Mapping[str, set[str]]) -> set[str]:
    """A stage and every stage it stands on."""
    found: set[str] = set()
    open_ends = {stage}
    while open_ends:
        found |= open_ends
        sources = {source for end in open_ends for source in needs[end]}
        open_ends = sources - found - {REQUEST}
    return found


class StageResult(NamedTuple):
    """What one member got from a stage, and the time it took there."""

    outputs: Outputs
    queue_ns: int
    compute_ns: int
    batch_size: int


Call: TypeAlias = Callable[[str, Inputs], "asyncio.Future[StageResult]"]
"""How an architecture runs one member through one stage. A refusal is raised as a Problem."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A walked graph: the JSON document and where the time went, stage by stage."""

    document: Any
    timings: tuple[StageTiming, ...]


async def walk(graph: Graph, request: Inputs, call: Call) -> Answer:
    """Walk a graph for one request; a node starts the moment its last input is known.

    Cancelling the walk cancels every stage call in flight, so work for a client that left stops.

    Raises:
        Problem: a stage refused the request.
        Exception: whatever a stage call raised first.
    """
    state = _Walk(graph, request, call)
    try:
        await state.finished
    finally:
        state.stop()
    return Answer(state.values[graph.answer_node][graph.answer_field], tuple(state.timings))


class _Walk:
    """One request's progress. Callbacks instead of a task per node: at 10 ms a request it shows."""

    __slots__ = ("call", "finished", "graph", "running", "timings", "values")

    def __init__(self, graph: Graph, request: Inputs, call: Call) -> None:
        self.graph = graph
        self.call = call
        self.values: dict[str, Outputs] = {REQUEST: request}
        self.running: dict[str, asyncio.Future[StageResult]] = {}
        self.timings: list[StageTiming] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for node in graph.nodes:
            if not graph.needs[node.stage]:
                self._start(node)

    def _start(self, node: Node) -> None:
        inputs = {
            name: self.values[source][field]
            for name, source, field in self.graph.sources[node.stage]
        }
        started_ns = perf_counter_ns()
        future = self.call(node.stage, inputs)
        self.running[node.stage] = future
        future.add_done_callback(partial(self._end, node.stage, started_ns))

    def _end(self, stage: str, started_ns: int, future: "asyncio.Future[StageResult]") -> None:
        del self.running[stage]
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
        self._advance(stage, started_ns, future.result())

    def _advance(self, stage: str, started_ns: int, result: StageResult) -> None:
        wall_ns = perf_counter_ns() - started_ns
        self.timings.append(
            StageTiming(stage, wall_ns, result.queue_ns, result.compute_ns, result.batch_size)
        )
        self.values[stage] = result.outputs
        if stage == self.graph.answer_node:
            self.finished.set_result(None)
            return
        for reader in self.graph.readers[stage]:
            if self.graph.needs[reader.stage] <= self.values.keys():
                self._start(reader)

    def stop(self) -> None:
        for future in tuple(self.running.values()):
            future.cancel()


def run_batch(
    graph: Graph, stages: Mapping[str, Stage], requests: Sequence[Inputs]
) -> list[Answer | Problem]:
    """Run a whole graph over a batch in this thread, stage after stage: no queue, no hop.

    A refused member leaves the batch; the others go on.
    """
    values: list[dict[str, Outputs]] = [{REQUEST: request} for request in requests]
    refused: dict[int, Problem] = {}
    timings: list[StageTiming] = []
    for node in graph.nodes:
        members = [i for i in range(len(requests)) if i not in refused]
        if not members:
            break
        sources = graph.sources[node.stage]
        started_ns = perf_counter_ns()
        results = stages[node.stage](
            [{name: values[i][src][field] for name, src, field in sources} for i in members]
        )
        spent_ns = perf_counter_ns() - started_ns
        timings.append(StageTiming(node.stage, spent_ns, 0, spent_ns, len(members)))
        for i, result in zip(members, results, strict=True):
            if isinstance(result, Problem):
                refused[i] = result
            else:
                values[i][node.stage] = result
    return [
        refused.get(i) or Answer(value[graph.answer_node][graph.answer_field], tuple(timings))
        for i, value in enumerate(values)
    ]
