"""One figure of two runs as a change: a ratio, or of shares a difference."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reports.compared.welch import CannotTellError, Welch, welch
from reports.estimate import LEVEL, Estimate, Missing, Value

Kind: TypeAlias = Literal["ratio", "difference"]


@dataclass(frozen=True, slots=True)
class Change:
    """The candidate against the baseline.

    Attributes:
        shown: candidate / baseline with its interval at ``estimate.LEVEL``, or their difference;
            ``n`` counts the blocks of both sides.
        welch: on the scale that is tested: logarithms of a ratio; None where there is no
            interval, and ``shown.note`` says why.
    """

    shown: Estimate
    welch: Welch | None


def change(
    baseline: Collection[Value], candidate: Collection[Value], kind: Kind, level: float = LEVEL
) -> Change:
    """Compare a figure's values, one a trusted block of each side.

    One block that cannot carry the figure refuses it, as it does in a run's own estimate: the
    blocks that can are not a fair choice of all.
    """
    n = len(baseline) + len(candidate)
    missing = [value for value in (*baseline, *candidate) if isinstance(value, Missing)]
    if missing:
        return _none(n, missing[0].why)
    mine, theirs = ([float(v) for v in side if not isinstance(v, Missing)]
                    for side in (baseline, candidate))  # fmt: skip
    if not (mine and theirs):
        return _none(n, f"the {'candidate' if mine else 'baseline'} has no trusted trial")
    if kind == "ratio":
        if min(*mine, *theirs) <= 0:
            return _none(n, "a value is zero: no ratio")
        mine, theirs = ([math.log(v) for v in side] for side in (mine, theirs))
    point = math.fsum(theirs) / len(theirs) - math.fsum(mine) / len(mine)
    try:
        found = welch(mine, theirs)
    except CannotTellError as why:
        return Change(Estimate(_shown(point, kind), None, None, n, str(why)), None)
    low, high = (_shown(end, kind) for end in found.ends(level))
    return Change(Estimate(_shown(point, kind), low, high, n), found)


def log_margin(margin: float, kind: Kind) -> float:
    """A margin on the scale that is tested: .1 is a ratio of 1.1 or 1 / 1.1, or ten points."""
    return math.log1p(margin) if kind == "ratio" else margin


def _none(n: int, why: str) -> Change:
    return Change(Estimate(None, None, None, n, why), None)


_LARGEST = 700.0


def _shown(value: float, kind: Kind) -> float:
    return value if kind == "difference" else math.exp(max(-_LARGEST, min(value, _LARGEST)))
