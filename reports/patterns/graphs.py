"""The graphs as the SUT told them: what each node is, and which stand side by side."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """One graph's nodes.

    Attributes:
        answer: the node that gives the answer.
        after: node -> the nodes it waits for.
        models: nodes that run a model.
        io: nodes that wait for others.
        detached: nodes nobody waits for.
        siblings: groups of two or more models that wait for the same nodes: they run side by side,
            and whoever reads them all waits for the slowest.
    """

    name: str
    nodes: tuple[str, ...]
    answer: str
    after: Mapping[str, tuple[str, ...]]
    models: frozenset[str]
    io: frozenset[str]
    detached: frozenset[str]
    siblings: tuple[frozenset[str], ...]


def graphs_of(info: Mapping[str, Any]) -> dict[str, GraphFacts]:
    """Graph -> its nodes; empty where the SUT does not tell them, as in runs older than this."""
    told = info.get("nodes")
    return {name: _facts(name, nodes) for name, nodes in told.items()} if told else {}


def _facts(name: str, nodes: Mapping[str, Mapping[str, Any]]) -> GraphFacts:
    side_by_side: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for node, told in nodes.items():
        if told["kind"] == "model" and not told["detached"]:
            side_by_side[tuple(told["after"])].add(node)
    return GraphFacts(
        name,
        tuple(nodes),
        next(node for node, told in nodes.items() if told["answers"]),
        {node: tuple(told["after"]) for node, told in nodes.items()},
        frozenset(node for node, told in nodes.items() if told["kind"] == "model"),
        frozenset(node for node, told in nodes.items() if told["kind"] == "io"),
        frozenset(node for node, told in nodes.items() if told["detached"]),
        tuple(frozenset(group) for group in side_by_side.values() if len(group) > 1),
    )
