"""Where a capacity search goes next: a pure function of what its probes have said so far.

Doubling from a first rate until one fails; bisection until the bracket is narrow; its upper end
once more, of other arrivals; then a separate trial, of others again, at the rate that was found.
LoadGen's own search (FindPeakPerformance) leaves out the early stopping that its verdict rests on,
so that the rate it finds may fail; here every probe is judged as the confirmation is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import sqrt

from harness.capacity.bracket import Bracket, bracket, contradicted, standing
from harness.record import Probe, Role
from harness.schedule import MOST_PROBES

HALVINGS = 6
"""How often the first rate is halved where it fails: down to a 64th of it."""

UNDECIDED = 3
"""How many probes in a row, all at one rate, may be undecided: machines are disturbed in spells."""

STEPS_DOWN = 3
"""How often a rate that fails its confirmation is lowered by one precision."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a search may go.

    Attributes:
        start_rps: the first rate.
        most_rps: never beyond.
        precision: the bracket is narrow enough where ``high <= low * (1 + precision)``.
    """

    start_rps: float
    most_rps: float
    precision: float


@dataclass(frozen=True, slots=True)
class Ask:
    """The next probe."""

    offered_rps: float
    role: Role


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search.

    Attributes:
        confirmed_by: the number of the probe that confirmed the capacity.
        why: in words.
    """

    bracket: Bracket
    capacity_rps: float | None
    confirmed_by: int | None
    why: str


def next_move(limits: Limits, probes: Sequence[Probe]) -> Ask | Found:
    """The next probe, or what has been found.

    Args:
        limits: of the search.
        probes: so far, in the order they were played.
    """
    if len(probes) >= MOST_PROBES:
        return given_up(probes, f"{MOST_PROBES} probes were not enough: raise capacity.precision")
    if probes and probes[-1].verdict == "undecided":
        return _again(probes)
    confirmations = [p for p in probes if p.role == "confirmation" and p.verdict != "undecided"]
    if confirmations:
        return _after_confirmation(limits, probes, confirmations)
    return _widen_or_narrow(limits, probes)


def given_up(probes: Sequence[Probe], why: str) -> Found:
    """The end of a search that found nothing to rely on."""
    return Found(bracket(probes), None, None, why)


def _again(probes: Sequence[Probe]) -> Ask | Found:
    """What disturbed one probe may have gone; what disturbs every one has to be mended."""
    last = probes[-1]
    in_a_row = takewhile(lambda probe: probe.verdict == "undecided", reversed(probes))
    if sum(1 for _ in in_a_row) < UNDECIDED:
        return Ask(last.offered_rps, last.role)
    why = f"undecided {UNDECIDED} times in a row at {last.offered_rps:g} rps: {last.why}"
    return given_up(probes, why)


def _widen_or_narrow(limits: Limits, probes: Sequence[Probe]) -> Ask | Found:
    low, high = bracket(probes)
    if low is None:
        return _lower(limits, high, len(standing(probes)))
    if high is None:
        if low >= limits.most_rps:
            return Ask(low, "confirmation")
        return Ask(min(rounded(2 * low), limits.most_rps), "doubling")
    middle = rounded(sqrt(low * high))
    if high <= low * (1 + limits.precision) or not low < middle < high:
        return _settle(probes, low, high)
    return Ask(middle, "bisection")


def _settle(probes: Sequence[Probe], low: float, high: float) -> Ask:
    """The bracket's upper end must fail twice before its lower one is confirmed.

    A second in which the machine stood still fails a rate, and the search stays below it for good.
    What held by luck the confirmation finds; what failed by mishap nothing else would.
    """
    failed = [p for p in probes if p.offered_rps == high and p.verdict == "fails"]
    return Ask(high, "repetition") if len(failed) == 1 else Ask(low, "confirmation")


def _lower(limits: Limits, high: float | None, failed: int) -> Ask | Found:
    if high is None:
        return Ask(min(limits.start_rps, limits.most_rps), "doubling")
    if failed <= HALVINGS:
        return Ask(rounded(high / 2), "doubling")
    why = f"even {high:g} rps fails: lower capacity.start, or see whether the SUT is well"
    return Found(Bracket(None, high), None, None, why)


def _after_confirmation(
    limits: Limits, probes: Sequence[Probe], confirmations: Sequence[Probe]
) -> Ask | Found:
    last, first = confirmations[-1], confirmations[0]
    down = len(confirmations) - 1
    if last.verdict == "holds":
        why = _confirmed(limits, last.offered_rps, first.offered_rps, down) + _contrary(probes)
        return Found(bracket(probes), last.offered_rps, last.place.probe, why)
    if down < STEPS_DOWN:
        return Ask(rounded(last.offered_rps / (1 + limits.precision)), "confirmation")
    why = (
        f"no rate from {first.offered_rps:g} down to {last.offered_rps:g} rps held a second time: "
        "the SUT or the machine is unsteady there; give probes longer (capacity.probe_s)"
    )
    return given_up(probes, why)


def _confirmed(limits: Limits, confirmed_rps: float, found_rps: float, down: int) -> str:
    why = f"a separate trial confirmed {confirmed_rps:g} rps"
    if down:
        why += f", {down} of at most {STEPS_DOWN} steps down: {found_rps:g} rps held only once"
    if confirmed_rps >= limits.most_rps:
        why += "; it may carry more: capacity.most was reached before a rate failed"
    return why


def _contrary(probes: Sequence[Probe]) -> str:
    contrary = contradicted(probes)
    if contrary is None:
        return ""
    failed, held = contrary
    return f"; verdicts contradict each other: {failed:g} rps failed and {held:g} rps held"


def rounded(rate_rps: float) -> float:
    """Four digits, as rates are written elsewhere."""
    return float(f"{rate_rps:.4g}")
