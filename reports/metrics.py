"""What a trial is measured by. A metric is a row: key, name, unit, better, formula, function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reports import gpu
from reports import subject as of
from reports.estimate import Scale, Value
from reports.subject import Reading, Subject


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
    of: Reading
    bounds: tuple[float, float] = (0.0, float("inf"))


def _response(quantile: float) -> Metric:
    percent = f"p{quantile * 100:g}"
    return Metric(
        f"response_{percent}_ms",
        f"Response time {percent}",
        "ms",
        "lower",
        "log",
        f"{percent} of (received - intended start) over OK answers planned in steady state; in a "
        "closed loop, of (received - sent)",
        of.response_ms(quantile),
    )


def _used(column: str, name: str, unit: str, what: str) -> Metric:
    return Metric(
        f"{column}_per_request",
        f"{name}, per request",
        unit,
        "none",
        "linear",
        f"{what} by every component in steady state / OK answers completed in it",
        of.per_answer(column),
    )


METRICS: tuple[Metric, ...] = (
    Metric(
        "offered_rps",
        "Offered rate",
        "rps",
        "none",
        "linear",
        "requests planned in steady state / its seconds",
        of.offered,
    ),
    Metric(
        "achieved_rps",
        "Achieved rate",
        "rps",
        "higher",
        "linear",
        "answers completed in steady state, whatever they say / its seconds",
        of.achieved,
    ),
    Metric(
        "throughput_rps",
        "Throughput",
        "rps",
        "higher",
        "linear",
        "OK answers completed in steady state / its seconds",
        of.throughput,
    ),
    Metric(
        "goodput_rps",
        "Goodput",
        "rps",
        "higher",
        "linear",
        "OK answers completed in steady state within the SLO / its seconds",
        of.goodput,
    ),
    Metric(
        "slo_share",
        "Within the SLO",
        "share",
        "higher",
        "linear",
        "planned requests answered OK within the SLO / planned requests",
        of.within_slo,
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
        of.errors,
        (0.0, 1.0),
    ),
    Metric(
        "shed_share",
        "Shed",
        "share",
        "lower",
        "linear",
        "planned requests refused with 503 / planned requests",
        of.shed,
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
        of.service_ms(0.50),
    ),
    Metric(
        "lag_p99_ms",
        "Schedule lag p99",
        "ms",
        "lower",
        "log",
        "p99 of (sent - intended start) over requests sent in steady state",
        of.lag_ms(0.99),
    ),
    Metric(
        "cpu_ms",
        "CPU per request",
        "CPU-ms",
        "lower",
        "log",
        "CPU-seconds of every component in steady state / OK answers completed in it",
        of.cpu_ms,
    ),
    Metric(
        "pss_peak_mb",
        "Memory, peak PSS",
        "MB",
        "lower",
        "log",
        "highest reading of the proportional set sizes of all components together (shared pages "
        "counted once)",
        of.peak_pss_mb,
    ),
    Metric(
        "start_up_s",
        "Start-up",
        "s",
        "lower",
        "log",
        "from the first process started to the last readiness check passed",
        of.start_up_s,
    ),
    Metric(
        "idle_cores",
        "Idle draw",
        "cores",
        "lower",
        "linear",
        "CPU-seconds per second of every component, deployed and without load",
        of.idle,
    ),
    Metric(
        "efficiency_rate",
        "Rate against the ceiling",
        "share",
        "higher",
        "log",
        "throughput / ceiling rate at the best batch size, same block; below saturation it says "
        "only how much was offered",
        of.efficiency_rate,
    ),
    Metric(
        "efficiency_cpu",
        "CPU against the ceiling",
        "share",
        "higher",
        "log",
        "ceiling CPU-ms per image at the best batch size, same block / CPU per request",
        of.efficiency_cpu,
    ),
    Metric(
        "usd_per_million_reserved",
        "Cost, reserved",
        "USD per million",
        "lower",
        "log",
        "(cores x vCPU-hour + GiB x GiB-hour + GPUs x GPU-hour) / goodput per hour x 1,000,000, at "
        "the headline's price",
        of.reserved_usd,
    ),
    Metric(
        "usd_per_million_used",
        "Cost, used",
        "USD per million",
        "lower",
        "log",
        "(CPU-s x vCPU-hour + GiB-s of PSS x GiB-hour + busy GPU-s x GPU-hour) / 3,600 s / good "
        "answers x 1,000,000, in steady state, at the headline's price",
        of.used_usd,
    ),
    _used("voluntary_switches", "Waits for something", "switches", "voluntary context switches"),
    _used("involuntary_switches", "Pushed off a core", "switches", "involuntary context switches"),
    _used("read_bytes", "Read from storage", "B", "bytes read from storage"),
    _used("written_bytes", "Written to storage", "B", "bytes written to storage"),
    _used("sent_bytes", "Sent over TCP", "B", "TCP payload sent"),
    _used("received_bytes", "Received over TCP", "B", "TCP payload received"),
    Metric(
        "gpu_utilization",
        "GPU utilization",
        "share",
        "none",
        "linear",
        "mean share of the time in which a kernel ran, by the driver's readings in steady state",
        lambda subject: gpu.utilization(subject.trial),
        (0.0, 1.0),
    ),
    Metric(
        "gpu_memory_mb",
        "GPU memory, peak",
        "MB",
        "lower",
        "log",
        "highest reading of what all components together held of the GPUs' memory",
        lambda subject: gpu.memory_mb(subject.trial),
    ),
    Metric(
        "gpu_power_w",
        "GPU power",
        "W",
        "none",
        "log",
        "mean power of the SUT's GPUs in steady state, what they draw at rest included",
        lambda subject: gpu.power_w(subject.trial),
    ),
    Metric(
        "gpu_energy_j",
        "GPU energy per request",
        "J",
        "lower",
        "log",
        "joules of the SUT's GPUs in steady state / OK answers completed in it",
        of.gpu_energy_j,
    ),
)

GPU = ("gpu_utilization", "gpu_memory_mb", "gpu_power_w", "gpu_energy_j")
"""Metrics that are only spoken of where a GPU was read."""

BY_KEY: Mapping[str, Metric] = {metric.key: metric for metric in METRICS}


def measure(subject: Subject) -> dict[str, Value]:
    """Every metric of one trial, by key."""
    return {metric.key: metric.of(subject) for metric in METRICS}
