"""What a probe's samples say about the objective: counts, and the share that decides."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.record import Phases
from workloads.sample import Outcome

Clock: TypeAlias = npt.NDArray[np.int64]

RISE = 1.25
"""Where a queue grows from nothing, requests wait three times as long in the second half as in the
first; machines by themselves wander by less than this."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A probe's steady state in counts.

    Attributes:
        whole: requests its plan has there.
        planned: those of them that were offered before it ended.
        missed: those answered later than the objective's response time, or not at all.
        failed: those without an OK answer.
        completed: good answers that came within it, whenever they were asked for.
        steady_s: its length.
        rising: good answers to its second half took longer than those to its first: the median
            by :data:`RISE`.
    """

    whole: int = 0
    planned: int = 0
    missed: int = 0
    failed: int = 0
    completed: int = 0
    steady_s: float = 0.0
    rising: bool = False


def tally(samples: pa.Table, phases: Phases, whole: int, response_limit_s: float) -> Tally:
    """Count a probe's samples.

    A request that was still unanswered when the trial ended, and not late by then, has missed
    nothing yet: it is neither missed nor failed. Only a trial that ended early has such requests.

    Args:
        samples: rows of ``workloads.sample.SCHEMA``.
        phases: of the trial.
        whole: requests the plan has in the steady state.
        response_limit_s: the objective's, from the intended start.
    """
    intended, received, outcome = (
        samples[name].to_numpy().astype(np.int64)
        for name in ("intended_ns", "received_ns", "outcome")
    )
    good = outcome == Outcome.OK
    open_ = _open(intended, outcome, phases, response_limit_s)
    late = good & (received - intended > response_limit_s * 1e9)
    inside = (intended >= phases.steady_ns) & (intended < phases.end_ns)
    completed = good & (received >= phases.steady_ns) & (received < phases.end_ns)
    failed = inside & ~good & ~open_
    return Tally(
        whole=whole,
        planned=int(inside.sum()),
        missed=int((failed | (inside & late)).sum()),
        failed=int(failed.sum()),
        completed=int(completed.sum()),
        steady_s=(phases.end_ns - phases.steady_ns) / 1e9,
        rising=_rising(intended[inside & good], received[inside & good], phases),
    )


def _rising(intended_ns: Clock, received_ns: Clock, phases: Phases) -> bool:
    response_ns = received_ns - intended_ns
    second = intended_ns >= (phases.steady_ns + phases.end_ns) // 2
    if not second.any() or second.all():
        return False
    return bool(np.median(response_ns[second]) > RISE * np.median(response_ns[~second]))


def _open(
    intended_ns: Clock, outcome: Clock, phases: Phases, response_limit_s: float
) -> npt.NDArray[np.bool_]:
    """Requests given up so early that an answer could still have come in time."""
    waited_ns = phases.drained_ns - intended_ns
    return np.equal(outcome, Outcome.CENSORED) & np.less_equal(waited_ns, response_limit_s * 1e9)
