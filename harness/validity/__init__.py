"""The closed list of reasons to distrust a trial, each with its remedy.

Pure functions of what was recorded. A reason is a row of :data:`CHECKS`; a trial that has one is
shown, but never averaged in and never gated on. Saturation is none: a SUT that sheds load it
cannot carry is a finding, a generator that does not send it is a fault. ``docs/validity.md`` holds
the list and says why each threshold lies where it does.
"""

from harness.record import Reason
from harness.validity import of_generator, of_host, of_sut, of_window
from harness.validity.check import Check
from harness.validity.evidence import Evidence, samples_needed

__all__ = ["CHECKS", "Check", "Evidence", "reasons", "samples_needed"]

CHECKS = (*of_generator.CHECKS, *of_window.CHECKS, *of_sut.CHECKS, *of_host.CHECKS)
"""Every reason there is, in the order in which a record lists them."""


def reasons(evidence: Evidence) -> tuple[Reason, ...]:
    """Every reason to distrust a trial, in the order of :data:`CHECKS`."""
    return tuple(
        Reason(code=check.code, seen=seen, threshold=check.threshold, remedy=check.remedy)
        for check in CHECKS
        if (seen := check.find(evidence)) is not None
    )
