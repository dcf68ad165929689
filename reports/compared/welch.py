"""Two sets of independent blocks: how far apart their means are, and how sure that is.

Runs of different times share nothing that could be paired, and need not scatter alike: B. L. Welch,
"The generalization of 'Student's' problem when several different population variances are
involved", Biometrika 34, 1947, with Satterthwaite's degrees of freedom.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

LEAST_BLOCKS = 2
"""One block has no spread."""

NO_SPREAD = "every block reads the same on both sides: nothing says how far off that may be"


class CannotTellError(Exception):
    """Two sides without a change that can be bounded; the message says why."""


@dataclass(frozen=True, slots=True)
class Welch:
    """The candidate's mean less the baseline's.

    Attributes:
        change: of the means, on the scale of the values.
        error: its standard error; above 0.
        df: degrees of freedom, after Satterthwaite.
    """

    change: float
    error: float
    df: float

    def ends(self, level: float) -> tuple[float, float]:
        """The two-sided interval that covers the true change with probability ``level``."""
        reach = float(special.stdtrit(self.df, (1 + level) / 2)) * self.error
        return self.change - reach, self.change + reach

    def p(self, margin: float = 0.0) -> float:
        """Two-sided, that the true change is no larger than ``margin`` to either side.

        Below ``1 - level`` exactly where ``ends(level)`` lies beyond the margin as a whole.
        """
        above = special.stdtr(self.df, -(self.change - margin) / self.error)
        below = special.stdtr(self.df, (self.change + margin) / self.error)
        return min(1.0, 2 * float(min(above, below)))


def welch(baseline: Sequence[float], candidate: Sequence[float]) -> Welch:
    """Compare two sides' blocks; which block stands where does not matter.

    Raises:
        CannotTellError: a side has fewer than two blocks, or neither side scatters.
    """
    for side, values in (("baseline", baseline), ("candidate", candidate)):
        if len(values) < LEAST_BLOCKS:
            raise CannotTellError(
                f"the {side} has {len(values)} of the {LEAST_BLOCKS} trusted blocks that an "
                "interval needs"
            )
    mine, theirs = (np.asarray(values, dtype=np.float64) for values in (baseline, candidate))
    parts = [float(np.var(side, ddof=1)) / len(side) for side in (mine, theirs)]
    # Alike but for the last digit is alike: what is left of the mean's rounding is no spread.
    smallest = float(max(abs(mine.mean()), abs(theirs.mean()), 1e-12)) * 1e-12
    if math.sqrt(sum(parts)) <= smallest:
        raise CannotTellError(NO_SPREAD)
    shares = [part**2 / (len(side) - 1) for part, side in zip(parts, (mine, theirs), strict=True)]
    return Welch(
        float(theirs.mean() - mine.mean()), math.sqrt(sum(parts)), sum(parts) ** 2 / sum(shares)
    )
