"""The classifiers as things to choose among: what a run costs, and what an answer is worth.

A learner that is paid for accuracy alone would run everything. So a run has a price: the model's
floating-point operations, as a share of the dearest classifier's of its tier, times
``COST_WEIGHT``. Operations and not milliseconds: these differ by machine and by batch, and a
policy learnt on one machine would be judged on another.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.ensemble.graphs import CLASSIFIERS
from architectures.ensemble.types import Floats

ARMS = tuple(name.removeprefix("classify_") for name in CLASSIFIERS)
"""The classifiers, without ``classify_``: the order of every array that has one entry an arm."""

MFLOPS: Mapping[str, Mapping[str, float]] = {
    "tiny": {"residual": 61.57, "depthwise": 26.81, "hybrid": 45.22},
    "small": {"residual": 243.61, "depthwise": 124.90, "hybrid": 202.06},
    "base": {"residual": 3528.40, "depthwise": 1193.57, "hybrid": 3033.85},
}
"""Tier -> arm -> million operations for one crop: two for each multiplication and addition of
convolutions, linear layers and attention."""

COST_WEIGHT = 0.02
"""A right answer is worth fifty runs of the dearest classifier.

At this price ``residual`` alone and ``depthwise`` alone are worth nearly the same on ``tiny``, so
that which is better depends on the image: there is something to learn.
"""


def costs(tier: str) -> dict[str, float]:
    """Arm -> its operations as a share of the dearest arm's, in (0, 1].

    Raises:
        KeyError: no such tier.
    """
    dearest = max(MFLOPS[tier].values())
    return {arm: round(MFLOPS[tier][arm] / dearest, 4) for arm in ARMS}


def all_right(found: Mapping[str, Any], label: Mapping[str, Any]) -> float:
    """1 where every kind's value is the label's, else 0.

    Args:
        found: kind -> value, or kind -> tag with a ``value``.
        label: kind -> value, and whatever else a label has.
    """
    values = {
        kind: tag["value"] if isinstance(tag, Mapping) else tag for kind, tag in found.items()
    }
    return float(all(value == label[kind] for kind, value in values.items()))


def reward(right: float, cost: float) -> float:
    """``right - COST_WEIGHT x cost``: what an answer is worth, at most 1."""
    return right - COST_WEIGHT * cost


def cost_of(models: Sequence[str], tier: str) -> float:
    """What running these arms costs together."""
    each = costs(tier)
    return round(sum(each[arm] for arm in models), 4)


def mean_scores(ballots: Mapping[str, Floats]) -> Floats:
    """The mean of what ran, ``(SCORES,)``: what is answered on stopping."""
    mean: Floats = np.mean([ballots[arm] for arm in ARMS if arm in ballots], 0, dtype=np.float32)
    return mean
