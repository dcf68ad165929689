"""Seeded draws and a sine table that are the same on every machine.

Only integer draws are taken from NumPy's bit generator, whose stream NumPy promises to keep.
Scalar ``+ - * /`` are correctly rounded wherever Python runs, so they are safe too. What differs
between processors, libm's sines and NumPy's vectorised reductions, stays out.
"""

import math

import numpy as np
from numpy.random import PCG64, SeedSequence

from architectures.ensemble.types import Bytes

TURN = 5760
"""Angle steps of a whole turn: sixteenths of a degree."""

_GRID = 1 << 16
_COS = tuple(round(math.cos(2 * math.pi * k / TURN) * _GRID) / _GRID for k in range(TURN))


def cos(angle: int) -> float:
    """Cosine of an angle in sixteenths of a degree, rounded to 1/65536."""
    return _COS[angle % TURN]


def sin(angle: int) -> float:
    """Sine of an angle in sixteenths of a degree, rounded to 1/65536."""
    return _COS[(angle - TURN // 4) % TURN]


class Draws:
    """A stream of draws named by integers; equal names give equal streams everywhere."""

    def __init__(self, *name: int) -> None:
        self._bits = PCG64(SeedSequence(name))

    def below(self, count: int) -> int:
        """An integer in ``[0, count)``."""
        return (int(self._bits.random_raw()) >> 32) * count >> 32

    def integer(self, low: int, high: int) -> int:
        """An integer in ``[low, high]``."""
        return low + self.below(high - low + 1)

    def between(self, low: float, high: float) -> float:
        """A number in ``[low, high)`` on a grid of 65536 steps."""
        return low + (high - low) * (self.below(_GRID) / _GRID)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.below(_GRID) < probability * _GRID

    def octets(self, count: int) -> Bytes:
        """``count`` uniform bytes, as ``(count,)`` uint8."""
        words = self._bits.random_raw(-(-count // 8))
        return np.asarray(words).astype("<u8").view(np.uint8)[:count]
