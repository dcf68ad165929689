"""All metrics on one scale: margins, of which 0 is no change and 1 is too much."""

import math
from collections.abc import Sequence

from reports.charts.figure import Chart, Trace, axis, error_bars, numbers, upright
from reports.estimate import Estimate
from reports.gate import phrases
from reports.gate.charts import WORDS, Look, named
from reports.gate.verdict import Row, Verdict

_LOOKS: dict[str, Look] = {
    "informational": ("--muted", "circle-open"),
    **{str(word): look for word, look in WORDS.items()},
}
FARTHEST = 6.0
"""Margins that are drawn; a point beyond stands at the edge as an arrow."""


def margins(row: Row, value: float | None) -> float | None:
    """A place on the metric's scale in margins: of ratios by their logarithm.

    Where no worsening at all is allowed, any is infinitely many margins.
    """
    if value is None or not math.isfinite(value) or (row.kind == "ratio" and value <= 0):
        return None
    change = value if row.kind == "difference" else math.log(value)
    much = row.margin if row.kind == "difference" else math.log1p(row.margin)
    return change / much if much else (math.copysign(math.inf, change) if change else 0.0)


def forest(verdict: Verdict) -> Chart | None:
    """Every judged metric with its bounds; None where there is none."""
    rows = [row for row in reversed(phrases.in_order(verdict)) if row.estimate is not None]
    if not rows:
        return None
    places = [p for row in rows for e in (row.low, row.high, row.detectable)
              if (p := margins(row, e)) is not None and math.isfinite(p)]  # fmt: skip
    low = max(min([-1.0, *places]), -FARTHEST) - 0.2
    high = min(max([1.4, *places]), FARTHEST) + 0.2
    layout = {
        "xaxis": axis("candidate worse by, in margins of each metric", range=[low, high]),
        "yaxis": {
            "automargin": True,
            "range": [-1.0, len(rows) - 0.1],
            "tickvals": list(range(len(rows))),
            "ticktext": [row.name for row in rows],
        },
        "shapes": [
            named(upright(0, "no change "), xanchor="right"),
            named(upright(1, " margin"), "--bad", xanchor="left"),
        ],
    }
    kinds = (*WORDS, "informational")
    traces = [_deciding(rows), *(_points(rows, kind, low, high) for kind in kinds)]
    traces.append(_detectable(rows))
    said = "; ".join(
        f"{row.name} {phrases.worse_by(row, row.estimate)}, {phrases.standing(row)}"
        for row in reversed(rows)
    )
    return Chart(
        "forest",
        "All metrics, each in its own margins",
        {"data": [trace for trace in traces if trace["x"]], "layout": layout},
        f"{said}. Table above.",
        120 + 32 * len(rows),
    )


def _points(rows: Sequence[Row], kind: str, low: float, high: float) -> Trace:
    colour, symbol = _LOOKS[kind]
    found = [(place, row) for place, row in enumerate(rows) if _kind(row) == kind]
    known = [_in_margins(row) for _, row in found]
    points = [e.point if e.point is not None else 0.0 for e in known]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": kind,
        "x": numbers(min(max(point, low), high) for point in points),
        "y": [place for place, _ in found],
        "error_x": {**error_bars(known, colour), "thickness": 2.2},
        "text": [_said(row) for _, row in found],
        "hovertemplate": "%{text}<extra></extra>",
        "cliponaxis": False,
        "marker": {
            "color": colour,
            "size": 11,
            "symbol": [_symbol(p, symbol, low, high) for p in points],
        },
    }


def _kind(row: Row) -> str:
    return row.word if row.gating else "informational"


def _symbol(point: float, symbol: str, low: float, high: float) -> str:
    if low <= point <= high:
        return symbol
    return "triangle-left" if point < low else "triangle-right"


def _in_margins(row: Row) -> Estimate:
    ends = [margins(row, value) for value in (row.estimate, row.low, row.high)]
    return Estimate(ends[0], ends[1], ends[2], row.n)


def _said(row: Row) -> str:
    return (
        f"{row.name}: {phrases.worse_by(row, row.estimate)} ({phrases.bounds(row)}), "
        f"margin {phrases.margin(row)}: {phrases.standing(row)}"
    )


def _deciding(rows: Sequence[Row]) -> Trace:
    """The lower bound at Holm's level, as a tick left of the interval."""
    found = [(p, place) for place, row in enumerate(rows)
             if row.gating and (p := margins(row, row.holm_low)) is not None]  # fmt: skip
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "decides on regression",
        "x": numbers(p for p, _ in found),
        "y": [place for _, place in found],
        "hovertemplate": "low at Holm's level: %{x:.2f} margins<extra></extra>",
        "marker": {"color": "--soft", "symbol": "line-ns-open", "size": 12},
    }


def _detectable(rows: Sequence[Row]) -> Trace:
    found = [(p, place) for place, row in enumerate(rows)
             if (p := margins(row, row.detectable)) is not None]  # fmt: skip
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "could have seen",
        "x": numbers(p for p, _ in found),
        "y": [place - 0.28 for _, place in found],
        "hovertemplate": "could have seen %{x:.2f} margins<extra></extra>",
        "marker": {"color": "--muted", "symbol": "triangle-up-open", "size": 8},
    }
