"""Several metrics share one chance of a false regression.

S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6, 1979. It asks nothing of how the metrics hang together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holm:
    """Where one metric stands among all.

    Attributes:
        rank: 1 is the smallest p; equal ones in the order of their names.
        level: what its p must be below: the share of one, of the metrics of this rank and after.
        rejected: whether it is, and all before it are: no change is then ruled out.
    """

    rank: int
    level: float
    rejected: bool


def holm(
    p: Mapping[str, float], error: float, share: Callable[[int], float] | None = None
) -> dict[str, Holm]:
    """Step down from the smallest p; the first that is not below its level ends it.

    Args:
        p: name -> one-sided p.
        error: chance of any false rejection.
        share: how many are left -> the level of each; absent: the error over their number. Over
            several looks it is ``looks.nominal``'s, which falls faster.
    """
    found: dict[str, Holm] = {}
    still = True
    for before, name in enumerate(sorted(p, key=lambda name: (p[name], name))):
        left = len(p) - before
        level = share(left) if share else error / left
        still = still and p[name] < level
        found[name] = Holm(before + 1, level, still)
    return found


def adjusted_p(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p values: each below an error level with all that share it taken into account.

    Args:
        p_values: None was not asked, and stays None.

    Returns:
        In the same order.
    """
    asked = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(asked):
        largest = max(largest, min(1.0, p * (len(asked) - rank)))
        adjusted[place] = largest
    return adjusted
