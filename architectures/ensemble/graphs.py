"""The stages, and the graphs that say what calls what."""

from architectures.graph import Graph, Node
from architectures.plugin import StageSpec

CLASSIFIERS = ("classify_residual", "classify_depthwise", "classify_hybrid")
MODELS = ("detect", *CLASSIFIERS, "keypoints", "caption")
LIGHT = ("decode", "crop", "postprocess")

STAGES = {name: StageSpec(name, "light") for name in LIGHT} | {
    name: StageSpec(name, "model") for name in MODELS
}

_VOTES = {name.removeprefix("classify_"): f"{name}.scores" for name in CLASSIFIERS}

TAG = Graph(
    "tag",
    (
        Node("decode", {"body": "request.body"}),
        Node("detect", {"thumbnail": "decode.thumbnail"}),
        Node("crop", {"working": "decode.working", "box": "detect.box"}),
        *(Node(name, {"crop": "crop.crop"}) for name in CLASSIFIERS),
        Node("keypoints", {"crop": "crop.crop", "window": "crop.window"}),
        Node("caption", {**_VOTES, "box": "detect.box", "keypoints": "keypoints.keypoints"}),
        Node(
            "postprocess",
            {
                **_VOTES,
                "box": "detect.box",
                "keypoints": "keypoints.keypoints",
                "caption": "caption.caption",
            },
        ),
    ),
    answer="postprocess.answer",
)

GRAPHS = {TAG.name: TAG}
