"""A figure SUT by SUT: a point with its interval, a row each."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.figure import Chart, Trace, axis, error_bars, look, numbers, points, upright
from reports.charts.hover import drawn, told
from reports.estimate import Estimate
from reports.results import Results


@dataclass(frozen=True, slots=True)
class Dot:
    """A SUT's estimate, and what single blocks read where that is to be shown: block -> value."""

    sut: str
    estimate: Estimate
    blocks: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A chart's key and title, and its figures' unit; a share is drawn in percent."""

    key: str
    title: str
    unit: str


def dots(
    results: Results, found: Sequence[Dot], named: Named, limit: float | None = None
) -> Chart | None:
    """A row a SUT; None where none has a figure.

    Args:
        results: of the run.
        found: in the run's order.
        named: the chart.
        limit: the ceiling in the figures' unit, drawn as an upright line; of a share it is 1.
    """
    unit = named.unit
    if all(dot.estimate.point is None for dot in found):
        return None
    scale = 100.0 if unit == "share" else 1.0
    rows = list(reversed(found))
    ends = [x for d in rows for x in (d.estimate.point, d.estimate.high) if x is not None]
    ends += [value for d in rows for _, value in d.blocks]
    if limit is None and unit == "share":
        limit = 1.0
    layout = {
        "showlegend": False,
        "xaxis": axis(
            "%" if unit == "share" else unit, range=[0, 1.1 * scale * max([*ends, limit or 0.0])]
        ),
        "yaxis": {"automargin": True, "range": [-0.6, len(rows) - 0.4]},
        "shapes": [upright(limit * scale, "ceiling")] if limit else [],
    }
    traces = [_estimates(results, rows, unit, scale)]
    if any(dot.blocks for dot in rows):
        traces.append(_blocks(results, rows, unit, scale))
    return Chart(
        named.key,
        named.title,
        {"data": traces, "layout": layout},
        f"{named.title} of each SUT with its interval"
        + (", and each block's own reading." if len(traces) > 1 else "."),
        96 + 30 * len(rows),
    )


def _estimates(results: Results, rows: Sequence[Dot], unit: str, scale: float) -> Trace:
    shown = [drawn(dot.estimate, scale) for dot in rows]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "mean over blocks",
        "x": points(shown),
        "y": [dot.sut for dot in rows],
        "marker": {"color": [look(results, dot.sut)[0] for dot in rows], "size": 9},
        "error_x": error_bars(shown),
        **told([dot.estimate for dot in rows], unit, "<b>%{y}</b>", scale),
    }


def _blocks(results: Results, rows: Sequence[Dot], unit: str, scale: float) -> Trace:
    pairs = [(dot.sut, block, value) for dot in rows for block, value in dot.blocks]
    name = "%" if unit == "share" else unit
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "one block",
        "x": numbers(value * scale for *_, value in pairs),
        "y": [sut for sut, *_ in pairs],
        "customdata": [[block] for _, block, _ in pairs],
        "meta": {"columns": ["block"]},
        "marker": {
            "color": [look(results, sut)[0] for sut, *_ in pairs],
            "symbol": "line-ns-open",
            "size": 12,
            "line": {"width": 1.5},
        },
        "hovertemplate": f"<b>%{{y}}</b>, block %{{customdata[0]}}<br>%{{x:.4~g}} {name}"
        "<extra></extra>",
    }
