"""The serving patterns, each one graph on shared stages; every architecture serves all of them.

An :class:`architectures.plugin.Ensemble`. A room a pattern; what rooms share is the built-in
ensemble's models and ``architectures.state``. Torch is imported when a model stage is loaded.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from architectures import ensemble
from architectures.ensemble import MEDIA_TYPES, TIERS, examples
from architectures.ensemble.weights import digest_of
from architectures.graph import Graph, IoStage, Stage
from architectures.patterns import (
    agent,
    aggregate,
    choosing,
    classic,
    feedback,
    growth,
    heads,
    items,
    online_weights,
    pipeline,
    select,
    similar,
    update,
)
from architectures.patterns.operator import Operator
from architectures.patterns.room import Room
from architectures.plugin import Admin, EnsembleDescription, Example, StageSpec

__all__ = [
    "GRAPHS",
    "MEDIA_TYPES",
    "STAGES",
    "TIERS",
    "describe",
    "examples",
    "load_admin",
    "load_stage",
    "request",
    "score",
]

ROOMS: tuple[Room, ...] = (
    update,
    similar,
    select,
    classic,
    heads,
    pipeline,
    aggregate,
    growth,
    online_weights,
    choosing,
    agent,
    feedback,
    items,
)

GRAPHS: Mapping[str, Graph] = {name: graph for room in ROOMS for name, graph in room.GRAPHS.items()}

_OF_STAGE: Mapping[str, Room] = {name: room for room in ROOMS for name in room.STAGES}
_OF_GRAPH: Mapping[str, Room] = {name: room for room in ROOMS for name in room.GRAPHS}

STAGES: Mapping[str, StageSpec] = {
    name: spec
    for name, spec in (
        *ensemble.STAGES.items(),
        *(item for room in ROOMS for item in room.STAGES.items()),
    )
    if any(name in graph.stages for graph in GRAPHS.values())
}


def load_stage(name: str, tier: str, device: str = "cpu", threads: int = 1) -> Stage | IoStage:
    """Load one stage of a tier; see :class:`architectures.plugin.Ensemble`.

    Raises:
        KeyError: no such stage or tier.
    """
    room = _OF_STAGE.get(name)
    if room is None:
        return ensemble.load_stage(name, tier, device, threads)
    return room.load_stage(name, tier, device, threads)


def describe(tier: str) -> EnsembleDescription:
    """Who the models of a tier are.

    Raises:
        KeyError: no such tier.
    """
    networks = ensemble.describe(tier)
    fitted = {name: digest for room in ROOMS for name, digest in _digests(room, tier).items()}
    return replace(
        networks,
        models={
            **networks.models,
            **{name: f"{tier}-{digest[:8]}" for name, digest in fitted.items()},
        },
        weights_digest=digest_of({**fitted, "networks": networks.weights_digest}),
    )


def _digests(room: Room, tier: str) -> Mapping[str, str]:
    tell = getattr(room, "digests", None)
    digests: Mapping[str, str] = tell(tier) if tell else {}
    return digests


def load_admin(tier: str) -> Admin:
    """What an operator may do: every room's actions."""
    return Operator(ROOMS, tier)


def request(graph: str, example: Example) -> Example:
    """An example as a graph takes it."""
    make = getattr(_OF_GRAPH[graph], "request", None)
    made: Example = make(graph, example) if make else example
    return made


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> Mapping[str, float]:
    """How good an answer is, by measure; 1 is right."""
    judge = getattr(_OF_GRAPH[graph], "score", None)
    scores: Mapping[str, float] = judge(graph, document, label) if judge else {}
    return scores
