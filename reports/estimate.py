"""Points with their doubt: percentiles the samples can carry, intervals from block to block.

Requests of one trial are autocorrelated, so their number says little about how well a figure is
known. A block is one whole pass over every SUT, deployed afresh: the spread between blocks is
what an interval is made of, and ``n`` counts blocks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

Scale: TypeAlias = Literal["linear", "log"]
Floats: TypeAlias = npt.NDArray[np.float64]

LEVEL = 0.95
BEYOND = 10
"""Samples a percentile needs beyond it: p95 needs 200, p99 needs 1,000."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that cannot be given, and why, in words."""

    why: str


Value: TypeAlias = float | Missing


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure as it may be published.

    Attributes:
        point: None where no figure can be given; ``note`` says why.
        low / high: the two-sided interval; None where one block cannot give one.
        n: blocks it rests on.
        note: what a reader must know about it; empty when nothing.
    """

    point: float | None
    low: float | None
    high: float | None
    n: int
    note: str = ""


def samples_needed(quantile: float) -> int:
    """Samples that leave :data:`BEYOND` of them beyond the quantile on its rarer side."""
    rarer = min(quantile, 1 - quantile)
    return math.ceil(round(BEYOND / rarer, 6))


def percentile(samples: npt.ArrayLike, quantile: float) -> Value:
    """The quantile by linear interpolation (Hyndman-Fan type 7), or why it cannot be given."""
    values = np.asarray(samples, dtype=np.float64)
    needed = samples_needed(quantile)
    if len(values) < needed:
        return Missing(f"not carried: {len(values)} samples, needs {needed}")
    return float(np.quantile(values, quantile))


def over_blocks(values: Sequence[Value], scale: Scale, level: float = LEVEL) -> Estimate:
    """Estimate a figure from its value in each block by Student's t.

    On the log scale the point is the geometric mean and the interval is multiplicative; ratios
    and durations are taken so, because a machine's speed acts on them as a factor. One block
    that cannot carry the figure refuses it: the blocks that can are not a fair choice of all. A
    zero has no logarithm; values with one among them are averaged as they are.

    Args:
        values: one a block, of trusted trials only.
        scale: where the spread is taken to be even.
        level: two-sided confidence.
    """
    n = len(values)
    if n == 0:
        return Estimate(None, None, None, 0, "no trusted trial")
    missing = [value for value in values if isinstance(value, Missing)]
    if missing:
        return Estimate(None, None, None, n, missing[0].why)
    known = np.asarray(values, dtype=np.float64)
    if scale == "log" and not np.all(known > 0):
        return over_blocks(values, "linear", level)
    at = np.log(known) if scale == "log" else known
    point = float(np.mean(at))
    if n == 1:
        return Estimate(float(known[0]), None, None, 1, "one block: no interval")
    half = half_width(at, level)
    bounds = (point, point - half, point + half)
    mid, low, high = (math.exp(x) for x in bounds) if scale == "log" else bounds
    return Estimate(mid, low, high, n)


def half_width(values: Floats, level: float = LEVEL) -> float:
    """Half the t interval of a mean of independent values; needs at least two."""
    n = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(n)
    return float(stats.t.ppf((1 + level) / 2, n - 1)) * error


def within(estimate: Estimate, least: float, most: float) -> Estimate:
    """The estimate with its interval cut to what is possible, for example a share to [0, 1]."""
    if estimate.low is None or estimate.high is None:
        return estimate
    return Estimate(
        estimate.point,
        max(estimate.low, least),
        min(estimate.high, most),
        estimate.n,
        estimate.note,
    )
