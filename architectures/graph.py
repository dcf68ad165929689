"""Graphs of stages as data: what calls what, when, and which answer is sent.

A node runs a stage once its inputs are known. Inputs name their source, ``request.body`` or
``detect.box``, so only what a stage reads is ever sent to it. ``architectures.walk`` walks them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, Protocol, TypeAlias

from architectures.contract import Problem

Inputs: TypeAlias = Mapping[str, Any]
"""One member's named inputs: numpy arrays, bytes, or JSON values."""

Outputs: TypeAlias = Mapping[str, Any]
"""One member's named outputs, of the same kinds."""

Stage: TypeAlias = Callable[[Sequence[Inputs]], Sequence[Outputs | Problem]]
"""Batch in, batch out, same length and order. A Problem refuses its own member only."""

REQUEST = "request"

OPTIONAL = "?"
"""Ends a read that may come from a node that did not run; its value is then None."""


class IoStage(Protocol):
    """A stage that waits for others instead of computing: one member at a time, many at once."""

    def __call__(self, member: Inputs, /) -> Awaitable[Outputs | Problem]:
        """Run one member on the running event loop; connections are opened here, not on loading."""
        ...

    async def close(self) -> None:
        """Close what it opened; called once, on the loop it ran on."""
        ...


class GraphError(ValueError):
    """A graph that cannot be walked."""


@dataclass(frozen=True, slots=True)
class Node:
    """One stage of a graph, where its inputs come from, and when it runs.

    Attributes:
        stage: the stage to run.
        reads: input name -> ``source.field``, a source being ``request`` or another node;
            ``source.field?`` reads None where that node did not run. A node whose other reads
            come from a node that did not run does not run either.
        name: of the node, where the stage stands in the graph more than once; else the stage's.
        when: ``source.field`` of a value that must be true for the node to run; empty is always.
        detached: nobody waits for it: it runs after the answer is sent, and is shed first.
    """

    stage: str
    reads: Mapping[str, str]
    name: str = ""
    when: str = ""
    detached: bool = False

    @property
    def key(self) -> str:
        """Its name in the graph, in ``Server-Timing`` and in reports."""
        return self.name or self.stage


class Read(NamedTuple):
    """One input of a node."""

    name: str
    source: str
    field: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A node as it is walked.

    Attributes:
        needs: the nodes that must be settled before.
        when: node and field of its condition, or None.
    """

    key: str
    stage: str
    reads: tuple[Read, ...]
    needs: frozenset[str]
    when: Read | None
    detached: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the door asks of a graph's requests.

    Attributes:
        media_types: accepted; empty is the ensemble's.
        headers: lower-case names of request headers the graph reads: ``request.headers`` maps those
            that were sent to their text.
        body_schema: JSON Schema of a JSON body, for ``/openapi.json``; empty says nothing.
    """

    media_types: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body_schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in any order, and the path of the answer.

    Args:
        name: the last part of its URL; may have slashes.
        nodes: in any order.
        answer: ``node.field`` of the JSON document to send back.
        answer_schema: JSON Schema of that document, for ``/openapi.json``; empty says nothing.
        endpoint: what is accepted.
        varies: the answer depends on more than the request (state, time, chance), so there is no
            reference answer to compare with.

    Attributes:
        steps: nodes, sources before readers.
        primary / detached: keys of the nodes that the answer waits for, and of the others.
        readers: key -> the steps that wait for it.
        plain: nothing is conditional, optional or detached: a batch may walk it in lockstep.

    Raises:
        GraphError: a source that is no node, a node twice, a cycle, no such answer node, an answer
            that needs a detached node, or a node that the answer does not need and that is not
            detached: whether it ran in time would be left to chance.
    """

    name: str
    nodes: Sequence[Node]
    answer: str
    answer_schema: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Endpoint = field(default_factory=Endpoint)
    varies: bool = False
    steps: tuple[Step, ...] = field(init=False)
    primary: frozenset[str] = field(init=False)
    detached: frozenset[str] = field(init=False)
    readers: Mapping[str, tuple[Step, ...]] = field(init=False)
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        """Check the nodes, and put them in order."""
        by_key = {node.key: _step(self.name, node) for node in self.nodes}
        if len(by_key) != len(self.nodes):
            raise GraphError(
                f"graph {self.name!r}: a node stands in it twice; name one of them (`name`)"
            )
        order = _ordered(self.name, by_key, self.answer_node)
        primary = _all_before(self.answer_node, by_key)
        self._check_detached(by_key, primary)
        keep = object.__setattr__
        keep(self, "steps", tuple(by_key[key] for key in order))
        keep(self, "primary", frozenset(primary))
        keep(self, "detached", frozenset(by_key) - primary)
        keep(
            self,
            "readers",
            {
                key: tuple(by_key[other] for other in order if key in by_key[other].needs)
                for key in order
            },
        )
        conditional = any(s.when or any(r.optional for r in s.reads) for s in by_key.values())
        keep(self, "plain", not (conditional or self.detached))

    @property
    def answer_node(self) -> str:
        """The node that gives the answer."""
        return self.answer.partition(".")[0]

    @property
    def answer_field(self) -> str:
        """Its output that is the answer."""
        return self.answer.partition(".")[2]

    @property
    def stages(self) -> tuple[str, ...]:
        """Its stages, each once, sources before readers."""
        return tuple(dict.fromkeys(step.stage for step in self.steps))

    def _check_detached(self, steps: Mapping[str, Step], primary: set[str]) -> None:
        waited = sorted(key for key in primary if steps[key].detached)
        if waited:
            raise GraphError(
                f"graph {self.name!r}: the answer waits for {', '.join(waited)}, which is detached"
            )
        unneeded = sorted(key for key in steps if key not in primary and not steps[key].detached)
        if unneeded:
            raise GraphError(
                f"graph {self.name!r}: the answer does not need {', '.join(unneeded)}; leave it "
                "out, or say that nobody waits for it (`detached`)"
            )


def _step(graph: str, node: Node) -> Step:
    if node.key == REQUEST:
        raise GraphError(f"graph {graph!r}: a node may not be called {REQUEST!r}")
    reads = tuple(_read(name, path) for name, path in node.reads.items())
    when = _read("when", node.when) if node.when else None
    sources = {read.source for read in (*reads, *([when] if when else []))}
    return Step(node.key, node.stage, reads, frozenset(sources - {REQUEST}), when, node.detached)


def _read(name: str, path: str) -> Read:
    source, _, wanted = path.partition(".")
    return Read(name, source, wanted.removesuffix(OPTIONAL), wanted.endswith(OPTIONAL))


def _ordered(graph: str, steps: Mapping[str, Step], answer_node: str) -> list[str]:
    needs = {key: set(step.needs) for key, step in steps.items()}
    for key, sources in (*needs.items(), ("answer", {answer_node})):
        unknown = sources - set(steps)
        if unknown:
            raise GraphError(
                f"graph {graph!r}: {key} reads from {', '.join(sorted(unknown))}, not a node"
            )
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise GraphError(f"graph {graph!r}: a cycle through {error.args[1]}") from error


def _all_before(key: str, steps: Mapping[str, Step]) -> set[str]:
    """A node and every node it stands on."""
    found: set[str] = set()
    open_ends = {key}
    while open_ends:
        found |= open_ends
        open_ends = {source for end in open_ends for source in steps[end].needs} - found
    return found
