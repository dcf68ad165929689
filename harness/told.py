"""One trial in one line, as it ends: what was asked, what came, and whether to believe it."""

import numpy as np

from harness.outcome import Seen, see
from harness.record import TrialRecord
from harness.run_directory import RunDirectory
from harness.validity import samples_needed

_TOLD = (50, 95)


def told(directory: RunDirectory, trial: TrialRecord, response_limit_s: float) -> str:
    """A trial in one line; of one that cannot be trusted, what it showed and why not.

    Args:
        directory: of the run; the trial's samples lie there.
        trial: as recorded.
        response_limit_s: of the objective.
    """
    place = trial.place
    asked = (
        f"{trial.offered_rps:.4g} rps offered"
        if trial.concurrency is None
        else f"{trial.concurrency} at once"
    )
    head = f"block {place.block + 1}  {place.sut}  {asked}: "
    if trial.outcome == "failed":
        return f"{head}failed: {trial.error}"
    doubts = "; ".join(f"{reason.code} ({reason.seen})" for reason in trial.reasons)
    shown = _shown(see(directory, trial, response_limit_s))
    return head + shown + (f"; not to be trusted: {doubts}" if doubts else "")


def _shown(seen: Seen) -> str:
    """Rates and response times of good answers; a percentile only where samples carry it."""
    if seen.steady_s <= 0:
        return "ended before its steady state"
    rates = f"{seen.completed / seen.steady_s:.1f} rps answered"
    if seen.in_time < seen.completed:
        rates += f", {seen.in_time / seen.steady_s:.1f} in time"
    carried = [p for p in _TOLD if len(seen.response_s) >= samples_needed(p)]
    times = [f"p{p} {np.percentile(seen.response_s, p) * 1e3:.1f} ms" for p in carried]
    return ", ".join([rates, *times])
