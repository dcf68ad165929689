"""Arrivals whose rate varies: Poisson arrivals on a clock that runs as fast as the rate.

A profile is a course of multiples of ``rate_rps``, straight between nodes. Its clock starts with
the trial: warm-up first, then steady state, without a break. Arrivals of a unit Poisson process are
mapped back through the integral of the rate (Cinlar 1975, time rescaling), in integers throughout;
where every multiple is 1 they are those of ``poisson`` to the nanosecond.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import count, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from workloads.arrivals.exact import NS, WORD, exponential, integers

Segment: TypeAlias = tuple[int, int, int, int]
"""Start and end in ns; the multiple at both, in millionths."""

_ONE = 1_000_000
_FOR_EVER_NS = 1 << 62

_PIECES = 48
# Rounded to where no C library's last bit can matter.
_SINE = [round(math.sin(2 * math.pi * piece / _PIECES) * _ONE) for piece in range(_PIECES + 1)]


def burst(
    rate_rps: float,
    duration_s: float,
    seed: int,
    *,
    factor: float,
    every_s: float,
    length_s: float,
) -> npt.NDArray[np.int64]:
    """``factor`` times the rate in the last ``length_s`` of every ``every_s``, else the rate."""

    def segments() -> Iterator[Segment]:
        period_ns, length_ns, high = _ns(every_s), _ns(length_s), _millionths(factor)
        for end_ns in count(period_ns, period_ns):
            yield end_ns - period_ns, end_ns - length_ns, _ONE, _ONE
            yield end_ns - length_ns, end_ns, high, high

    return _rescaled(rate_rps, duration_s, seed, segments())


def ramp(rate_rps: float, duration_s: float, seed: int, **ends: float) -> npt.NDArray[np.int64]:
    """From ``from`` to ``to`` times the rate in a straight line over the whole trial."""
    line = (0, _ns(duration_s), _millionths(ends["from"]), _millionths(ends["to"]))
    return _rescaled(rate_rps, duration_s, seed, iter([line]))


def step(
    rate_rps: float, duration_s: float, seed: int, *, levels: list[list[float]]
) -> npt.NDArray[np.int64]:
    """Each ``[seconds, multiple]`` of the rate in turn; the last level stays."""

    def segments() -> Iterator[Segment]:
        start_ns = 0
        for length_s, multiple in levels:
            level = _millionths(multiple)
            yield start_ns, start_ns + _ns(length_s), level, level
            start_ns += _ns(length_s)
        last = _millionths(levels[-1][1])
        yield start_ns, _FOR_EVER_NS, last, last

    return _rescaled(rate_rps, duration_s, seed, segments())


def diurnal(
    rate_rps: float, duration_s: float, seed: int, *, swing: float, period_s: float
) -> npt.NDArray[np.int64]:
    """``1 + swing * sin(2 pi t / period_s)`` times the rate, in 48 straight pieces a period.

    The mean over whole periods is the rate itself.
    """
    nodes = [_millionths(1 + Fraction(swing) * Fraction(sine, _ONE)) for sine in _SINE]

    def segments() -> Iterator[Segment]:
        period_ns = _ns(period_s)
        for start_ns in count(0, period_ns):
            times = [start_ns + period_ns * piece // _PIECES for piece in range(_PIECES + 1)]
            for (begin, end), (first, last) in zip(pairwise(times), pairwise(nodes), strict=True):
                yield begin, end, first, last

    return _rescaled(rate_rps, duration_s, seed, segments())


def _rescaled(
    rate_rps: float, duration_s: float, seed: int, segments: Iterator[Segment]
) -> npt.NDArray[np.int64]:
    """Unit exponential gaps laid along the integral of the rate."""
    source = integers(seed, 0)
    # Areas are doubled integrals of a multiple over time, so that trapezia are whole numbers.
    area = Fraction(2 * NS * _ONE, WORD) / Fraction(rate_rps)
    end_ns = Fraction(duration_s) * NS
    offsets: list[int] = []
    before = 0
    at = exponential(source)
    for start_ns, stop_ns, first, last in segments:
        if start_ns >= end_ns:
            break
        whole = (first + last) * (stop_ns - start_ns)
        while (inside := at * area.numerator // area.denominator - before) < whole:
            offset_ns = start_ns + _into(inside, stop_ns - start_ns, first, last)
            if offset_ns >= end_ns:
                break
            offsets.append(offset_ns)
            at += exponential(source)
        before += whole
    return np.array(offsets, dtype=np.int64)


def _into(area: int, length_ns: int, first: int, last: int) -> int:
    """How far into a segment the doubled integral reaches ``area``: a linear or quadratic root."""
    slope = last - first
    if not slope:
        return area // (2 * first)
    level = first * length_ns
    root = math.isqrt(level * level + slope * area * length_ns)
    return (root - level) // slope if slope > 0 else (level - root) // -slope


def _ns(seconds: float) -> int:
    return round(Fraction(seconds) * NS)


def _millionths(multiple: float | Fraction) -> int:
    return round(Fraction(multiple) * _ONE)
