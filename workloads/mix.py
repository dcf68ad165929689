"""Mixes by weight: in any stretch each kind has its share, in an order drawn from a seed."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt

from workloads.arrivals.exact import WORD, integers
from workloads.payloads import payload_order

GRAPHS, LABELS = 2, 3
"""Streams of words (``workloads.arrivals.exact.words``)."""


def interleaved(
    count: int, weights: Sequence[float], seed: int, stream: int
) -> npt.NDArray[np.int64]:
    """Which kind each request is of: shares exact, order random.

    The k-th request of a kind lies at a uniform place in the k-th of equal stretches, as long as
    its weight demands; the places of all kinds, sorted, are the order. Of the first n requests a
    kind has its share of n to within one of its own and one share of every other kind.

    Args:
        count: requests.
        weights: of each kind, above 0; ``0.1`` is a tenth, not the float beside it.
        seed: of the plan.
        stream: of words; each kind has one of its own below it.

    Returns:
        ``int64[count]``: positions in ``weights``. More requests only add to the end.
    """
    exact = [Fraction(repr(float(weight))) for weight in weights]
    total = sum(exact)
    scale = lcm(*(weight.numerator for weight in exact))
    places: list[tuple[int, int]] = []
    for kind, weight in enumerate(exact):
        stretch = int(scale / weight)
        most = int((count + len(exact)) * weight / total) + 2
        source = integers(seed, stream, kind)
        places += [((k * WORD + next(source)) * stretch, kind) for k in range(most)]
    places.sort()
    return np.array([kind for _, kind in places[:count]], dtype=np.int64)


def mixed_payloads(
    count: int, weights: Mapping[str, float], rows: Mapping[str, Sequence[int]], seed: int
) -> npt.NDArray[np.int32]:
    """Which payload each request sends, its kind by weight and within its kind all equally often.

    Args:
        count: requests.
        weights: of each value of a label.
        rows: the payloads of each, rows of the payload file.
        seed: of the plan.

    Returns:
        ``int32[count]``: rows of the payload file.
    """
    kinds = interleaved(count, tuple(weights.values()), seed, LABELS)
    order = np.empty(count, dtype=np.int32)
    for kind, value in enumerate(weights):
        of_kind = kinds == kind
        members = np.asarray(rows[value], dtype=np.int32)
        order[of_kind] = members[payload_order(int(of_kind.sum()), len(members), seed, kind)]
    return order
