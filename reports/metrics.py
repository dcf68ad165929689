"""What is read off one trial. A metric is a row: key, name, unit, better, formula, function.

Counts and rates are of the steady state only. A request belongs to it by its intended start,
a completion by when the answer was whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pandas as pd

from reports.ceiling import BlockCeiling
from reports.estimate import Missing, Scale, Value, percentile
from reports.frames import STEADY, TrialFrames
from reports.usage import idle_cores, peak_pss_bytes, steady_cpu_s

SHED_STATUS = 503


@dataclass(frozen=True, eq=False)
class Subject:
    """One trial with what it is judged against.

    Attributes:
        slo_s: the response time an answer must keep to count as good; None if none was set.
        ceiling: of the same block, at the best batch size; None if it was not measured.
    """

    trial: TrialFrames
    slo_s: float | None
    ceiling: BlockCeiling | None

    @cached_property
    def planned(self) -> pd.DataFrame:
        """Requests whose intended start lies in steady state."""
        samples = self.trial.samples
        return samples[samples["phase"] == STEADY]

    @cached_property
    def completed(self) -> pd.DataFrame:
        """Answers that became whole in steady state, whatever they say."""
        samples, phases = self.trial.samples, self.trial.phases
        received = samples["received_ns"]
        return samples[(received >= phases.steady_ns) & (received < phases.end_ns)]


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the closed list of what a trial is measured by.

    Attributes:
        better: which way is good; ``none`` where neither is.
        scale: on which its values are averaged over blocks.
        formula: its meaning, as the page prints it.
        bounds: values it cannot leave; intervals are cut to them.
    """

    key: str
    name: str
    unit: str
    better: Literal["higher", "lower", "none"]
    scale: Scale
    formula: str
    of: Callable[[Subject], Value]
    bounds: tuple[float, float] = (0.0, float("inf"))


def _per_second(rows: pd.DataFrame, subject: Subject) -> float:
    return len(rows) / subject.trial.steady_s


def _offered(subject: Subject) -> Value:
    return subject.trial.planned / subject.trial.steady_s


def _achieved(subject: Subject) -> Value:
    return _per_second(subject.completed, subject)


def _throughput(subject: Subject) -> Value:
    completed = subject.completed
    return _per_second(completed[completed["ok"]], subject)


_NO_SLO = Missing("the scenario sets no SLO")


def _goodput(subject: Subject) -> Value:
    if subject.slo_s is None:
        return _NO_SLO
    completed = subject.completed
    return _per_second(
        completed[completed["ok"] & (completed["response_s"] <= subject.slo_s)], subject
    )


def _share(rows: int, subject: Subject) -> Value:
    if subject.trial.planned == 0:
        return Missing("no request planned in steady state")
    return rows / subject.trial.planned


def _within_slo(subject: Subject) -> Value:
    if subject.slo_s is None:
        return _NO_SLO
    planned = subject.planned
    return _share(int((planned["ok"] & (planned["response_s"] <= subject.slo_s)).sum()), subject)


def _errors(subject: Subject) -> Value:
    return _share(subject.trial.planned - int(subject.planned["ok"].sum()), subject)


def _shed(subject: Subject) -> Value:
    return _share(int((subject.planned["status"] == SHED_STATUS).sum()), subject)


def _percentile_ms(column: str, quantile: float, *, ok_only: bool) -> Callable[[Subject], Value]:
    def of(subject: Subject) -> Value:
        planned = subject.planned
        chosen = planned[planned["ok"]] if ok_only else planned
        value = percentile(chosen[column].dropna().to_numpy(), quantile)
        return value if isinstance(value, Missing) else value * 1e3

    return of


def _cpu_ms(subject: Subject) -> Value:
    completed = subject.completed
    answered = int(completed["ok"].sum())
    cpu_s = steady_cpu_s(subject.trial)
    if isinstance(cpu_s, Missing):
        return cpu_s
    if answered == 0:
        return Missing("no OK answer in steady state")
    return cpu_s / answered * 1e3


def _peak_pss(subject: Subject) -> Value:
    peak = peak_pss_bytes(subject.trial)
    return peak if isinstance(peak, Missing) else peak / 1e6


def _start_up(subject: Subject) -> Value:
    start_up_s = subject.trial.record.start_up_s
    return Missing("not recorded") if start_up_s is None else start_up_s


def _idle(subject: Subject) -> Value:
    return idle_cores(subject.trial)


_NO_CEILING = Missing("no ceiling was measured in this block")


