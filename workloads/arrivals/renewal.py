"""Arrivals at one rate: gaps that are all equal, or drawn independently from one law."""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from workloads.arrivals.exact import NS, WORD, exponential, integers

_ARITHMETIC = Context(prec=24, rounding=ROUND_HALF_EVEN)
"""``decimal`` rounds its four operations, ``sqrt``, ``exp`` and ``ln`` correctly, so their digits
are the same everywhere; 24 of them are more than a word has."""


def constant(rate_rps: float, duration_s: float, seed: int) -> npt.NDArray[np.int64]:
    """Evenly spaced, the first at a random phase, so that seeds differ without changing the gaps.

    Offset ``i`` is ``(i + u) / rate`` for one uniform ``u`` in [0, 1).
    """
    phase = Fraction(next(integers(seed, 0)), WORD)
    gap_ns = NS / Fraction(rate_rps)
    end_ns = Fraction(duration_s) * NS
    count = max(0, -((phase * gap_ns - end_ns) // gap_ns))
    return np.array([int((phase + i) * gap_ns) for i in range(count)], dtype=np.int64)


def poisson(rate_rps: float, duration_s: float, seed: int) -> npt.NDArray[np.int64]:
    """Independent exponential gaps of mean ``1 / rate``: many clients, each on its own."""
    source = integers(seed, 0)
    return _spaced(rate_rps, duration_s, iter(lambda: exponential(source), None))


def gamma(rate_rps: float, duration_s: float, seed: int, cv: float) -> npt.NDArray[np.int64]:
    """Independent gamma gaps of mean ``1 / rate`` and coefficient of variation ``cv``.

    Gaps are ``Gamma(k) / k`` times ``1 / rate`` with ``k = 1 / cv**2``. The first is what is left
    of a gap met at a random moment, a uniform share of ``Gamma(k + 1) / k`` (Cox 1962, renewal
    theory), so that the rate is the same from the start on; a whole first gap would begin every
    trial of bursty arrivals with a burst.
    """
    source = integers(seed, 0)
    with localcontext(_ARITHMETIC):
        gaps = _gamma_gaps(1 / (Decimal(cv) * Decimal(cv)), source)
        return _spaced(rate_rps, duration_s, gaps)


def _spaced(rate_rps: float, duration_s: float, gaps: Iterator[int]) -> npt.NDArray[np.int64]:
    """Add up gaps of mean 2**64 and scale them to the rate."""
    gap_ns = NS / (Fraction(rate_rps) * WORD)
    end = Fraction(duration_s) * NS / gap_ns
    offsets: list[int] = []
    elapsed = next(gaps)
    while elapsed < end:
        offsets.append(int(elapsed * gap_ns))
        elapsed += next(gaps)
    return np.array(offsets, dtype=np.int64)


def _gamma_gaps(shape: Decimal, source: Iterator[int]) -> Iterator[int]:
    scale = WORD / shape
    share = Decimal(next(source)) / WORD
    yield int(share * _gamma_above_one(shape + 1, source) * scale)
    while True:
        yield int(_gamma(shape, source) * scale)


def _gamma(shape: Decimal, source: Iterator[int]) -> Decimal:
    """One standard gamma deviate; below shape 1 from one above it, Marsaglia & Tsang (2000) §6.

    Their ``u ** (1 / shape)`` is ``exp(-e / shape)`` for an exponential ``e``: no logarithm.
    """
    if shape >= 1:
        return _gamma_above_one(shape, source)
    shrunk = (-Decimal(exponential(source)) / WORD / shape).exp()
    return _gamma_above_one(shape + 1, source) * shrunk


def _gamma_above_one(shape: Decimal, source: Iterator[int]) -> Decimal:
    """One standard gamma deviate of shape 1 or more: Marsaglia & Tsang (2000)."""
    d = shape - Decimal(1) / 3
    c = 1 / (9 * d).sqrt()
    while True:
        x = _normal(source)
        root = 1 + c * x
        u = Decimal(next(source)) / WORD
        if root <= 0:
            continue
        v, square = root * root * root, x * x
        if u < 1 - Decimal("0.0331") * square * square:
            return d * v
        if u.ln() < square / 2 + d * (1 - v + v.ln()):
            return d * v


def _normal(source: Iterator[int]) -> Decimal:
    """One standard normal deviate by Marsaglia's polar method.

    The method's ``-ln(s)`` is a standard exponential that is independent of the angle; drawing it
    by itself spares the logarithm.
    """
    while True:
        x, y = 2 * next(source) + 1 - WORD, 2 * next(source) + 1 - WORD
        square = x * x + y * y
        if square < WORD * WORD:
            return x * (Decimal(2 * exponential(source)) / WORD / square).sqrt()
