"""The same question without assuming normal pairs: signs flipped, nothing else.

Under no change each pair's change could as well have had the other sign. The exact test counts
the sign patterns whose sum is no smaller than the one seen; that is the number of subsets of
pairs whose mean is at most 0 (J. A. Hartigan, "Using subsample values as typical values", Journal
of the American Statistical Association 64, 1969), so the sorted subset means are the test's
bounds at every level at once. The estimate is Hodges and Lehmann's median of pairwise means.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.gate.paired import LEAST_PAIRS
from reports.gate.power import Scale

Floats = npt.NDArray[np.float64]

_EXACT = 16
"""Pairs up to which every pattern is counted; beyond it, as many patterns are drawn by a seed."""

_SEED = 19690301


@dataclass(frozen=True, slots=True, eq=False)
class SignFlips:
    """A ``contrast.Contrast`` that leans on no distribution.

    Attributes:
        changes: one a pair: log ratios or differences, above 0 being worse.
        means: of the subsets of pairs but the empty one, ascending.
        scale: whether figures are given as ratios.
        n: pairs.
    """

    changes: Floats
    means: Floats
    scale: Scale
    n: int

    @property
    def none(self) -> float:
        """No change."""
        return 1.0 if self.scale == "ratio" else 0.0

    @property
    def estimate(self) -> float:
        """Median of the means of all two pairs, each with itself too."""
        first, second = np.triu_indices(self.n)
        return self._shown(float(np.median(self.changes[first] + self.changes[second])) / 2)

    @property
    def spread(self) -> float:
        """Standard deviation between pairs, as the t interval has it."""
        return float(np.std(self.changes, ddof=1))

    @property
    def p(self) -> float:
        """One-sided, that the candidate is not worse; never below one pattern's share."""
        at_most = int(np.searchsorted(self.means, 0.0, side="right"))
        return (1 + at_most) / (1 + len(self.means))

    def low(self, level: float) -> float:
        """The lower bound; nothing (0, or minus infinity) where pairs are too few for the level."""
        place = self._place(level)
        return self._shown(float(self.means[place - 1]) if place else -math.inf)

    def high(self, level: float) -> float:
        """The upper bound; infinite where pairs are too few for the level."""
        place = self._place(level)
        return self._shown(float(self.means[-place]) if place else math.inf)

    def _place(self, level: float) -> int:
        """The most patterns whose share is below the level."""
        return math.ceil(level * (1 + len(self.means))) - 1

    def _shown(self, change: float) -> float:
        if self.scale == "difference":
            return change
        with np.errstate(over="ignore"):
            return float(np.exp(change))


def robust(changes: Sequence[float], scale: Scale) -> SignFlips:
    """Take one change a pair (``Effect.logs.changes``, ``Difference.shares.changes``).

    Raises:
        ValueError: there are fewer than two.
    """
    if len(changes) < LEAST_PAIRS:
        raise ValueError(f"{len(changes)} pairs say nothing; play {LEAST_PAIRS} at least")
    values = np.asarray(changes, dtype=np.float64)
    means = _all_means(values) if len(values) <= _EXACT else _drawn_means(values)
    return SignFlips(values, np.sort(means), scale, len(values))


def _all_means(values: Floats) -> Floats:
    """Of every subset but the empty one; each pair doubles the list."""
    sums, sizes = np.zeros(1), np.zeros(1)
    for value in values:
        sums = np.concatenate((sums, sums + value))
        sizes = np.concatenate((sizes, sizes + 1))
    return sums[1:] / sizes[1:]


def _drawn_means(values: Floats) -> Floats:
    """Of 65,535 random subsets: the test stays valid, as the pattern seen is counted too."""
    rng = np.random.default_rng(_SEED)
    inside = rng.integers(0, 2, (2**_EXACT - 1, len(values))).astype(np.float64)
    sizes = inside.sum(axis=1)
    # An empty subset counts as a pattern no smaller than the one seen: it is the one seen.
    return np.where(sizes > 0, inside @ values / np.maximum(sizes, 1), -math.inf)
