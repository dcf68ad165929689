"""How strict each look must be, when one looks several times and stops at the first finding.

One level for all looks (S. J. Pocock, "Group sequential methods in the design and analysis of
clinical trials", Biometrika 64, 1977), not from his tables, which hold for a known spread: pairs
are few and their spread is reckoned anew at each look, so the statistic is Student's t.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

from reports.gate.paired import LEAST_PAIRS, critical

_SEED = 20180415
_PATHS = 400_000
_CHUNK = 50_000

Floats = npt.NDArray[np.float64]


@cache
def nominal(looks: tuple[int, ...], error: float, family: int = 1) -> float:
    """The one-sided level of each look, at which the chance of ever rejecting is ``error``.

    Played with 400,000 seeded series of normal pairs without a change, each with its mirror
    image, so the same looks always give the same level; at an error of 5 % its own doubt is .5 %
    of it.

    Args:
        looks: pairs after which one looks, ascending.
        error: chance of a false rejection over all looks, at most .5.
        family: metrics that share the error alike. A share of the error leaves less than that
            share of the level (.0023 for one of six at the default looks, not .0029): rare
            findings of different looks coincide less.

    Raises:
        ValueError: the looks do not ascend from 2 at least, the error is no such chance, or the
            family is empty.
    """
    if not looks or list(looks) != sorted(set(looks)) or looks[0] < LEAST_PAIRS:
        raise ValueError(f"looks {looks} must ascend, from {LEAST_PAIRS} pairs at least")
    if not 0 < error <= 0.5:  # noqa: PLR2004 - above it a lower bound is no lower bound
        raise ValueError(f"an error of {error} cannot be meant; give one above 0, at most .5")
    if family < 1:
        raise ValueError(f"a family of {family} shares nothing; give 1 at least")
    if len(looks) == 1:
        return error / family
    allowed = max(1, int(error / family * 2 * _PATHS))
    return min(error / family, float(_played(looks, error)[allowed - 1]))


@cache
def _played(looks: tuple[int, ...], error: float) -> Floats:
    """The smallest p over the looks, ascending, of the paths where one may be below ``error``.

    One look alone is in ``error`` of the paths, so all looks are in no fewer.
    """
    return np.sort(
        np.concatenate(
            [
                found
                for chunk in range(_PATHS // _CHUNK)
                for found in _smallest_p(looks, error, np.random.default_rng((_SEED, chunk)))
            ]
        )
    )


def _smallest_p(looks: tuple[int, ...], error: float, rng: np.random.Generator) -> list[Floats]:
    """Of a chunk's paths, and of their mirror images."""
    total = np.zeros(_CHUNK, np.float32)
    squares = np.zeros(_CHUNK, np.float32)
    seen: list[npt.NDArray[np.float32]] = []
    for pairs in range(1, looks[-1] + 1):
        drawn = rng.standard_normal(_CHUNK, np.float32)
        total += drawn
        squares += drawn * drawn
        if pairs in looks:
            variance = (squares - total * total / pairs) / (pairs - 1)
            seen.append(total / np.sqrt(np.maximum(variance, 1e-12) * pairs))
    statistic = np.stack(seen)
    freedom = np.array(looks)[:, None] - 1
    limits = np.array([critical(pairs - 1, error) for pairs in looks], np.float32)[:, None]
    found = []
    for sided in (statistic, -statistic):
        reach = sided[:, (sided > limits * (1 - 1e-4)).any(axis=0)].astype(np.float64)
        found.append(special.stdtr(freedom, -reach).min(axis=0))
    return found
