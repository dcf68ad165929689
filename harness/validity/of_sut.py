"""Doubts about the SUT: not what it costs, but whether it did what was asked within its budget."""

import numpy as np

from harness.validity.check import Check
from harness.validity.evidence import SHED, Evidence
from workloads.sample import Outcome


def _answers_differ(evidence: Evidence) -> str | None:
    seen = evidence.verification
    if not seen.before_different + seen.under_load_different:
        return None
    return (
        f"{seen.before_different} of {seen.before} before and {seen.under_load_different} of "
        f"{seen.under_load} under load; first: {seen.first_difference}"
    )


def _errors(evidence: Evidence) -> str | None:
    """Until something is done to it: what a SUT then makes of its requests is a finding."""
    status, outcome = evidence.undisturbed["status"], evidence.undisturbed["outcome"]
    failed = outcome == Outcome.HTTP_ERROR
    counts = {f"HTTP {s}": int((status[failed] == s).sum()) for s in np.unique(status[failed])}
    counts.pop(f"HTTP {SHED}", None)
    counts["timed out"] = int((outcome == Outcome.TIMED_OUT).sum())
    counts["connection errors"] = int((outcome == Outcome.CONNECTION_ERROR).sum())
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number) or None


def _memory_over_budget(evidence: Evidence) -> str | None:
    if evidence.pss_bytes is None or evidence.pss_bytes <= evidence.memory_bytes:
        return None
    return f"{evidence.pss_bytes / 2**30:.2f} of {evidence.memory_bytes / 2**30:.2f} GiB"


def _component_died(evidence: Evidence) -> str | None:
    return "; ".join(evidence.exits) or None


def _event_failed(evidence: Evidence) -> str | None:
    failed = [event for event in evidence.events if event.error]
    if not failed:
        return None
    first = failed[0]
    return (
        f"{len(failed)} of {len(evidence.events)}; first: {first.action} to {first.to}: "
        f"{str(first.error).splitlines()[0]}"
    )


CHECKS = (
    Check(
        "answers_differ",
        "every answer checked equals the in-process reference",
        "a fast wrong answer is no answer: mend the architecture",
        _answers_differ,
    ),
    Check(
        "errors",
        "no failure but 503, by which a full SUT sheds load, before the first event",
        "read the component's log beside this record",
        _errors,
    ),
    Check(
        "memory_over_budget",
        "PSS of all components within budget.memory_gib",
        "raise budget.memory_gib for all, or run fewer processes",
        _memory_over_budget,
    ),
    Check(
        "component_died",
        "every component alive at the end",
        "read the component's log beside this record",
        _component_died,
    ),
    Check(
        "event_failed",
        "every event of the scenario done, and answered 2xx",
        "read the event's answer in the record, and mend the scenario or the SUT",
        _event_failed,
    ),
)
