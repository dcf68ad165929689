"""Held-out figures of a tier, end to end: JPEG bytes in, the answer out, predicted boxes used."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from architectures.contract import Problem
from architectures.ensemble import load_stage
from architectures.ensemble.attributes import ATTRIBUTES
from architectures.ensemble.corpus import example, key
from architectures.ensemble.graphs import STAGES, TAG
from architectures.walk import run_batch

HELD_OUT = 2000
_BATCH = 16

_Pair: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any]]
"""An answer and its label."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of ``count`` images, unless said otherwise.

    Attributes:
        category: right category after the soft vote; colour and pattern alike.
        mean_iou: mean overlap of the predicted and the true box.
        keypoint_error: mean distance of a keypoint from its place, in longer sides of the box.
        caption: exactly the true sentence.
        voters: each classifier's own shares.
    """

    count: int
    category: float
    colour: float
    pattern: float
    mean_iou: float
    keypoint_error: float
    caption: float
    voters: Mapping[str, Mapping[str, float]]


def evaluate(tier: str, count: int = HELD_OUT, seed: int = 0) -> Figures:
    """Run the ``tag`` graph on the first ``count`` held-out images and compare with the labels."""
    pairs = list(_answers(tier, count, seed))
    right = {
        kind: _mean(_value(answer, kind) == label[kind] for answer, label in pairs)
        for kind in ATTRIBUTES
    }
    return Figures(
        count=count,
        category=right["category"],
        colour=right["colour"],
        pattern=right["pattern"],
        mean_iou=_mean(_overlap(answer["box"], label["box"]) for answer, label in pairs),
        keypoint_error=_mean(_distance(answer, label) for answer, label in pairs),
        caption=_mean(answer["caption"] == label["caption"] for answer, label in pairs),
        voters={voter: _voter(voter, pairs) for voter in pairs[0][0]["votes"]},
    )


def _voter(voter: str, pairs: list[_Pair]) -> dict[str, float]:
    return {
        kind: _mean(answer["votes"][voter][kind] == label[kind] for answer, label in pairs)
        for kind in ATTRIBUTES
    }


def _answers(tier: str, count: int, seed: int) -> Iterator[_Pair]:
    stages = {name: load_stage(name, tier) for name in STAGES}
    for start in range(0, count, _BATCH):
        span = range(start, min(start + _BATCH, count))
        batch = [example(key("held_out", seed, index)) for index in span]
        answers = run_batch(TAG, stages, [{"body": member.body} for member in batch])
        for answer, member in zip(answers, batch, strict=True):
            if isinstance(answer, Problem):
                raise answer
            yield answer.document, member.label


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 4)


def _value(answer: Mapping[str, Any], kind: str) -> str:
    return next(str(tag["value"]) for tag in answer["tags"] if tag["kind"] == kind)


def _overlap(box: list[float], other: tuple[float, ...]) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (_area(box) + _area(other) - shared)


def _area(box: list[float] | tuple[float, ...]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _distance(answer: Mapping[str, Any], label: Mapping[str, Any]) -> float:
    left, top, right, bottom = label["box"]
    found = np.array([(point["x"], point["y"]) for point in answer["keypoints"]])
    apart = np.hypot(*(found - np.array(label["keypoints"])).T)
    return float(apart.mean() / max(right - left, bottom - top))
