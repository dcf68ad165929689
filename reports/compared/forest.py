"""The ratios of one step with their intervals, on one scale."""

from collections.abc import Sequence
from math import log10

from reports.charts.figure import Chart, Trace, axis, error_bars, numbers, upright
from reports.compared import phrases
from reports.compared.record import Compared, Row, Word
from reports.estimate import Estimate

_LOOKS: dict[Word, tuple[str, str]] = {
    "worse": ("--bad", "square"),
    "better": ("--good", "diamond"),
    "cannot tell": ("--muted", "circle-open"),
}
_LEAST, _MOST = 0.05, 20.0
"""Ratios that are drawn; one beyond stands at the edge as an arrow."""
_COARSE = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_FINE = (0.33, 0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)
_WIDE = 3.0
_ROW_PX, _AROUND_PX = 26, 110


def forests(compared: Compared, step: str, place: int) -> list[Chart]:
    """A chart a SUT, all of one step on one scale; none where no ratio carries a word."""
    rows = [row for row in compared.at(step) if _drawn(row)]
    known = [end for row in rows if row.change for end in (row.change.low, row.change.high) if end]
    low = max(_LEAST, min([0.8, *known]) * 0.95)
    high = min(_MOST, max([1.25, *known]) * 1.05)
    suts = list(dict.fromkeys(row.sut for row in rows))
    return [
        _forest([row for row in rows if row.sut == sut], f"{place}-{number}", low, high)
        for number, sut in enumerate(suts)
    ]


def _forest(rows: Sequence[Row], key: str, low: float, high: float) -> Chart:
    sut, step, names = rows[0].sut, rows[0].step, [row.name for row in rows]
    layout = {
        "xaxis": axis("B / A", type="log", range=[log10(low), log10(high)], **_ticks(low, high)),
        "yaxis": {
            "automargin": True,
            "type": "category",
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "range": [-0.7, len(rows) - 0.3],
        },
        "shapes": [upright(1, "")],
        "showlegend": True,
    }
    traces = [_points(rows, word, low, high) for word in _LOOKS]
    said = "; ".join(
        f"{row.name} {phrases.ratio(row)} ({phrases.ends(row) or 'no interval'}), {row.word}"
        for row in rows
    )
    return Chart(
        f"forest-{key}",
        f"{sut} {step}" if step.startswith("at ") else f"{sut} at {step}",
        {"data": [trace for trace in traces if trace["x"]], "layout": layout},
        f"B / A of {sut} with 95 % intervals: {said}.",
        _AROUND_PX + _ROW_PX * len(rows),
    )


def _drawn(row: Row) -> bool:
    change = row.change
    return row.word is not None and row.kind == "ratio" and bool(change and change.point)


def _ticks(low: float, high: float) -> dict[str, list[float] | list[str]]:
    """Plain ratios, even about no change."""
    ladder = _COARSE if high / low > _WIDE else _FINE
    inside = [tick for tick in ladder if low <= tick <= high]
    return {"tickvals": inside, "ticktext": [f"{tick:g}" for tick in inside]}


def _points(rows: Sequence[Row], word: Word, low: float, high: float) -> Trace:
    colour, symbol = _LOOKS[word]
    found = [
        (row.name, row.change, row) for row in rows if row.word == word and row.change is not None
    ]
    known = [change for _, change, _ in found]
    points = [change.point or 1.0 for change in known]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": word,
        "x": numbers(min(max(point, low), high) for point in points),
        "y": [name for name, _, _ in found],
        "error_x": {**error_bars([_cut(c, low, high) for c in known], colour), "thickness": 2},
        "customdata": [[change.low, change.high, change.n] for change in known],
        "meta": {"columns": ["low", "high", "n"]},
        "text": [_said(row) for _, _, row in found],
        "hovertemplate": "%{text}<extra></extra>",
        "cliponaxis": False,
        "marker": {
            "color": colour,
            "size": 10,
            "symbol": [_symbol(p, symbol, low, high) for p in points],
        },
    }


def _cut(change: Estimate, low: float, high: float) -> Estimate:
    """To what is drawn, so that a wide interval does not push the others together."""
    point = min(max(change.point or 1.0, low), high)
    ends = [None if end is None else min(max(end, low), high) for end in (change.low, change.high)]
    return Estimate(point, ends[0], ends[1], change.n)


def _symbol(point: float, symbol: str, low: float, high: float) -> str:
    if low <= point <= high:
        return symbol
    return "triangle-left" if point < low else "triangle-right"


def _said(row: Row) -> str:
    blocks = f"n = {row.baseline.n}+{row.candidate.n}"
    return (
        f"{row.sut}, {row.name}<br>{phrases.ratio(row)} ({phrases.ends(row)}), {blocks}: {row.word}"
    )
