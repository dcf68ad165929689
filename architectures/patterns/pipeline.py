"""Pipeline: each stage reads the one before; ``POST /v1/pipeline``."""

from collections.abc import Mapping

from architectures.graph import Graph, IoStage, Node, Stage
from architectures.plugin import StageSpec

STAGES: Mapping[str, StageSpec] = {"describe_item": StageSpec("describe_item", "light")}

_SCORES = "classify_residual.scores"

PIPELINE = Graph(
    "pipeline",
    (
        Node("decode", {"body": "request.body"}),
        Node("detect", {"thumbnail": "decode.thumbnail"}),
        Node("crop", {"working": "decode.working", "box": "detect.box"}),
        Node("classify_residual", {"crop": "crop.crop"}),
        Node("keypoints", {"crop": "crop.crop", "window": "crop.window"}),
        Node(
            "caption",
            {
                "residual": _SCORES,
                "depthwise": _SCORES,
                "hybrid": _SCORES,
                "box": "detect.box",
                "keypoints": "keypoints.keypoints",
            },
        ),
        Node("describe_item", {"scores": _SCORES, "caption": "caption.caption"}),
    ),
    answer="describe_item.answer",
)

GRAPHS: Mapping[str, Graph] = {PIPELINE.name: PIPELINE}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    """Load one of ``STAGES``."""
    raise NotImplementedError((name, tier, device, threads))
