"""From an interval to a word. The whole interval decides, and the bound was fixed before.

supported: the interval lies wholly beyond the bound on the side the claim says; refuted: wholly on
the other side; inconclusive: it touches the bound, or there is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reports.claims.written import Direction
from reports.estimate import LEVEL, Estimate

Word: TypeAlias = Literal["supported", "refuted", "inconclusive", "not tested"]
Side: TypeAlias = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Bound:
    """What an interval must clear, and on which side the claim says that it lies."""

    at: float
    side: Side


def bound_of_ratio(direction: Direction, margin: float) -> Bound:
    """Where a ratio must lie.

    ``higher`` is above 1 + margin, ``lower`` below 1 - margin; ``not higher`` is below 1 + margin,
    ``not lower`` above 1 - margin. So *not higher* is more than *no rise was seen*: a rise of the
    margin must be ruled out.
    """
    match direction:
        case "higher":
            return Bound(_sum(1, margin), "above")
        case "lower":
            return Bound(_sum(1, -margin), "below")
        case "not higher":
            return Bound(_sum(1, margin), "below")
        case "not lower":
            return Bound(_sum(1, -margin), "above")


def _sum(one: float, margin: float) -> float:
    """As it is written in decimals: 1 - .9 is .1, so that an exact count can meet its bound."""
    return round(one + margin, 12)


def bound_of_value(direction: Direction, value: float) -> Bound:
    """A figure in the metric's unit."""
    return Bound(value, "above" if direction in ("higher", "not lower") else "below")


def rule(bound: Bound, estimate: Estimate) -> Word:
    """Supported, refuted or inconclusive."""
    if estimate.low is None or estimate.high is None:
        return "inconclusive"
    beyond: Side | None = None
    if estimate.low > bound.at:
        beyond = "above"
    elif estimate.high < bound.at:
        beyond = "below"
    if beyond is None:
        return "inconclusive"
    return "supported" if beyond == bound.side else "refuted"


def whole(words: Iterable[Word]) -> Word:
    """A claim's word from its hypotheses': one that is refuted refutes it; all support it."""
    found = set(words)
    order: tuple[Word, ...] = ("refuted", "not tested", "inconclusive")
    return next((word for word in order if word in found), "supported")


def shared_level(hypotheses: int) -> float:
    """Two-sided level of each of a claim's intervals, so that all hold together with 95 %.

    Bonferroni's: 1 - .05 / k. It counts what is written, not what could be judged, so that no
    word changes when further evidence comes in.
    """
    return 1 - (1 - LEVEL) / hypotheses
