"""Whether a probe's objective holds: LoadGen's rule, the share of errors, the trial's doubts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from harness.capacity.early_stopping import NONE, allowed, needed, refuted
from harness.capacity.tally import Tally
from harness.drive import Counts
from harness.record import TrialRecord, Verdict
from harness.scenario import Scenario

UNSTEADY = "no_steady_state"

OF_A_FULL_SUT = frozenset(
    {
        "dropped",
        "errors",
        "few_effective_samples",
        "memory_over_budget",
        "too_few_samples",
        UNSTEADY,
    }
)
"""Reasons that a SUT beyond its capacity gives a trial by itself: they excuse no failure."""

COUNTED_BY_THE_RULE = frozenset({"too_few_samples"})
"""Reasons that the rule answers itself, more exactly."""

Judged: TypeAlias = tuple[Verdict, str]


@dataclass(frozen=True)
class Objective:
    """A scenario's objective, and how surely a probe has to show it.

    Attributes:
        percentile: of response times, in percent.
        response_time_s: its bound, from the intended start.
        error_ratio: share of requests that may fail.
        confidence: of LoadGen's rule.
    """

    percentile: float
    response_time_s: float
    error_ratio: float
    confidence: float

    @classmethod
    def of(cls, scenario: Scenario) -> "Objective":
        """That of a scenario with a section [capacity]."""
        slo, capacity = scenario.slo, scenario.capacity
        confidence = capacity.confidence if capacity else 0.99
        return cls(slo.percentile, slo.response_time_s, slo.error_ratio, confidence)

    def needed(self, misses: int = 0) -> int:
        """Requests that carry the percentile in spite of so many misses."""
        return needed(self.percentile, misses, self.confidence)

    def allowed(self, planned: int) -> int:
        """Misses that so many requests forgive; below 0 where they carry nothing."""
        return allowed(self.percentile, planned, self.confidence)

    @cached_property
    def words(self) -> str:
        """For example ``p99 <= 200 ms``."""
        return f"p{self.percentile:g} <= {self.response_time_s * 1e3:g} ms"


def hopeless(objective: Objective, planned: int) -> Callable[[Counts], str | None]:
    """Ends a probe once its misses exceed what its whole plan could forgive.

    Args:
        objective: judged by.
        planned: requests of the plan's steady state.
    """
    forgiven = objective.allowed(planned)

    def ended(counts: Counts) -> str | None:
        if counts.missed <= forgiven or forgiven == NONE:
            return None
        return (
            f"hopeless: {counts.missed} requests missed {objective.words}, "
            f"and the {planned} of the plan forgive {forgiven}"
        )

    return ended


def judge(objective: Objective, record: TrialRecord, seen: Tally) -> Judged:
    """One probe's verdict, and why.

    ``holds`` and ``fails`` are LoadGen's VALID and INVALID: a rate fails where the rule does not
    grant it. A plan too short for the rule decides only where its misses refute the percentile.
    Failed requests are missed ones too; beside that, their observed share must keep to
    ``error_ratio``. A rate at which response times only rise fails as well: it is not carried, it
    has merely not missed enough yet.
    """
    if record.outcome == "failed":
        return "undecided", record.error or "it could not be played"
    failing = _failing(objective, seen) or _rising(record, seen)
    doubts = _doubts(record, OF_A_FULL_SUT if failing else COUNTED_BY_THE_RULE)
    if doubts:
        return "undecided", f"not to be trusted: {doubts}"
    if failing:
        return "fails", failing
    return _holding(objective, record, seen)


def _failing(objective: Objective, seen: Tally) -> str | None:
    forgiven = objective.allowed(seen.whole)
    rule = f"{seen.missed} of {seen.planned} requests missed {objective.words}"
    if seen.failed > objective.error_ratio * seen.whole:
        return f"{seen.failed} of {seen.planned} requests failed: more than slo.error_ratio"
    if forgiven != NONE:
        return f"{rule}; {seen.whole} forgive {forgiven}" if seen.missed > forgiven else None
    if refuted(objective.percentile, seen.whole, seen.missed, objective.confidence):
        return f"{rule}: too many for so few"
    return None


def _rising(record: TrialRecord, seen: Tally) -> str | None:
    drift = [reason.seen for reason in record.reasons if reason.code == UNSTEADY]
    return f"not carried for long: {drift[0]}" if drift and seen.rising else None


def _holding(objective: Objective, record: TrialRecord, seen: Tally) -> Judged:
    forgiven = objective.allowed(seen.whole)
    if record.ended_early:
        return "undecided", f"ended early: {record.ended_early}"
    if forgiven == NONE:
        return "undecided", (
            f"{seen.whole} requests cannot carry p{objective.percentile:g}, which needs "
            f"{objective.needed()}: raise capacity.most_probe_s, or lower slo.percentile"
        )
    rule = f"{seen.missed} of {seen.planned} requests missed {objective.words}"
    return "holds", f"{rule}; {seen.whole} forgive {forgiven}"


def _doubts(record: TrialRecord, excused: frozenset[str]) -> str:
    return "; ".join(f"{r.code} ({r.seen})" for r in record.reasons if r.code not in excused)
