"""From a request's body to the item cut out of it: how the graphs of images begin."""

from architectures.graph import Node

TO_CROP = (
    Node("decode", {"body": "request.body"}),
    Node("detect", {"thumbnail": "decode.thumbnail"}),
    Node("crop", {"working": "decode.working", "box": "detect.box"}),
)
"""From a body to ``crop.crop`` and ``crop.window``."""
