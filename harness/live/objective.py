"""Whether an attempt keeps the objective, while it is played: LoadGen's rule on what has ended."""

from typing import Literal, TypeAlias

from harness.capacity.early_stopping import NONE, allowed, refuted
from harness.capacity.verdict import Objective
from harness.drive import Counts

State: TypeAlias = Literal["kept", "missed", "too early to tell"]


def state(objective: Objective, counts: Counts) -> State:
    """What the requests that have ended say, each way only where the rule is sure.

    The same two questions as of a capacity search's probe (``harness.capacity.verdict``), asked of
    a trial that has not ended: later requests may still change the answer.
    """
    if counts.missed == 0 and counts.ended == 0:
        return "too early to tell"
    seen = max(counts.ended, counts.missed)  # an overdue request is missed before it has ended
    forgiven = allowed(objective.percentile, seen, objective.confidence)
    if forgiven != NONE and counts.missed <= forgiven:
        return "kept"
    if refuted(objective.percentile, seen, counts.missed, objective.confidence):
        return "missed"
    return "too early to tell"


def within(counts: Counts) -> float | None:
    """The share of ended requests that were answered well and in time; None before the first."""
    seen = max(counts.ended, counts.missed)
    return None if seen == 0 else 1 - counts.missed / seen
