"""Curves over the offered rate: response times, and what became of the offer."""

from collections.abc import Iterator, Sequence

from harness.record import Step
from reports.charts.figure import (
    Chart,
    Trace,
    axis,
    decades,
    error_bars,
    level,
    log_axis,
    look,
    numbers,
    points,
)
from reports.metrics import BY_KEY
from reports.results import Cell, Results
from reports.saturation import State, open_steps, state

LEAST_STEPS = 2
"""A curve needs two rates."""

_MARKS: dict[State, str] = {
    "held": "circle",
    "late": "diamond-open",
    "saturated": "x",
    "mixed": "circle-open",
    "unknown": "circle-open",
}

_PERCENTILES = ("response_p50_ms", "response_p95_ms", "response_p99_ms")


def sweep(results: Results) -> Iterator[Chart]:
    """Response times against the offered rate, a chart a percentile; then the rates reached."""
    steps = open_steps(results)
    if len(steps) < LEAST_STEPS:
        return
    for key in _PERCENTILES:
        chart = _responses(results, steps, key)
        if chart is not None:
            yield chart
    yield _rates(results, steps)


def _responses(results: Results, steps: Sequence[Step], key: str) -> Chart | None:
    curves = _curves(results, steps)
    seen = [e.point for cells in curves for c in cells if (e := c.estimates[key]).point is not None]
    if not seen:
        return None
    slo_ms = results.slo.response_time_s * 1e3 if results.slo else None
    metric = BY_KEY[key]
    layout = {
        "xaxis": axis("offered rate, rps", rangemode="tozero"),
        "yaxis": log_axis(f"{metric.name}, ms", range=decades([*seen, slo_ms or seen[0]])),
        "shapes": [level(slo_ms, "SLO")] if slo_ms else [],
    }
    traces = [_curve(results, cells, key) for cells in curves]
    return Chart(
        f"sweep-{key}",
        f"{metric.name} against the offered rate",
        {"data": traces, "layout": layout},
        f"{metric.name} of each SUT at each offered rate, with its interval. A cross marks a step "
        "at which the SUT was saturated, an open diamond one at which it was late; a gap, samples "
        "that do not carry the percentile. The tables above have the numbers.",
        360,
    )


def _rates(results: Results, steps: Sequence[Step]) -> Chart:
    top_rps = max(step.offered_rps for step in steps)
    ideal = {
        "type": "scatter",
        "mode": "lines",
        "name": "as offered",
        "x": [0, top_rps],
        "y": [0, top_rps],
        "line": {"color": "--muted", "width": 1, "dash": "dash"},
        "hoverinfo": "skip",
    }
    curves = _curves(results, steps)
    traces = [_curve(results, cells, "throughput_rps") for cells in curves]
    layout = {
        "xaxis": axis("offered rate, rps", rangemode="tozero"),
        "yaxis": axis("throughput, rps", rangemode="tozero"),
    }
    return Chart(
        "sweep-throughput",
        "Throughput against the offered rate",
        {"data": [ideal, *traces], "layout": layout},
        "OK answers a second of each SUT at each offered rate, beside the line on which every "
        "request is answered; a cross marks saturation. The tables above have the numbers.",
        360,
    )


def _curves(results: Results, steps: Sequence[Step]) -> list[list[Cell]]:
    suts = [sut.key for sut in results.record.suts if sut.answers]
    return [[results.cell(sut, step.index) for step in steps] for sut in suts]


def _curve(results: Results, cells: Sequence[Cell], key: str) -> Trace:
    """A SUT's points in order of rate; where there is no figure the line is broken."""
    colour, dash = look(results, cells[0].sut.key)
    found = [cell.estimates[key] for cell in cells]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": cells[0].sut.key,
        "x": numbers(cell.step.offered_rps for cell in cells),
        "y": points(found),
        "connectgaps": False,
        "error_y": error_bars(found, colour),
        "line": {"color": colour, "dash": dash, "width": 1.6},
        "marker": {
            "color": colour,
            "size": 9,
            "symbol": [_MARKS.get(state(results, cell), "circle") for cell in cells],
        },
        "hovertemplate": "%{x:.4~g} rps: %{y:.3~g}",
    }