def _efficiency_rate(subject: Subject) -> Value:
    if subject.ceiling is None:
        return _NO_CEILING
    throughput = _throughput(subject)
    return throughput if isinstance(throughput, Missing) else throughput / subject.ceiling.rate_rps


def _efficiency_cpu(subject: Subject) -> Value:
    if subject.ceiling is None:
        return _NO_CEILING
    cpu_ms = _cpu_ms(subject)
    if isinstance(cpu_ms, Missing):
        return cpu_ms
    return subject.ceiling.cpu_ms / cpu_ms if cpu_ms else Missing("no CPU time was seen")


def _response(quantile: float) -> Metric:
    percent = f"p{quantile * 100:g}"
    return Metric(
        f"response_{percent}_ms",
        f"Response time {percent}",
        "ms",
        "lower",
        "log",
        f"{percent} of (received - intended start) over OK answers planned in steady state",
        _percentile_ms("response_s", quantile, ok_only=True),
    )


METRICS: tuple[Metric, ...] = (
    Metric(
        "offered_rps",
        "Offered rate",
        "rps",
        "none",
        "linear",
        "requests planned in steady state / its seconds",
        _offered,
    ),
    Metric(
        "achieved_rps",
        "Achieved rate",
        "rps",
        "higher",
        "linear",
        "answers completed in steady state, whatever they say / its seconds",
        _achieved,
    ),
    Metric(
        "throughput_rps",
        "Throughput",
        "rps",
        "higher",
        "linear",
        "OK answers completed in steady state / its seconds",
        _throughput,
    ),
    Metric(
        "goodput_rps",
        "Goodput",
        "rps",
        "higher",
        "linear",
        "OK answers completed in steady state within the SLO / its seconds",
        _goodput,
    ),
    Metric(
        "slo_share",
        "Within the SLO",
        "share",
        "higher",
        "linear",
        "planned requests answered OK within the SLO / planned requests",
        _within_slo,
        (0.0, 1.0),
    ),
    Metric(
        "error_share",
        "Errors",
        "share",
        "lower",
        "linear",
        "planned requests without an OK answer (refused, failed, timed out, dropped, censored, "
        "lost) / planned requests",
        _errors,
        (0.0, 1.0),
    ),
    Metric(
        "shed_share",
        "Shed",
        "share",
        "lower",
        "linear",
        "planned requests refused with 503 / planned requests",
        _shed,
        (0.0, 1.0),
    ),
    _response(0.50),
    _response(0.95),
    _response(0.99),
    Metric(
        "service_p50_ms",
        "Service time p50",
        "ms",
        "lower",
        "log",
        "p50 of (received - sent) over OK answers planned in steady state",
        _percentile_ms("service_s", 0.50, ok_only=True),
    ),
    Metric(
        "lag_p99_ms",
        "Schedule lag p99",
        "ms",
        "lower",
        "log",
        "p99 of (sent - intended start) over requests sent in steady state",
        _percentile_ms("lag_s", 0.99, ok_only=False),
    ),
    Metric(
        "cpu_ms",
        "CPU per request",
        "CPU-ms",
        "lower",
        "log",
        "CPU-seconds of every component in steady state / OK answers completed in it",
        _cpu_ms,
    ),
    Metric(
        "pss_peak_mb",
        "Memory, peak PSS",
        "MB",
        "lower",
        "log",
        "highest reading of the proportional set sizes of all components together (shared pages "
        "counted once)",
        _peak_pss,
    ),
    Metric(
        "start_up_s",
        "Start-up",
        "s",
        "lower",
        "log",
        "from the first process started to the last readiness check passed",
        _start_up,
    ),
    Metric(
        "idle_cores",
        "Idle draw",
        "cores",
        "lower",
        "linear",
        "CPU-seconds per second of every component, deployed and without load",
        _idle,
    ),
    Metric(
        "efficiency_rate",
        "Rate against the ceiling",
        "share",
        "higher",
        "log",
        "throughput / ceiling rate at the best batch size, same block; below saturation it says "
        "only how much was offered",
        _efficiency_rate,
    ),
    Metric(
        "efficiency_cpu",
        "CPU against the ceiling",
        "share",
        "higher",
        "log",
        "ceiling CPU-ms per image at the best batch size, same block / CPU per request",
        _efficiency_cpu,
    ),
)

BY_KEY: Mapping[str, Metric] = {metric.key: metric for metric in METRICS}


def measure(subject: Subject) -> dict[str, Value]:
    """Every metric of one trial, by key."""
    return {metric.key: metric.of(subject) for metric in METRICS}
