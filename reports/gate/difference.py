"""Shares of failed requests compared: a difference, above 0 being worse.

Two ways to bound it, and the more cautious one counts. Pooled counts know what no failure in
thousands of requests means, but take requests to fail independently, and failures come in bursts.
The spread between pairs knows bursts, but is nothing at all where nothing failed.

Pooled: Newcombe's hybrid of Wilson's score intervals (R. G. Newcombe, "Interval estimation for the
difference between independent proportions: comparison of eleven methods", Statistics in Medicine
17, 1998, method 10). Between pairs: Student's t on each pair's difference of shares.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import optimize, special

from reports.gate.paired import Paired, paired

_FARTHEST = 40.0
"""Standard normal deviations beyond which a float holds no probability."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Failed of planned requests, all pairs of one side together."""

    failed: int
    planned: int

    @property
    def share(self) -> float:
        """Failed of planned."""
        return self.failed / self.planned

    def wilson(self, z: float) -> tuple[float, float]:
        """Wilson's score bounds of the share, ``z`` standard normal deviations to either side."""
        n, square = self.planned, z * z
        centre = self.failed + square / 2
        reach = z * math.sqrt(self.failed * (n - self.failed) / n + square / 4)
        return max(0.0, (centre - reach) / (n + square)), min(1.0, (centre + reach) / (n + square))


@dataclass(frozen=True, slots=True)
class Difference:
    """A ``contrast.Contrast`` whose no change is 0.

    Attributes:
        shares: each pair's candidate share less its baseline share.
        baseline / candidate: the pairs' counts together.
    """

    shares: Paired
    baseline: Pooled
    candidate: Pooled

    @property
    def n(self) -> int:
        """Pairs."""
        return self.shares.n

    @property
    def none(self) -> float:
        """No change."""
        return 0.0

    @property
    def estimate(self) -> float:
        """Of pooled shares."""
        return self.candidate.share - self.baseline.share

    @property
    def spread(self) -> float:
        """Standard deviation of the pairs' differences; 0 where all are alike."""
        return self.shares.spread

    @property
    def p(self) -> float:
        """One-sided, that the candidate does not fail more: the larger of the two ways'."""
        return max(self.shares.p, _pooled_p(self.baseline, self.candidate))

    def low(self, level: float) -> float:
        """The lower of the two ways' lower bounds."""
        return min(self.shares.low(level), _pooled_low(self.baseline, self.candidate, _z(level)))

    def high(self, level: float) -> float:
        """The higher of the two ways' upper bounds."""
        return max(self.shares.high(level), -_pooled_low(self.candidate, self.baseline, _z(level)))


def difference(
    baseline: Sequence[tuple[int, int]], candidate: Sequence[tuple[int, int]]
) -> Difference:
    """Compare (failed, planned) requests pair by pair.

    Raises:
        ValueError: the sides differ in length, there are fewer than two pairs, a block planned
            nothing, or failed is not between 0 and planned.
    """
    if len(baseline) != len(candidate):
        raise ValueError(
            f"{len(baseline)} blocks of the baseline and {len(candidate)} of the candidate: "
            "give one of each a pair"
        )
    for side, blocks in (("baseline", baseline), ("candidate", candidate)):
        for place, (failed, planned) in enumerate(blocks):
            if planned < 1 or not 0 <= failed <= planned:
                raise ValueError(
                    f"pair {place}, {side}: {failed} failed of {planned} planned requests cannot "
                    "be; leave out a pair that played nothing"
                )
    both = zip(baseline, candidate, strict=True)
    shares = paired(new[0] / new[1] - old[0] / old[1] for old, new in both)
    return Difference(shares, _together(baseline), _together(candidate))


def _together(blocks: Sequence[tuple[int, int]]) -> Pooled:
    return Pooled(sum(failed for failed, _ in blocks), sum(planned for _, planned in blocks))


def _z(level: float) -> float:
    return -float(special.ndtri(level))


def _pooled_low(baseline: Pooled, candidate: Pooled, z: float) -> float:
    """Newcombe's lower bound; the upper one is that of the sides exchanged, with its sign."""
    down = candidate.share - candidate.wilson(z)[0]
    up = baseline.wilson(z)[1] - baseline.share
    return candidate.share - baseline.share - math.hypot(down, up)


def _pooled_p(baseline: Pooled, candidate: Pooled) -> float:
    """The level at which Newcombe's lower bound is 0, so that p and bound never disagree."""
    if candidate.share == baseline.share:
        return 0.5
    if candidate.share < baseline.share:
        return 1 - _pooled_p(candidate, baseline)
    if _pooled_low(baseline, candidate, _FARTHEST) > 0:
        return 0.0
    z = optimize.brentq(lambda z: _pooled_low(baseline, candidate, z), 0, _FARTHEST, xtol=1e-9)
    return float(special.ndtr(-z))
