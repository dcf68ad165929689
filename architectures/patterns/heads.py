"""Heads: one heavy backbone, three light heads on its features; ``/v1/heads``.

``/v1/heads_apart`` answers alike, but each of its heads computes the backbone for itself: what the
two differ in is what sharing the work saves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from architectures.ensemble.attributes import ATTRIBUTES
from architectures.graph import Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.patterns.crops import TO_CROP
from architectures.patterns.tags import TAGS_SCHEMA, object_schema, right, tag
from architectures.plugin import StageSpec

_HEADS = {f"head_{kind}": kind for kind in ATTRIBUTES}
_WHOLES = {f"backbone_head_{kind}": kind for kind in ATTRIBUTES}

STAGES: Mapping[str, StageSpec] = {
    **{name: StageSpec(name, "model") for name in ("backbone", *_HEADS, *_WHOLES)},
    "join_heads": StageSpec("join_heads", "light"),
}

TO_FEATURES = (
    *TO_CROP,
    Node("backbone", {"crop": "crop.crop"}),
)
"""From a body to ``backbone.features``, for every graph that reads them."""


def _graph(name: str, nodes: tuple[Node, ...], heads: Mapping[str, str]) -> Graph:
    return Graph(
        name,
        (*nodes, Node("join_heads", {kind: f"{head}.odds" for head, kind in heads.items()})),
        answer="join_heads.answer",
        answer_schema=object_schema({"tags": TAGS_SCHEMA}),
    )


SHARED = _graph(
    "heads",
    (*TO_FEATURES, *(Node(head, {"features": "backbone.features"}) for head in _HEADS)),
    _HEADS,
)

APART = _graph(
    "heads_apart",
    (*TO_FEATURES[:-1], *(Node(whole, {"crop": "crop.crop"}) for whole in _WHOLES)),
    _WHOLES,
)

GRAPHS: Mapping[str, Graph] = {SHARED.name: SHARED, APART.name: APART}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage or tier.
    """
    if name == "join_heads":
        return _join_all
    from architectures.patterns import backbone

    if name == "backbone":
        return backbone.load_backbone(tier, device, threads)
    if name in _HEADS:
        return backbone.load_head(_HEADS[name], tier, device, threads)
    return backbone.load_whole(_WHOLES[name], tier, device, threads)


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each right tag."""
    return right(document["tags"], label)


def _join_all(batch: Sequence[Inputs]) -> list[Outputs]:
    """Each head's odds to the ``answer``."""
    return [
        {"answer": {"tags": {kind: tag(kind, member[kind]) for kind in ATTRIBUTES}}}
        for member in batch
    ]
