"""The closed list of reasons to distrust a trial, as a table."""

from harness.validity import CHECKS
from reports.reference.markdown import code, table


def reasons() -> str:
    """Code, what would have been fine, remedy; in the order in which a record lists them."""
    rows = [(code(check.code), check.threshold, check.remedy) for check in CHECKS]
    return table(("reason", "what would have been fine", "remedy"), rows)
