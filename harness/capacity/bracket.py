"""Between which rates a capacity lies, and whether a SUT collapses at the upper one."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from harness.capacity.tally import Tally
from harness.record import Probe

_CERTAIN_SIGMA = 3.0
"""Counts of completed answers scatter; a cliff is a fall beyond that."""


class Bracket(NamedTuple):
    """The highest rate that held below all that failed, and the lowest that failed."""

    low_rps: float | None
    high_rps: float | None


def standing(probes: Sequence[Probe]) -> dict[float, bool]:
    """Rate -> whether it held when last decided: a confirmation overrules what it confirms."""
    decided = (p for p in probes if p.verdict != "undecided")
    return {p.offered_rps: p.verdict == "holds" for p in decided}


def bracket(probes: Sequence[Probe]) -> Bracket:
    """Between which rates the capacity lies.

    Where verdicts are not monotone, a rate that held above one that failed does not count.
    """
    rates = standing(probes)
    high = min((rate for rate, held in rates.items() if not held), default=None)
    below = (r for r, held in rates.items() if held and (high is None or r < high))
    return Bracket(max(below, default=None), high)


def contradicted(probes: Sequence[Probe]) -> tuple[float, float] | None:
    """A rate that failed and a higher one that held, where verdicts are not monotone."""
    rates = standing(probes)
    failed = min((rate for rate, held in rates.items() if not held), default=None)
    held = max((rate for rate, held in rates.items() if held), default=None)
    if failed is None or held is None or held < failed:
        return None
    return failed, held


def collapses(low: Tally, high: Tally) -> bool:
    """Whether fewer good answers came a second at the higher rate, beyond the scatter of counts.

    Both are taken for Poisson counts of one rate ``r``, that of both together, and a fall for
    real beyond ``3 sqrt(r/T + r/U)``; a probe that ended at once shows nothing.
    """
    if not (low.steady_s > 0 and high.steady_s > 0):
        return False
    fall_rps = low.completed / low.steady_s - high.completed / high.steady_s
    both_rps = (low.completed + high.completed) / (low.steady_s + high.steady_s)
    scatter_rps = sqrt(both_rps / low.steady_s + both_rps / high.steady_s)
    return fall_rps > _CERTAIN_SIGMA * scatter_rps
