"""How much of one thing there is to another, and how sure that is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy import stats

from reports.claims.reading import Reading
from reports.compare import compare
from reports.compared.welch import CannotTellError, welch
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
    estimate = ratio_of_runs(this.values, other.values, level)
    return Effect(estimate, "unpaired", len(other.values))


def ratio_of_runs(this: Mapping[int, Value], other: Mapping[int, Value], level: float) -> Estimate:
    """Ratio of geometric means of two independent samples; ``n`` is of ``this``."""
    n = len(this)
    missing = [v for v in (*this.values(), *other.values()) if isinstance(v, Missing)]
    if missing:
        return Estimate(None, None, None, n, missing[0].why)
    if not (this and other):
        return Estimate(None, None, None, n, "no trusted trial in one of the runs")
    sides = [np.asarray(list(side.values()), dtype=np.float64) for side in (other, this)]
    if not all(np.all(side > 0) for side in sides):
        return Estimate(None, None, None, n, "a value is zero: no ratio")
    logs = [np.log(side) for side in sides]
    point = math.exp(float(logs[1].mean() - logs[0].mean()))
    if min(map(len, logs)) == 1:
        return Estimate(point, None, None, n, "one block: no interval")
    try:
        low, high = welch(logs[0].tolist(), logs[1].tolist()).ends(level)
    except CannotTellError as error:
        return Estimate(point, None, None, n, str(error))
    return Estimate(point, math.exp(low), math.exp(high), n)


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
