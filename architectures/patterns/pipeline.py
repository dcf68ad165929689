"""Pipeline: each stage reads the one before; ``POST /v1/pipeline``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.ensemble.attributes import KEYPOINT_NAMES
from architectures.graph import Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.patterns.crops import TO_CROP
from architectures.patterns.tags import (
    SHARE_SCHEMA,
    TAGS_SCHEMA,
    object_schema,
    right,
    rounded,
    tags,
)
from architectures.plugin import StageSpec

STAGES: Mapping[str, StageSpec] = {"describe_item": StageSpec("describe_item", "light")}

_SCORES = "classify_residual.scores"

_POINT_SCHEMA = object_schema(
    {"name": {"type": "string"}, "x": {"type": "number"}, "y": {"type": "number"}}
)

PIPELINE = Graph(
    "pipeline",
    (
        *TO_CROP,
        Node("classify_residual", {"crop": "crop.crop"}),
        Node("keypoints", {"crop": "crop.crop", "window": "crop.window"}),
        Node(
            "caption",
            {
                # The writer was taught on the mean of three votes; here one classifier casts all.
                "residual": _SCORES,
                "depthwise": _SCORES,
                "hybrid": _SCORES,
                "box": "detect.box",
                "keypoints": "keypoints.keypoints",
            },
        ),
        Node(
            "describe_item",
            {
                "scores": _SCORES,
                "box": "detect.box",
                "keypoints": "keypoints.keypoints",
                "caption": "caption.caption",
            },
        ),
    ),
    answer="describe_item.answer",
    answer_schema=object_schema(
        {
            "tags": TAGS_SCHEMA,
            "box": {"type": "array", "items": SHARE_SCHEMA, "minItems": 4, "maxItems": 4},
            "keypoints": {"type": "array", "items": _POINT_SCHEMA},
            "caption": {"type": "string"},
        }
    ),
)

GRAPHS: Mapping[str, Graph] = {PIPELINE.name: PIPELINE}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``; it is the same in every tier.

    Raises:
        KeyError: no such stage.
    """
    return {"describe_item": _describe_items}[name]


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each right tag, and for a caption that is the label's word for word."""
    caption = float(document["caption"] == label["caption"])
    return {**right(document["tags"], label), "caption": caption}


def _describe_items(batch: Sequence[Inputs]) -> list[Outputs]:
    return [{"answer": _described(member)} for member in batch]


def _described(member: Inputs) -> dict[str, Any]:
    """``scores``, ``box``, ``keypoints`` and ``caption`` as plain JSON values."""
    found = tags(member["scores"])
    points = np.asarray(member["keypoints"]).tolist()
    return {
        "tags": found,
        "box": [rounded(share) for share in np.asarray(member["box"])],
        "keypoints": [
            {"name": name, "x": rounded(x), "y": rounded(y)}
            for name, (x, y) in zip(KEYPOINT_NAMES[found["category"]["value"]], points, strict=True)
        ],
        "caption": member["caption"],
    }
