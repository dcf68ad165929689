"""Arrival processes: when requests are meant to start, from a seed, computed before any load.

The same seed gives the same nanoseconds on every machine, processor and library version. Only
PCG64's raw 64-bit words are used, whose stream NumPy guarantees (its distributions are not), and
from there on only integers: exponential gaps come from von Neumann's comparison method, because
``log`` differs in its last bit between C libraries and vector units.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Arrivals: TypeAlias = Callable[[float, float, int], npt.NDArray[np.int64]]
"""``(rate_rps, duration_s, seed) -> int64[n]``: start offsets in ns, ascending, in
``[0, duration)``."""

_WORD = 1 << 64
_BLOCK = 4096
_NS = 1_000_000_000


class WorkloadError(ValueError):
    """An arrival process that does not exist, or that cannot be drawn with these numbers."""


def words(seed: int, stream: int) -> np.random.PCG64:
    """The random words of one purpose; streams of one seed are independent.

    Args:
        seed: the plan's seed.
        stream: 0 for arrivals, 1 for payload order.
    """
    return np.random.PCG64(np.random.SeedSequence((seed, stream)))


def constant(rate_rps: float, duration_s: float, seed: int) -> npt.NDArray[np.int64]:
    """Evenly spaced, the first at a random phase, so that seeds differ without changing the gaps.

    Offset ``i`` is ``(i + u) / rate`` for one uniform ``u`` in [0, 1).
    """
    phase = Fraction(next(_integers(seed)), _WORD)
    gap_ns = _NS / Fraction(rate_rps)
    end_ns = Fraction(duration_s) * _NS
    count = max(0, -((phase * gap_ns - end_ns) // gap_ns))
    return np.array([int((phase + i) * gap_ns) for i in range(count)], dtype=np.int64)


def poisson(rate_rps: float, duration_s: float, seed: int) -> npt.NDArray[np.int64]:
    """Independent exponential gaps of mean ``1 / rate``: many clients, each on its own."""
    source = _integers(seed)
    gap_ns = _NS / (Fraction(rate_rps) * _WORD)
    end_ns = Fraction(duration_s) * _NS
    end = end_ns / gap_ns
    offsets: list[int] = []
    elapsed = _exponential(source)
    while elapsed < end:
        offsets.append(int(elapsed * gap_ns))
        elapsed += _exponential(source)
    return np.array(offsets, dtype=np.int64)


ARRIVALS: dict[str, Arrivals] = {"constant": constant, "poisson": poisson}
"""Every arrival process by the name a scenario gives it. A new one is a row."""


def arrivals(name: str, rate_rps: float, duration_s: float, seed: int) -> npt.NDArray[np.int64]:
    """Draw start offsets of the named process.

    Returns:
        ``int64[n]``: nanoseconds after the common start, ascending, in ``[0, duration_s)``.

    Raises:
        WorkloadError: no such process, or a rate or duration that is not a positive number.
    """
    if name not in ARRIVALS:
        near = get_close_matches(name, ARRIVALS, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise WorkloadError(
            f"no arrival process is called {name!r}; {meant}choose from {', '.join(ARRIVALS)}"
        )
    for key, value in (("rate_rps", rate_rps), ("duration_s", duration_s)):
        if not 0 < value < float("inf"):
            raise WorkloadError(f"{key} = {value} is not a positive number; give one above 0")
    return ARRIVALS[name](rate_rps, duration_s, seed)


def _integers(seed: int) -> Iterator[int]:
    source = words(seed, stream=0)
    while True:
        yield from source.random_raw(_BLOCK).tolist()


def _exponential(source: Iterator[int]) -> int:
    """One standard exponential deviate, in units of 2**-64.

    Von Neumann (1951): a uniform ``u`` followed by a falling run of uniforms of odd length in all
    is accepted with probability ``exp(-u)``; each rejection adds one to the whole part.
    """
    whole = 0
    while True:
        first = previous = next(source)
        length = 1
        while (current := next(source)) < previous:
            previous = current
            length += 1
        if length % 2:
            return whole * _WORD + first
        whole += 1
