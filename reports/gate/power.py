"""What so many pairs could have seen, and how many it would take.

The exact power of a one-sided t of n pairs: noncentral t with n - 1 degrees of freedom, its
noncentrality the true change in standard errors. On the scale where pairs are compared (the
logarithm of a ratio, or a difference) the two questions of a gate mirror each other: at a given
level, no change is passed at a margin as often as a change of the margin is called. One number
of pairs thus settles both.
"""

import math
from functools import lru_cache
from typing import Literal, TypeAlias

from scipy import special

from reports.gate.paired import LEAST_PAIRS, critical

Scale: TypeAlias = Literal["ratio", "difference"]

POWER = 0.8
_MOST = 10_000
"""Pairs beyond which nobody would play them."""


def detectable(
    n: int, spread: float, level: float, power: float = POWER, *, scale: Scale
) -> float | None:
    """The smallest true worsening that ``n`` pairs find with probability ``power``.

    Args:
        n: pairs.
        spread: standard deviation between pairs: of log ratios, or of differences.
        level: one-sided.
        power: chance of finding it.
        scale: ``ratio`` answers a ratio above 1, ``difference`` a difference above 0.

    Returns:
        None for fewer than two pairs or no spread: there is nothing to reckon with.
    """
    if n < LEAST_PAIRS or not 0 < spread < math.inf:
        return None
    change = _noncentrality(n, level, power) * spread / math.sqrt(n)
    if scale == "difference":
        return change
    return math.exp(change) if change < math.log(1e300) else None


def pairs_needed(
    spread: float, margin: float, level: float, power: float = POWER, *, scale: Scale
) -> int | None:
    """Pairs that settle it: no change passes at ``margin``, and a change of it is called.

    Each with probability ``power``. A truth in between may stay open for longer.

    Args:
        spread: standard deviation between pairs: of log ratios, or of differences.
        margin: .1 is a ratio of 1.1, or a difference of .1.
        level: one-sided, of both claims.
        power: chance of each.
        scale: which of the two.

    Returns:
        None where 10,000 pairs would not.

    Raises:
        ValueError: the margin is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"a margin of {margin} leaves nothing to find; give one above 0")
    change = math.log1p(margin) if scale == "ratio" else margin
    least, most = LEAST_PAIRS, _MOST
    if not _enough(most, change, spread, level, power):
        return None
    while least < most:
        middle = (least + most) // 2
        if _enough(middle, change, spread, level, power):
            most = middle
        else:
            least = middle + 1
    return least


def _enough(n: int, change: float, spread: float, level: float, power: float) -> bool:
    return change * math.sqrt(n) >= _noncentrality(n, level, power) * spread


@lru_cache(maxsize=65536)
def _noncentrality(n: int, level: float, power: float) -> float:
    """The true change, in standard errors, that exceeds t's critical value so often."""
    return float(special.nctdtrinc(n - 1, 1 - power, critical(n - 1, level)))
