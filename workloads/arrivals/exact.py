"""Random numbers that are the same nanosecond for nanosecond everywhere.

Only PCG64's raw 64-bit words are used, whose stream NumPy guarantees (its distributions are not),
and from there on integers: ``log`` and its kin differ in their last bit between C libraries and
vector units.
"""

from collections.abc import Iterator

import numpy as np

WORD = 1 << 64
NS = 1_000_000_000
_BLOCK = 4096


def words(seed: int, *stream: int) -> np.random.PCG64:
    """The random words of one purpose; streams of one seed are independent.

    Args:
        seed: the plan's seed.
        stream: 0 for arrivals, 1 for payload order, 2 for the order of graphs, 3 for payloads by
            label, 4 for clients' pauses; the second and third have streams of their own below.
    """
    return np.random.PCG64(np.random.SeedSequence((seed, *stream)))


def integers(seed: int, *stream: int) -> Iterator[int]:
    """Uniform integers below 2**64, without end."""
    source = words(seed, *stream)
    while True:
        yield from source.random_raw(_BLOCK).tolist()


def exponential(source: Iterator[int]) -> int:
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
            return whole * WORD + first
        whole += 1
