"""Curves over the load: response times, and what became of the offer."""

from collections.abc import Iterator

from reports.charts.figure import (
    Chart,
    Trace,
    axis,
    decades,
    error_bars,
    legend_room,
    level,
    log_axis,
    look,
    numbers,
    points,
)
from reports.charts.hover import drawn, told
from reports.charts.ladder import Ladder, answering, ladders
from reports.estimate import Estimate
from reports.metrics import BY_KEY
from reports.results import Cell, Results
from reports.saturation import State, state

_MARKS: dict[State, tuple[str, str]] = {
    "held": ("circle", "the SLO was kept"),
    "late": ("diamond-open", "late: the SLO was not kept"),
    "saturated": ("x", "saturated"),
    "mixed": ("circle-open", "blocks disagree"),
    "unknown": ("circle-open", "no trusted trial"),
    "closed": ("circle", "closed loop"),
}
WIDEST = 1.25
"""How far beyond its points a chart goes to show an interval's end."""

SLO_ROOM = 1.5
"""What stands above the SLO's line on a logarithmic axis: its name."""

_EXPLAINED: tuple[State, ...] = ("late", "saturated", "mixed")

_PERCENTILES = ("response_p50_ms", "response_p95_ms", "response_p99_ms")


def sweep(results: Results) -> Iterator[Chart]:
    """Response times against the load, a chart a percentile; then the rates reached."""
    for ladder in ladders(results):
        for key in _PERCENTILES:
            chart = _responses(results, ladder, key)
            if chart is not None:
                yield chart
        yield _rates(results, ladder)


def _responses(results: Results, ladder: Ladder, key: str) -> Chart | None:
    found = [c.estimates[key] for sut in answering(results) for c in ladder.cells(results, sut)]
    seen = [end for e in found for end in (e.point, e.low, e.high) if end is not None]
    if not seen:
        return None
    slo_ms = results.slo.response_time_s * 1e3 if results.slo else None
    metric = BY_KEY[key]
    traces = list(curves(results, ladder, key))
    room = [slo_ms * SLO_ROOM] if slo_ms else []
    layout = {
        "xaxis": ladder.axis,
        "yaxis": log_axis(f"{metric.name}, ms", range=decades([*seen, *room])),
        "shapes": [level(slo_ms, "SLO")] if slo_ms else [],
    }
    return Chart(
        f"{ladder.prefix}sweep-{key}",
        f"{metric.name} against {ladder.over}",
        {"data": traces, "layout": layout},
        f"{metric.name} of each SUT against {ladder.over}, with its interval, and the SLO's line. "
        "A cross marks a step at which the SUT was saturated, an open diamond one at which it was "
        "late; a gap, samples that do not carry the percentile.",
        340 + legend_room(traces),
    )


def _rates(results: Results, ladder: Ladder) -> Chart:
    top_rps = max(ladder.places)
    ideal: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "as offered",
        "x": [0, top_rps],
        "y": [0, top_rps],
        "line": {"color": "--muted", "width": 1, "dash": "dash"},
        "hoverinfo": "skip",
    }
    traces = list(curves(results, ladder, "throughput_rps"))
    best = next((c.rate_rps.point for c in results.ceilings if c.best), None)
    cells = [cell for sut in answering(results) for cell in ladder.cells(results, sut)]
    found = [cell.estimates["throughput_rps"] for cell in cells]
    reached = [e.point or 0.0 for e in found]
    most_rps = max([*reached, best or 0.0, 0.0 if ladder.closed else top_rps])
    seen = min(max([most_rps, *(e.high or 0.0 for e in found)]), WIDEST * most_rps)
    layout = {
        "xaxis": ladder.axis,
        "yaxis": axis("throughput, rps", range=[0, 1.08 * seen]),
        "shapes": [level(best, "ceiling")] if best else [],
    }
    return Chart(
        f"{ladder.prefix}sweep-throughput",
        f"Throughput against {ladder.over}",
        {"data": traces if ladder.closed else [*traces, ideal], "layout": layout},
        f"OK answers a second of each SUT against {ladder.over}, the ceiling's rate as a level line"
        + ("." if ladder.closed else ", beside the line on which every request is answered; a "
           "cross marks saturation."),
        340 + legend_room([*traces, ideal]),
    )  # fmt: skip


def curves(results: Results, ladder: Ladder, key: str, scale: float = 1.0) -> Iterator[Trace]:
    """A metric of each SUT over a ladder's steps, then what their marks mean."""
    marks: dict[State, None] = {}
    for sut in answering(results):
        cells = ladder.cells(results, sut)
        marks |= dict.fromkeys(state(results, cell) for cell in cells)
        yield _curve(results, ladder, cells, key, scale)
    for mark in _EXPLAINED:
        if mark in marks:
            yield _meaning(mark)


def _curve(results: Results, ladder: Ladder, cells: list[Cell], key: str, scale: float) -> Trace:
    """A SUT's points in order of load; where there is no figure the line is broken."""
    sut = cells[0].sut.key
    colour, dash = look(results, sut)
    found = [cell.estimates[key] for cell in cells]
    shown = [drawn(estimate, scale) for estimate in found]
    states = [state(results, cell) for cell in cells]
    trace = line(sut, (colour, dash), ladder.places, shown)
    trace["marker"] |= {
        "symbol": [_MARKS[one][0] for one in states],
        "size": [11 if one == "saturated" else 9 for one in states],
    }
    doubt = told(found, BY_KEY[key].unit, f"<b>{sut}</b>, {ladder.at}", scale)
    pairs = zip(doubt["hovertext"], states, strict=True)
    doubt["hovertext"] = [f"{words}<br>{_MARKS[one][1]}" for words, one in pairs]
    return {**trace, **doubt}


def line(name: str, look_of: tuple[str, str], x: list[float], y: list[Estimate]) -> Trace:
    """A line with a mark and an interval at each point."""
    colour, dash = look_of
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": numbers(x),
        "y": points(y),
        "connectgaps": False,
        "error_y": error_bars(y, colour),
        "line": {"color": colour, "dash": dash, "width": 1.6},
        "marker": {"color": colour, "size": 9},
    }


def _meaning(mark: State) -> Trace:
    """A legend entry that explains a mark and draws nothing."""
    symbol, words = _MARKS[mark]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": words,
        "x": [None],
        "y": [None],
        "marker": {"symbol": symbol, "color": "--muted", "size": 9},
        "hoverinfo": "skip",
    }
