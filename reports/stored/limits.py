"""The prediction limit: how bad one more value may be and still be what was seen before.

For K earlier values of mean m and standard deviation s, all of one normal distribution, one more
value lies beyond m + t s sqrt(1 + 1/K) with probability 1 - level, t being Student's quantile with
K - 1 degrees of freedom (Hahn & Meeker, Statistical Intervals, ch. 4). Ratios are taken on the log
scale: a machine's speed acts as a factor. At 99 % the factor of s is 8.0 for K = 3, 3.0 for 10 and
2.6 for 20.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reports.estimate import Floats
from reports.gate.metrics import GateMetric
from reports.stored.record import StoredFigure

LEVEL = 0.99
LEAST_CHANGE = 0.10
"""Runs of different days never carry less, however steady they look: hosts differ by as much."""


def factor(k: int, level: float = LEVEL) -> float:
    """Standard deviations from the mean of ``k`` values to the one-sided limit of one more."""
    return float(stats.t.ppf(level, k - 1)) * math.sqrt(1 + 1 / k)


@dataclass(frozen=True, slots=True)
class Limit:
    """What earlier values say of one more.

    Attributes:
        values: earlier ones, in the metric's unit; at least 2, and above 0 for a ratio.
        requests: of a share: what each rests on.
    """

    metric: GateMetric
    values: tuple[float, ...]
    requests: tuple[int, ...]

    @classmethod
    def of(cls, metric: GateMetric, past: Sequence[StoredFigure]) -> "Limit":
        """From stored figures that have a value."""
        pairs = [(f.value, f.requests) for f in past if f.value is not None]
        return cls(metric, tuple(v for v, _ in pairs), tuple(n for _, n in pairs))

    @property
    def k(self) -> int:
        """Earlier values."""
        return len(self.values)

    @property
    def centre(self) -> float:
        """Their geometric mean; of shares the pooled share."""
        if self.metric.kind == "difference":
            return float(np.average(self.values, weights=self.requests))
        return math.exp(float(np.mean(np.log(self.values))))

    @property
    def spread(self) -> float:
        """Their standard deviation: of logarithms, or of shares."""
        return float(np.std(self._scaled, ddof=1))

    @property
    def _sign(self) -> int:
        return 1 if self.metric.better == "lower" else -1

    @property
    def _scaled(self) -> Floats:
        """On the scale where spread is even, more being worse."""
        known = np.asarray(self.values, dtype=np.float64)
        return known if self.metric.kind == "difference" else self._sign * np.log(known)

    def bound(self, level: float = LEVEL) -> float:
        """The limit, in the metric's unit: a value beyond it is a gross change."""
        reach = float(np.mean(self._scaled)) + factor(self.k, level) * self.spread
        if self.metric.kind == "difference":
            return max(reach, self._counted(level), self._least)
        worst = max if self._sign > 0 else min
        return float(worst(math.exp(self._sign * reach), self._least))

    @property
    def _least(self) -> float:
        """The smallest change that is spoken of, whatever the spread."""
        if self.metric.kind == "difference":
            return self.centre + self.metric.margin
        if self._sign > 0:
            return max(self.centre * (1 + LEAST_CHANGE), self.centre + self.metric.floor)
        return min(self.centre / (1 + LEAST_CHANGE), self.centre - self.metric.floor)

    def material(self, value: float) -> bool:
        """Whether a value is worse by so much that it may be spoken of."""
        return self._sign * (value - self._least) > 0

    def beyond(self, value: float, level: float = LEVEL) -> bool:
        """Whether a value is worse than the limit."""
        return self._sign * (value - self.bound(level)) > 0

    def p(self, value: float, requests: int = 0) -> float:
        """One-sided: how often one more value would be this bad or worse.

        Args:
            value: in the metric's unit.
            requests: of a share: what it rests on.
        """
        if self.metric.kind == "difference":
            return max(self._tail(value), self._tail_of_counts(value, requests))
        if value <= 0:
            return 0.0 if self.metric.better == "higher" else 1.0
        return self._tail(self._sign * math.log(value))

    def _tail(self, scaled: float) -> float:
        away = scaled - float(np.mean(self._scaled))
        error = self.spread * math.sqrt(1 + 1 / self.k)
        if error == 0:
            return 0.0 if away > 0 else 1.0
        return float(stats.t.sf(away / error, self.k - 1))

    def _tail_of_counts(self, value: float, requests: int) -> float:
        """Of all requests that failed, so many in this run: binomial, given their total."""
        if requests == 0:
            return 1.0
        struck, before = round(value * requests), round(self.centre * sum(self.requests))
        share = requests / (requests + sum(self.requests))
        return float(stats.binom.sf(struck - 1, struck + before, share))

    def _counted(self, level: float) -> float:
        """The highest share that counting alone lets pass, of a run as large as the earlier."""
        requests = round(sum(self.requests) / self.k)
        struck, before = np.arange(requests + 1), round(self.centre * sum(self.requests))
        share = requests / (requests + sum(self.requests))
        tails = stats.binom.sf(struck - 1, struck + before, share)
        return float(struck[tails >= 1 - level].max() / requests)
