"""How much of one thing there is to another, and how sure that is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy import stats

from reports.claims.reading import Reading
from reports.compare import compare
from reports.estimate import Estimate, Missing, Value, over_blocks, within

Way: TypeAlias = Literal["paired", "unpaired", "exact", "absolute"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What was found.

    Attributes:
        estimate: of the ratio; of the figure itself where ``way`` is absolute.
        way: how the interval was made. paired: within each block, or repeat, which both have;
            unpaired: two runs, Welch; exact: counts that were the same every time.
        n_other: blocks of the other run, where it is unpaired.
    """

    estimate: Estimate
    way: Way
    n_other: int | None = None


def side_by_side(this: Reading, other: Reading, level: float) -> Effect:
    """The ratio of two things measured together: exact of counts, else paired."""
    counted = [_count(reading) for reading in (this, other)]
    if counted[0] is not None and counted[1]:
        ratio = counted[0] / counted[1]
        n = min(len(this.values), len(other.values))
        if n > 1 or this.source:
            return Effect(Estimate(ratio, ratio, ratio, n), "exact")
    return Effect(compare(this.values, other.values, level).ratio, "paired")


def _count(reading: Reading) -> float | None:
    """The count that every repeat found; None where they differ, or nothing is counted."""
    found = set(reading.values.values())
    first = next(iter(found), None)
    return first if reading.counts and len(found) == 1 and isinstance(first, float) else None


def two_runs(this: Reading, other: Reading, level: float) -> Effect:
    """The ratio of two runs: Welch's t on logarithms, for nothing pairs their blocks."""
    estimate = welch(this.values, other.values, level)
    return Effect(estimate, "unpaired", len(other.values))


def welch(this: Mapping[int, Value], other: Mapping[int, Value], level: float) -> Estimate:
    """Ratio of geometric means of two independent samples.

    The interval is exp(d +- t(nu) sqrt(va + vb)), d the difference of mean logarithms, va and vb
    their variances over n, nu by Welch (1947) and Satterthwaite. ``n`` is of ``this``.
    """
    n = len(this)
    values = [*this.values(), *other.values()]
    if not (this and other):
        return Estimate(None, None, None, n, "no trusted trial in one of the runs")
    missing = [value for value in values if isinstance(value, Missing)]
    if missing:
        return Estimate(None, None, None, n, missing[0].why)
    sides = [np.asarray(list(side.values()), dtype=np.float64) for side in (this, other)]
    if not all(np.all(side > 0) for side in sides):
        return Estimate(None, None, None, n, "a value is zero: no ratio")
    logs = [np.log(side) for side in sides]
    point = float(np.mean(logs[0]) - np.mean(logs[1]))
    if min(map(len, logs)) == 1:
        return Estimate(math.exp(point), None, None, n, "one block: no interval")
    parts = [float(np.var(side, ddof=1)) / len(side) for side in logs]
    half = _welch_half(parts, [len(side) for side in logs], level)
    return Estimate(math.exp(point), math.exp(point - half), math.exp(point + half), n)


def _welch_half(parts: list[float], sizes: list[int], level: float) -> float:
    whole = sum(parts)
    if whole == 0:
        return 0.0
    freedom = whole**2 / sum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True))
    return float(stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(whole)


def alone(reading: Reading, level: float) -> Effect:
    """A figure by itself, over the blocks.

    A share of requests gets the wider of two intervals: Student's t over the blocks, and Clopper
    and Pearson's of all requests together. Blocks without any failure have no spread, and would
    otherwise claim to know that there never is one.
    """
    estimate = within(
        over_blocks(list(reading.values.values()), reading.scale, level), *reading.bounds
    )
    if not reading.requests or estimate.point is None or estimate.low is None:
        return Effect(estimate, "absolute")
    low, high = clopper_pearson(estimate.point, reading.requests, level)
    assert estimate.high is not None  # noqa: S101 - both ends or none
    widest = Estimate(estimate.point, min(low, estimate.low), max(high, estimate.high), estimate.n)
    return Effect(widest, "absolute")


def clopper_pearson(share: float, requests: int, level: float) -> tuple[float, float]:
    """The exact two-sided interval of a share of so many independent requests (1934)."""
    failed, tail = round(share * requests), (1 - level) / 2
    low = stats.beta.ppf(tail, failed, requests - failed + 1) if failed else 0.0
    high = stats.beta.ppf(1 - tail, failed + 1, requests - failed) if failed < requests else 1.0
    return float(low), float(high)
