"""Whether a full SUT's answers carry a percentile, as correlated as they are.

A trial whose answers count for too few is refused (``few_effective_samples``), but where the SUT
was full and shed load: its throughput is what it is played for, and needs no such count. Its
percentiles do.
"""

import numpy as np
import numpy.typing as npt

from harness.steady_state import Clock, Window, levels, wandering
from harness.validity.of_window import LEAST_EFFECTIVE, effective_samples
from reports.estimate import Missing
from reports.frames import TrialFrames


def uncarried(trial: TrialFrames, ok: npt.NDArray[np.bool_], since_ns: Clock) -> Missing | None:
    """Why a trial's answers carry no percentile; None where they do.

    Args:
        trial: with requests that were shed.
        ok: ``bool[n]``: answered well, of its samples.
        since_ns: ``int64[n]``: when the response time of each begins.
    """
    order = np.argsort(since_ns, kind="stable")
    columns = (trial.samples[name].to_numpy() for name in ("intended_ns", "sent_ns", "received_ns"))
    intended_ns, sent_ns, ended_ns = (column[order] for column in columns)
    span_ns = (trial.phases.steady_ns, trial.phases.end_ns)
    good = ok[order] & (intended_ns >= span_ns[0]) & (intended_ns < span_ns[1])
    window = Window(span_ns, intended_ns, sent_ns, ended_ns, ok[order])
    if not good.any() or not wandering(levels(window)):
        return None
    effective = effective_samples(ended_ns[good] - since_ns[order][good])
    if effective >= LEAST_EFFECTIVE:
        return None
    return Missing(
        f"not carried: {int(good.sum())} answers of a full queue count as {effective:.1f}, "
        f"needs {LEAST_EFFECTIVE}"
    )
