"""Doubts about the SUT: not what it costs, but whether it did what was asked within its budget."""

import numpy as np

from harness.validity.check import Check
from harness.validity.evidence import Evidence
from workloads.sample import Outcome

_SHED = 503


def _answers_differ(evidence: Evidence) -> str | None:
    seen = evidence.verification
    if not seen.before_different + seen.under_load_different:
        return None
    return (
        f"{seen.before_different} of {seen.before} before and {seen.under_load_different} of "
        f"{seen.under_load} under load; first: {seen.first_difference}"
    )


def _errors(evidence: Evidence) -> str | None:
    status = evidence.steady["status"]
    failed = evidence.steady["outcome"] == Outcome.HTTP_ERROR
    counts = {f"HTTP {s}": int((status[failed] == s).sum()) for s in np.unique(status[failed])}
    counts.pop(f"HTTP {_SHED}", None)
    counts["timed out"] = evidence.count(Outcome.TIMED_OUT)
    counts["connection errors"] = evidence.count(Outcome.CONNECTION_ERROR)
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number) or None


def _memory_over_budget(evidence: Evidence) -> str | None:
    if evidence.pss_bytes is None or evidence.pss_bytes <= evidence.memory_bytes:
        return None
    return f"{evidence.pss_bytes / 2**30:.2f} of {evidence.memory_bytes / 2**30:.2f} GiB"


def _component_died(evidence: Evidence) -> str | None:
    return "; ".join(evidence.exits) or None


CHECKS = (
    Check(
        "answers_differ",
        "every answer checked equals the in-process reference",
        "a fast wrong answer is no answer: mend the architecture",
        _answers_differ,
    ),
    Check(
        "errors",
        "no failure but 503, by which a full SUT sheds load",
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
)
