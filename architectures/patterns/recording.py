"""Scores of all classifiers on labelled images: what the agent and the bandit are simulated on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias, cast

import numpy as np

from architectures.ensemble import load_stage
from architectures.ensemble.attributes import ATTRIBUTES
from architectures.ensemble.corpus import example, key
from architectures.ensemble.graphs import CLASSIFIERS
from architectures.ensemble.types import Floats
from architectures.graph import Inputs, Outputs
from architectures.patterns.arms import ARMS, all_right, mean_scores
from architectures.patterns.choosing.context import context_of
from architectures.patterns.sums import Vector
from architectures.patterns.tags import names
from architectures.plugin import Example, Split

_BATCH = 16
_BEFORE = ("decode", "detect", "crop")

_Run: TypeAlias = Callable[[Sequence[Inputs]], Sequence[Outputs]]
"""A stage whose inputs are good: nothing of the corpus is refused."""


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """``n`` images, end to end: JPEG bytes in, predicted boxes used.

    Attributes:
        contexts: ``(n, features)``.
        scores: ``(n, arms, SCORES)`` float32.
        labels: what they show.
    """

    contexts: Vector
    scores: Floats
    labels: Sequence[dict[str, str]]

    def ballots(self, i: int, ran: Sequence[str]) -> dict[str, Floats]:
        """What these arms say of one image."""
        return {arm: self.scores[i, ARMS.index(arm)] for arm in ran}

    def right(self, ran: Sequence[str]) -> Vector:
        """1 where the mean of these arms gets all three tags right, ``(n,)``."""
        return np.array(
            [
                all_right(names(mean_scores(self.ballots(i, ran))), label)
                for i, label in enumerate(self.labels)
            ]
        )


def record(tier: str, split: Split, count: int, seed: int) -> Recording:
    """Run decode, detect, crop and every classifier on the first images of a split."""
    stages = {name: cast("_Run", load_stage(name, tier)) for name in (*_BEFORE, *CLASSIFIERS)}
    parts = []
    for start in range(0, count, _BATCH):
        indices = range(start, min(start + _BATCH, count))
        parts.append(_recorded(stages, [example(key(split, seed, index)) for index in indices]))
    contexts, scores, labels = zip(*parts, strict=True)
    return Recording(np.concatenate(contexts), np.concatenate(scores), list(chain(*labels)))


def _recorded(
    stages: Mapping[str, _Run], batch: Sequence[Example]
) -> tuple[Vector, Floats, list[dict[str, str]]]:
    decoded = stages["decode"]([{"body": each.body} for each in batch])
    boxes = stages["detect"]([{"thumbnail": each["thumbnail"]} for each in decoded])
    pairs = zip(decoded, boxes, strict=True)
    crops = stages["crop"]([{"working": d["working"], "box": b["box"]} for d, b in pairs])
    ballots = [stages[name]([{"crop": each["crop"]} for each in crops]) for name in CLASSIFIERS]
    return (
        np.array([context_of(c["crop"], b["box"]) for c, b in zip(crops, boxes, strict=True)]),
        np.stack([[one["scores"] for one in ballot] for ballot in ballots], 1),
        [{kind: each.label[kind] for kind in ATTRIBUTES} for each in batch],
    )
