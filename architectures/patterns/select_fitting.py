"""Fits the router of ``select``, and chooses the classifier of each group."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from architectures import ensemble
from architectures.ensemble.attributes import CATEGORIES, SCORE_SLICES
from architectures.ensemble.lessons import Lessons
from architectures.ensemble.types import Bytes
from architectures.patterns import parameters
from architectures.patterns.aggregate import MEMBERS
from architectures.patterns.regression import regress
from architectures.patterns.select import GROUP_OF, GROUPS, PARAMETERS, routing_features

_STRENGTH = 1.0
_BATCH = 32


def fit(lessons: Lessons, tier: str) -> None:
    """Fit on all lessons and write the arrays."""
    features = np.stack([routing_features(crop) for crop in lessons.crops])
    categories = lessons.classes[:, 0]
    router = regress(features, categories, _STRENGTH)
    right = np.stack([_right(lessons, member, tier) for member in MEMBERS])
    parameters.save(
        tier,
        PARAMETERS,
        {**router._asdict(), "members": np.array(chosen(right, categories))},
    )


def chosen(right: NDArray[np.float64], categories: NDArray[np.int64]) -> tuple[int, ...]:
    """The classifier of each group with which most is right, each serving a group at least.

    Args:
        right: ``(members, n)`` how right each member is of each image.
        categories: ``(n,)`` what the images show.
    """
    groups = list(GROUPS)
    group_of = np.array([groups.index(GROUP_OF[name]) for name in CATEGORIES])[categories]
    sums = np.stack([right[:, group_of == group].sum(1) for group in range(len(groups))])
    every = range(len(right))
    complete = (
        picked for picked in product(every, repeat=len(groups)) if set(picked) == set(every)
    )
    return max(complete, key=lambda picked: float(sums[range(len(groups)), picked].sum()))


def _right(lessons: Lessons, member: str, tier: str) -> NDArray[np.float64]:
    """The share of category, colour and pattern that a classifier has right, ``(n,)``."""
    scores = _scores(lessons.crops, member, tier)
    found = [scores[:, part].argmax(1) for part in SCORE_SLICES.values()]
    share: NDArray[np.float64] = (np.stack(found, 1) == lessons.classes).mean(1)
    return share


def _scores(crops: Bytes, member: str, tier: str) -> NDArray[np.float32]:
    stage = ensemble.load_stage(f"classify_{member}", tier)
    spans = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))
    rows = [row for span in spans for row in stage([{"crop": crop} for crop in span])]
    return np.stack([row["scores"] for row in rows if isinstance(row, dict)])
