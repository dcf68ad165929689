"""A metric over its pairs as one ratio, above 1 being worse.

A machine's speed acts on a time, a rate or an amount as a factor, and on both blocks of a pair
alike: so the ratio within the pair, and its logarithm, whose mean over pairs Student's t bounds.
Of what was tried on drifting machines it alone kept its 5 % (MEASUREMENT rule 15).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.gate.paired import Paired, paired

_LARGEST = 709.0
"""The largest x whose exponential is a float."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A ``contrast.Contrast`` whose no change is 1.

    Attributes:
        logs: the pairs' log ratios, oriented so that above 0 is worse.
    """

    logs: Paired

    @property
    def n(self) -> int:
        """Pairs."""
        return self.logs.n

    @property
    def none(self) -> float:
        """No change."""
        return 1.0

    @property
    def estimate(self) -> float:
        """Geometric mean of the ratios."""
        return _exp(self.logs.mean)

    @property
    def spread(self) -> float:
        """Standard deviation of the log ratios; 0 where all are alike."""
        return self.logs.spread

    @property
    def p(self) -> float:
        """One-sided, that the candidate is not worse."""
        return self.logs.p

    def low(self, level: float) -> float:
        """Lower one-sided bound of the ratio; the estimate itself where there is no spread."""
        return _exp(self.logs.low(level))

    def high(self, level: float) -> float:
        """Upper one-sided bound of the ratio; infinite where no float can hold it."""
        return _exp(self.logs.high(level))


def effect(
    baseline: Sequence[float],
    candidate: Sequence[float],
    better: Literal["higher", "lower"],
) -> Effect:
    """Compare pair by pair: ``baseline[i]`` and ``candidate[i]`` are the two blocks of pair i.

    A zero or an infinite value is refused, not guessed at: it has no logarithm, and one such
    block would otherwise be the whole answer. Failures belong to the error rate, which counts
    them, and a block that carries no figure carries none (MEASUREMENT rules 5 and 11).

    Raises:
        ValueError: the sides differ in length, there are fewer than two pairs, or a value is not
            finite and above 0.
    """
    if len(baseline) != len(candidate):
        raise ValueError(
            f"{len(baseline)} values of the baseline and {len(candidate)} of the candidate: "
            "give one of each a pair"
        )
    for side, values in (("baseline", baseline), ("candidate", candidate)):
        for place, value in enumerate(values):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(
                    f"pair {place}, {side}: {value} has no ratio to anything; leave the pair out "
                    "for a reason that does not look at the value, or judge it by the error rate"
                )
    sign = 1 if better == "lower" else -1
    both = zip(baseline, candidate, strict=True)
    return Effect(paired(sign * math.log(new / old) for old, new in both))


def _exp(log: float) -> float:
    return math.exp(log) if log < _LARGEST else math.inf
