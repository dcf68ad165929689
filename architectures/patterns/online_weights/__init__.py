"""Online learning of weights: feedback teaches a classifier's head while it serves.

``POST /v1/online/weights`` answers with tags and with a token; ``POST /v1/feedback`` with that
token and the true label teaches the head, whose versions reach every replica without a restart.
"""

from collections.abc import Mapping
from typing import Any

from architectures.graph import Graph, IoStage, Node, Stage
from architectures.patterns.crops import TO_CROP
from architectures.patterns.online_weights import drift, serving
from architectures.patterns.online_weights.operations import ACTIONS, act
from architectures.patterns.online_weights.seen import RememberFeatures, content_tokens
from architectures.patterns.tags import TAGS_SCHEMA, object_schema, right
from architectures.plugin import StageSpec

__all__ = ["ACTIONS", "GRAPHS", "STAGES", "act", "load_stage", "score"]

STAGES: Mapping[str, StageSpec] = {
    "content_token": StageSpec("content_token", "light"),
    "crop_features": StageSpec("crop_features", "model"),
    "adapted_head": StageSpec("adapted_head", "light"),
    "remember_features": StageSpec("remember_features", "io"),
}

ONLINE_WEIGHTS = Graph(
    "online/weights",
    (
        Node("content_token", {"body": "request.body"}),
        *TO_CROP,
        Node("crop_features", {"crop": "crop.crop"}),
        Node(
            "adapted_head",
            {"features": "crop_features.features", "token": "content_token.token"},
        ),
        Node(
            "remember_features",
            {"features": "crop_features.features", "token": "content_token.token"},
            detached=True,
        ),
    ),
    answer="adapted_head.answer",
    answer_schema=object_schema({"tags": TAGS_SCHEMA, **serving.ANSWERED}),
    varies=True,
)

GRAPHS: Mapping[str, Graph] = {ONLINE_WEIGHTS.name: ONLINE_WEIGHTS}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage or tier.
    """
    if name == "crop_features":
        from architectures.patterns.online_weights import features

        return features.load(tier, device, threads)
    if name == "adapted_head":
        return serving.AdaptedHead(tier)
    if name == "remember_features":
        return RememberFeatures()
    return {"content_token": content_tokens}[name]


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each tag that is right where and when the answer was made: the drift counts."""
    return right(document["tags"], drift.true_label(document["renamed"], label))
