"""Student's t on one change a pair: what a ratio's logarithm and a difference have in common."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from scipy import special

LEAST_PAIRS = 2
"""One pair has no spread."""


@dataclass(frozen=True, slots=True)
class Paired:
    """The mean of independent changes, no change being 0 and more being worse.

    Attributes:
        changes: one a pair.
        mean: of them.
        spread: their standard deviation (n - 1 in the denominator); 0 where all are alike, and
            then both bounds are the mean: nothing says how far off it may be.
    """

    changes: tuple[float, ...]
    mean: float
    spread: float

    @property
    def n(self) -> int:
        """Pairs."""
        return len(self.changes)

    @property
    def p(self) -> float:
        """One-sided, that the true mean is not above 0; below a level whose ``low`` is above it."""
        if self.spread == 0:
            return 0.5 if self.mean == 0 else float(self.mean < 0)
        statistic = self.mean * math.sqrt(self.n) / self.spread
        return float(special.stdtr(self.n - 1, -statistic))

    def low(self, level: float) -> float:
        """The lower one-sided bound."""
        return self.mean - self._reach(level)

    def high(self, level: float) -> float:
        """The upper one-sided bound."""
        return self.mean + self._reach(level)

    def _reach(self, level: float) -> float:
        return critical(self.n - 1, level) * self.spread / math.sqrt(self.n)


def paired(changes: Iterable[float]) -> Paired:
    """Sum up one change a pair.

    Raises:
        ValueError: there are fewer than two.
    """
    values = tuple(changes)
    n = len(values)
    if n < LEAST_PAIRS:
        raise ValueError(f"{n} pairs have no spread; play {LEAST_PAIRS} at least")
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    spread = 0.0 if min(values) == max(values) else math.sqrt(squares / (n - 1))
    return Paired(values, mean, spread)


@lru_cache(maxsize=4096)
def critical(df: int, level: float) -> float:
    """What t of ``df`` degrees of freedom exceeds with probability ``level``."""
    if not 0 < level < 1:
        raise ValueError(f"a level of {level} is no probability; give one between 0 and 1")
    return float(special.stdtrit(df, 1 - level))
