"""Decode, crop and postprocess: plain code around the models, without torch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from architectures.contract import Problem
from architectures.ensemble import images
from architectures.ensemble.attributes import (
    ATTRIBUTES,
    KEYPOINT_NAMES,
    SCORE_SLICES,
)
from architectures.ensemble.features import soft_vote
from architectures.ensemble.graphs import CLASSIFIERS
from architectures.ensemble.tiers import Tier
from architectures.ensemble.types import Floats
from architectures.graph import Inputs, Outputs, Stage

_VOTERS = tuple(name.removeprefix("classify_") for name in CLASSIFIERS)
_ROOM = 1.18
"""Side of the crop over the longer side of the box: room for a box that is a little off."""

_DIGITS = 6


def load(name: str, tier: Tier, versions: Mapping[str, str]) -> Stage:
    """One light stage; ``versions`` are repeated in every answer."""
    run = {"decode": _decode, "crop": _crop, "postprocess": _postprocess(versions)}[name]
    return _each(run, tier)


def _each(run: Callable[[Inputs, Tier], Outputs | Problem], tier: Tier) -> Stage:
    def stage(batch: Sequence[Inputs]) -> list[Outputs | Problem]:
        return [run(member, tier) for member in batch]

    return stage


def _decode(member: Inputs, tier: Tier) -> Outputs | Problem:
    """``body`` bytes to ``working`` (h, w, 3) and ``thumbnail`` (side, side, 3), both uint8."""
    try:
        image = images.decode(member["body"], tier.working_px)
    except Problem as problem:
        return problem
    thumbnail = images.shrink(image, tier.thumbnail_px)
    return {"working": np.asarray(image), "thumbnail": thumbnail}


def crop_window(box: Floats, width: int, height: int) -> tuple[int, int, int, int]:
    """The square around a box, xyxy in whole pixels of the working image.

    Side and corner are rounded to a 64th of the image. The last bits of a box depend on who shared
    its batch, as convolution kernels do; on so coarse a grid they move a crop, and all that is read
    from it, about once in 25,000 images. A window that can lie inside the image does.
    """
    left, top, right, bottom = (
        float(share) * side for share, side in zip(box, (width, height) * 2, strict=True)
    )
    step = max(max(width, height) // 64, 1)
    side = max(_nearest(max(right - left, bottom - top) * _ROOM, step), 8)
    x = _inside(_nearest((left + right - side) / 2, step), side, width)
    y = _inside(_nearest((top + bottom - side) / 2, step), side, height)
    return x, y, x + side, y + side


def _nearest(value: float, step: int) -> int:
    return round(value / step) * step


def _inside(start: int, side: int, limit: int) -> int:
    return min(max(start, 0), limit - side) if side <= limit else (limit - side) // 2


def _crop(member: Inputs, tier: Tier) -> Outputs:
    """``working``, ``box`` to ``crop`` (side, side, 3) uint8 and its ``window``, xyxy shares."""
    working = member["working"]
    height, width = working.shape[:2]
    window = crop_window(member["box"], width, height)
    shares = np.array(window, np.float32) / np.array((width, height) * 2, np.float32)
    return {"crop": images.cut(working, window, tier.crop_px), "window": shares}


def _postprocess(versions: Mapping[str, str]) -> Callable[[Inputs, Tier], Outputs]:
    """All findings to the ``answer``: plain JSON values, floats to six digits."""

    def run(member: Inputs, tier: Tier) -> Outputs:  # noqa: ARG001 - the signature of all three
        ballots = {voter: member[voter] for voter in _VOTERS}
        mean = soft_vote(list(ballots.values()))
        tags = [_tag(kind, mean) for kind in ATTRIBUTES]
        names = KEYPOINT_NAMES[tags[0]["value"]]
        points = np.asarray(member["keypoints"]).tolist()
        return {
            "answer": {
                "tags": tags,
                "box": [round(share, _DIGITS) for share in np.asarray(member["box"]).tolist()],
                "keypoints": [
                    {"name": name, "x": round(x, _DIGITS), "y": round(y, _DIGITS)}
                    for name, (x, y) in zip(names, points, strict=True)
                ],
                "caption": member["caption"],
                "votes": {
                    voter: {kind: _tag(kind, ballot)["value"] for kind in ATTRIBUTES}
                    for voter, ballot in ballots.items()
                },
                "models": dict(versions),
            }
        }

    return run


def _tag(kind: str, scores: Floats) -> dict[str, Any]:
    part = scores[SCORE_SLICES[kind]]
    best = int(part.argmax())
    return {
        "kind": kind,
        "value": ATTRIBUTES[kind][best],
        "score": round(float(part[best]), _DIGITS),
    }
