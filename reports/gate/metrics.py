"""What a gate may fail by, as rows. Formulas are those of ``reports.metrics``."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class GateMetric:
    """A row of the closed list.

    Attributes:
        key: of ``reports.metrics`` too, but for ``generator_cpu_ms``.
        better: which way is good.
        kind: ``ratio``: paired log ratios; ``difference``: of pooled shares of requests.
        margin: how much worse is too much, unless the scenario says otherwise.
        floor: in the metric's unit: a change smaller than it is never too much; 0 is none.
        gating: whether it may fail a gate that says nothing of it.
        why_not: why it is informational by default.
    """

    key: str
    name: str
    unit: str
    better: Literal["higher", "lower"]
    margin: float
    kind: Literal["ratio", "difference"] = "ratio"
    floor: float = 0.0
    gating: bool = True
    why_not: str = ""


ANSWERS = "wrong_share"
"""Of answers compared with the references. No chance is granted to it: one more is a regression."""

ERRORS = "error_share"

GATE_METRICS: tuple[GateMetric, ...] = (
    GateMetric("cpu_ms", "CPU per request", "CPU-ms", "lower", 0.10),
    GateMetric("response_p50_ms", "Response time p50", "ms", "lower", 0.10, floor=0.1),
    GateMetric("response_p95_ms", "Response time p95", "ms", "lower", 0.15, floor=0.2),
    GateMetric("response_p99_ms", "Response time p99", "ms", "lower", 0.25, floor=0.2),
    GateMetric("goodput_rps", "Goodput at this rate", "rps", "higher", 0.05),
    GateMetric("error_share", "Errors", "share", "lower", 0.005, kind="difference"),
    GateMetric(ANSWERS, "Wrong answers", "share", "lower", 0.0, kind="difference"),
    GateMetric("pss_peak_mb", "Memory, peak PSS", "MB", "lower", 0.10, floor=16.0),
    GateMetric("start_up_s", "Start-up", "s", "lower", 0.25, floor=0.25),
    GateMetric(
        "generator_cpu_ms",
        "Generator's CPU per request",
        "CPU-ms",
        "lower",
        0.10,
        gating=False,
        why_not="it says nothing of the SUT: name it in gate.only to gate the generator",
    ),
)  # fmt: skip

BY_KEY = {metric.key: metric for metric in GATE_METRICS}
