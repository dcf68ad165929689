"""The headline figures with their intervals, SUT by SUT."""

from collections.abc import Iterator

from harness.record import Step
from reports.answer import at
from reports.charts.dots import Dot, Named, dots
from reports.charts.figure import Chart
from reports.metrics import BY_KEY
from reports.results import Results

DRAWN = ("throughput_rps", "response_p50_ms", "response_p95_ms", "cpu_ms")


def side_by_side(results: Results, step: Step) -> Iterator[Chart]:
    """A point and its interval for each SUT, a chart a metric."""
    cells = results.at(step.index)
    best = next((ceiling for ceiling in results.ceilings if ceiling.best), None)
    limits = {"throughput_rps": best.rate_rps.point, "cpu_ms": best.cpu_ms.point} if best else {}
    where = step.asked if step.concurrency is None else at(step)
    for key in DRAWN:
        metric = BY_KEY[key]
        found = [Dot(cell.sut.key, cell.estimates[key]) for cell in cells]
        named = Named(f"side-{step.index}-{key}", f"{metric.name}, {where}", metric.unit)
        chart = dots(results, found, named, limits.get(key))
        if chart is not None:
            yield chart
