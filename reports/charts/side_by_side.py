"""The headline figures with their intervals, SUT by SUT."""

from collections.abc import Iterator

from harness.record import Step
from reports.charts.figure import Chart, axis, error_bars, look, points, upright
from reports.answer import at
from reports.metrics import BY_KEY
from reports.results import Results

DRAWN = ("throughput_rps", "response_p50_ms", "response_p95_ms", "cpu_ms")


def side_by_side(results: Results, step: Step) -> Iterator[Chart]:
    """A point and its interval for each SUT, a chart a metric."""
    cells = list(reversed(results.at(step.index)))
    best = next((ceiling for ceiling in results.ceilings if ceiling.best), None)
    limits = {"throughput_rps": best.rate_rps.point, "cpu_ms": best.cpu_ms.point} if best else {}
    for key in DRAWN:
        metric, found = BY_KEY[key], [cell.estimates[key] for cell in cells]
        highs = [e.point if e.high is None else e.high for e in found if e.point is not None]
        if not highs:
            continue
        colours = [look(results, cell.sut.key)[0] for cell in cells]
        limit = limits.get(key)
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": points(found),
            "y": [cell.sut.key for cell in cells],
            "marker": {"color": colours, "size": 9},
            "error_x": error_bars(found),
            "hovertemplate": "%{y} %{x:.3~g}<extra></extra>",
        }
        layout = {
            "showlegend": False,
            "xaxis": axis(
                f"{metric.name}, {metric.unit}",
                range=[0, 1.1 * max([*(high or 0.0 for high in highs), limit or 0.0])],
            ),
            "yaxis": {"automargin": True, "range": [-0.6, len(cells) - 0.4]},
            "shapes": [upright(limit, "ceiling")] if limit else [],
        }
        where = f"{metric.name}, {step.asked if step.concurrency is None else at(step)}"
        yield Chart(
            f"side-{step.index}-{key}",
            where,
            {"data": [trace], "layout": layout},
            f"{where} of each SUT with its interval; the table above has the numbers.",
            90 + 30 * len(cells),
        )
