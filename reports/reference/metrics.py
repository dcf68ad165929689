"""What a trial is measured by and what a gate may fail by: the rows, as tables."""

import re

from reports.estimate import samples_needed
from reports.gate.metrics import GATE_METRICS, GateMetric
from reports.metrics import METRICS, Metric
from reports.reference.markdown import code, table
from reports.subject import NO_ANSWER, NO_CEILING, NO_PRICE, NO_SLO, NONE_OFFERED

_NOTHING_PLANNED = "no request was planned in steady state"
_UNREAD = "usage was not read, or over too little of the steady state"
_ANSWERS = f"{NO_ANSWER.why}; {_UNREAD}"
_NO_COST = f"{NO_PRICE.why}; {NO_SLO.why}; no good answer in steady state"
_NO_GPU = "no GPU was read"

REFUSED: dict[str, str] = {
    "offered_rps": NONE_OFFERED.why,
    "goodput_rps": NO_SLO.why,
    "slo_share": f"{NO_SLO.why}; {_NOTHING_PLANNED}",
    "error_share": _NOTHING_PLANNED,
    "shed_share": _NOTHING_PLANNED,
    "cpu_ms": _ANSWERS,
    "pss_peak_mb": "no PSS reading of every component",
    "start_up_s": "not recorded, as for a running service",
    "idle_cores": "no idle period was recorded",
    "efficiency_rate": NO_CEILING.why,
    "efficiency_cpu": f"{NO_CEILING.why}; {_ANSWERS}",
    "usd_per_million_reserved": f"{_NO_COST}; what is reserved is not known (running services)",
    "usd_per_million_used": f"{_NO_COST}; {_UNREAD}",
    "gpu_utilization": _NO_GPU,
    "gpu_memory_mb": f"{_NO_GPU}; the driver does not tell by process",
    "gpu_power_w": _NO_GPU,
    "gpu_energy_j": f"{_NO_GPU}; {NO_ANSWER.why}",
}
"""Where a metric cannot be given at all, by key; percentiles and counts per request follow rules of
their own, and what is not named here is always given."""

_PERCENTILE = re.compile(r"_p(\d+)_")
_AVERAGED = {"linear": "as it is", "log": "as its logarithm"}
_BETTER = {"higher": "higher", "lower": "lower", "none": ""}


def of_a_trial() -> str:
    """Every metric of ``reports.metrics``."""
    rows = [
        (
            code(metric.key),
            metric.name,
            metric.unit,
            _BETTER[metric.better],
            metric.formula,
            refused(metric),
            _AVERAGED[metric.scale],
        )
        for metric in METRICS
    ]
    head = ("key", "name", "unit", "better", "formula", "refused where", "averaged over blocks")
    return table(head, rows)


def refused(metric: Metric) -> str:
    """Where a metric is not given, in words; empty where it always is."""
    quantile = _PERCENTILE.search(metric.key)
    if quantile is not None:
        needed = samples_needed(int(quantile[1]) / 100)
        of = "requests were sent" if metric.key.startswith("lag") else "OK answers were planned"
        return f"fewer than {needed:,} {of} in steady state"
    if metric.key.endswith("_per_request"):
        return f"{_ANSWERS}; the kernel does not tell"
    return REFUSED.get(metric.key, "")


def of_a_gate() -> str:
    """Every metric of ``reports.gate.metrics``."""
    rows = [
        (
            metric.name,
            code(metric.key),
            metric.better,
            _margin(metric),
            "yes" if metric.gating else f"no: {metric.why_not}",
        )
        for metric in GATE_METRICS
    ]
    return table(("metric", "key", "better", "margin if unset", "may fail a gate"), rows)


def _margin(metric: GateMetric) -> str:
    if metric.kind == "difference":
        points = f"{metric.margin * 100:g} percentage points"
        return points if metric.margin else "none: one more wrong answer is a regression"
    least = f", and at least {metric.floor:g} {metric.unit}" if metric.floor else ""
    return f"{metric.margin * 100:g} %{least}"
