"""The closed list of reasons to distrust a trial, each with its remedy.

Pure functions of what was recorded. A reason is a row of :data:`CHECKS`; a trial that has one is
shown, but never averaged in and never gated on. Saturation is none: a SUT that sheds load it
cannot carry is a finding, a generator that does not send it is a fault.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.record import Phases, Reason, Verification
from workloads.sample import Outcome

MOST_LAG_S = 0.005
LEAST_SENT = 0.98
MOST_GENERATOR_CORES = 0.8
LEAST_BEYOND = 10
MOST_OUTSIDE_CORES = 0.1
MOST_STOLEN_CORES = 0.02
MOST_MEMORY_STALL = 0.01

_SHED = 503


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a trial is judged by.

    Attributes:
        samples: every row of ``workloads.sample.SCHEMA``.
        planned: requests the plan has in the steady state.
        percentile: the one the scenario's objective names, in percent.
        generator_cores: cores that the busiest a generator worker can be used, on average.
        generator_workers: load workers; each can use one core.
        pressure: as ``harness.pressure.host_pressure`` gives it.
        sut_cores: how many cores the SUT has.
        pss_bytes: the most the SUT held; None if it was not read.
        memory_bytes: the most it may hold.
        exits: components that ended under load, in words.
    """

    samples: pa.Table
    phases: Phases
    planned: int
    percentile: float
    generator_cores: float
    generator_workers: int
    pressure: Mapping[str, float]
    sut_cores: int
    pss_bytes: int | None
    memory_bytes: int
    verification: Verification
    exits: tuple[str, ...] = ()

    @cached_property
    def steady(self) -> dict[str, npt.NDArray[np.int64]]:
        """The samples of the steady state, by intended start."""
        columns = ("intended_ns", "sent_ns", "outcome", "status")
        whole = {name: self.samples[name].to_numpy().astype(np.int64) for name in columns}
        inside = (whole["intended_ns"] >= self.phases.steady_ns) & (
            whole["intended_ns"] < self.phases.end_ns
        )
        return {name: values[inside] for name, values in whole.items()}

    def count(self, *outcomes: Outcome) -> int:
        """Requests of the steady state that ended so."""
        return int(np.isin(self.steady["outcome"], outcomes).sum())


@dataclass(frozen=True, slots=True)
class Check:
    """One reason to distrust a trial.

    Attributes:
        threshold: in words, what would have been fine.
        remedy: what to do about it.
        find: what was seen, in words, where it is not fine.
    """

    code: str
    threshold: str
    remedy: str
    find: Callable[[Evidence], str | None]


def _schedule_lag(evidence: Evidence) -> str | None:
    sent = evidence.steady["sent_ns"] > 0
    lags_ns = (evidence.steady["sent_ns"] - evidence.steady["intended_ns"])[sent]
    if not len(lags_ns):
        return None
    # An order statistic, so that it can be read off few samples: no interpolation.
    lag_s = np.sort(lags_ns)[int(np.ceil(0.95 * len(lags_ns))) - 1] / 1e9
    return f"p95 of the lag is {lag_s * 1e3:.2f} ms" if lag_s > MOST_LAG_S else None


def _sent_below_offered(evidence: Evidence) -> str | None:
    """By the clock: a request sent after the steady state has not been offered in it."""
    sent_ns = evidence.steady["sent_ns"]
    in_time = int(((sent_ns > 0) & (sent_ns < evidence.phases.end_ns)).sum())
    wanted = evidence.planned - evidence.count(Outcome.DROPPED)
    if in_time >= LEAST_SENT * wanted - 1:
        return None
    return f"{in_time} of {wanted} planned requests were sent in time"


def _generator_saturated(evidence: Evidence) -> str | None:
    share = evidence.generator_cores / evidence.generator_workers
    return f"{share:.2f} cores a worker" if share > MOST_GENERATOR_CORES else None


def _dropped(evidence: Evidence) -> str | None:
    dropped = evidence.count(Outcome.DROPPED)
    return f"{dropped} requests were never sent" if dropped else None


def _too_few_samples(evidence: Evidence) -> str | None:
    good, needed = evidence.count(Outcome.OK), samples_needed(evidence.percentile)
    return f"{good} good answers" if good < needed else None


def samples_needed(percentile: float) -> int:
    """Samples with at least ten beyond the percentile."""
    return int(np.ceil(round(LEAST_BEYOND / (1 - percentile / 100), 6)))


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


def _host_under_pressure(evidence: Evidence) -> str | None:
    limits = {
        "outside_sut_cores": MOST_OUTSIDE_CORES * evidence.sut_cores,
        "stolen_cores": MOST_STOLEN_CORES,
        "memory_stall_share": MOST_MEMORY_STALL,
    }
    seen = [
        f"{name} {evidence.pressure[name]:.3f}"
        for name, limit in limits.items()
        if evidence.pressure.get(name, 0.0) > limit
    ]
    return ", ".join(seen) or None


def _memory_over_budget(evidence: Evidence) -> str | None:
    if evidence.pss_bytes is None or evidence.pss_bytes <= evidence.memory_bytes:
        return None
    return f"{evidence.pss_bytes / 2**30:.2f} of {evidence.memory_bytes / 2**30:.2f} GiB"


def _component_died(evidence: Evidence) -> str | None:
    return "; ".join(evidence.exits) or None


CHECKS = (
    Check(
        "schedule_lag",
        f"95 % of requests sent within {MOST_LAG_S * 1e3:g} ms of the plan",
        "give the generator a quieter core, or offer less",
        _schedule_lag,
    ),
    Check(
        "sent_below_offered",
        f"{LEAST_SENT:.0%} of the planned requests sent within the steady state",
        "the generator did not keep up: more load workers on more cores, or a lower rate",
        _sent_below_offered,
    ),
    Check(
        "generator_saturated",
        f"at most {MOST_GENERATOR_CORES:g} of a core a load worker",
        "more load workers on more cores, or a lower rate",
        _generator_saturated,
    ),
    Check(
        "dropped",
        "no request dropped by the generator",
        "raise load.max_in_flight or the number of load workers, or lower the rate",
        _dropped,
    ),
    Check(
        "too_few_samples",
        f"{LEAST_BEYOND} good answers beyond the objective's percentile",
        "lengthen load.steady_s or name a lower slo.percentile",
        _too_few_samples,
    ),
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
        "host_under_pressure",
        f"others use at most {MOST_OUTSIDE_CORES:g} of each core of the SUT, the hypervisor "
        f"{MOST_STOLEN_CORES:g}, and memory stalls {MOST_MEMORY_STALL:.0%} of the time",
        "end what else runs on this machine, or move to a quieter one",
        _host_under_pressure,
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


def reasons(evidence: Evidence) -> tuple[Reason, ...]:
    """Every reason to distrust a trial, in the order of :data:`CHECKS`."""
    return tuple(
        Reason(code=check.code, seen=seen, threshold=check.threshold, remedy=check.remedy)
        for check in CHECKS
        if (seen := check.find(evidence)) is not None
    )
