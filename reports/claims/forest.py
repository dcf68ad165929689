"""A claim's hypotheses as a chart: each effect with its interval, and the bound it had to clear."""

import math
from collections.abc import Sequence
from typing import Any

from reports.charts.figure import (
    Chart,
    Trace,
    axis,
    decades,
    error_bars,
    log_axis,
    numbers,
    upright,
)
from reports.claims import phrases
from reports.claims.record import JudgedClaim, JudgedHypothesis
from reports.claims.rule import Word
from reports.estimate import Estimate
from reports.wording import TIMES

_LOOKS: dict[Word, tuple[str, str]] = {
    "supported": ("--good", "circle"),
    "refuted": ("--bad", "x"),
    "inconclusive": ("--doubt", "diamond-open"),
    "not tested": ("--muted", "circle-open"),
}
_HALF = 0.34
_NARROW = 5
_TICKS = (0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_FINE = {"tickvals": _TICKS, "ticktext": [f"{tick:g}" for tick in _TICKS]}
"""Where all lies within a factor of five, 1, 2 and 5 would be two ticks."""

Numbered = tuple[int, JudgedHypothesis]


def forests(claim: JudgedClaim) -> list[Chart]:
    """Ratios on one logarithmic scale; a figure held against a value on a scale of its own."""
    drawn = [
        (number, one)
        for number, one in enumerate(claim.hypotheses, 1)
        if one.effect is not None and one.effect.point is not None
    ]
    ratios = [(number, one) for number, one in drawn if one.value is None]
    charts = [_ratios(claim, ratios)] if ratios else []
    return charts + [_absolute(claim, each) for each in drawn if each[1].value is not None]


def _ratios(claim: JudgedClaim, rows: Sequence[Numbered]) -> Chart:
    ends = [end for _, one in rows for end in (1.0, one.bound, *_ends(one))]
    low, high = decades(ends)
    edges = (10**low, 10**high)
    ticks = {} if edges[1] > _NARROW * edges[0] else _FINE
    title = f"{TIMES} as much as what it is compared with"
    layout = {
        "xaxis": {**log_axis(title, range=[low, high]), **ticks},
        **_rows(rows, edges),
    }
    layout["shapes"].append(upright(1, ""))
    return Chart(
        f"effects-{claim.key}",
        "Effects and bounds",
        {"data": [*_points(rows), _bounds(rows)], "layout": layout},
        _said(rows),
        _height(rows),
    )


def _absolute(claim: JudgedClaim, row: Numbered) -> Chart:
    number, one = row
    assert one.this is not None  # noqa: S101 - it has an effect
    highest = max([one.bound, *_ends(one)]) * 1.15 or 1.0
    layout = {
        "xaxis": axis(f"{one.this.metric}, {one.unit}", range=[0, highest]),
        **_rows([row], (0.0, highest)),
    }
    return Chart(
        f"figure-{claim.key}-{number}",
        "Figure and bound",
        {"data": [*_points([row]), _bounds([row])], "layout": layout},
        _said([row]),
        _height([row]),
    )


def _ends(one: JudgedHypothesis) -> list[float]:
    found = (one.effect.point, one.effect.low, one.effect.high) if one.effect else ()
    return [value for value in found if value is not None and math.isfinite(value)]


def _rows(rows: Sequence[Numbered], edges: tuple[float, float]) -> dict[str, Any]:
    """A line a hypothesis, the first on top; the claimed side is shaded."""
    return {
        "yaxis": {
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": [f"Part {number}" for number, _ in rows],
            "showgrid": False,
        },
        "shapes": [_claimed(place, one, edges) for place, (_, one) in enumerate(rows)],
    }


def _claimed(place: int, one: JudgedHypothesis, edges: tuple[float, float]) -> dict[str, Any]:
    start, end = (one.bound, edges[1]) if one.side == "above" else (edges[0], one.bound)
    return {
        "type": "rect",
        "layer": "below",
        "x0": start,
        "x1": end,
        "y0": place - _HALF,
        "y1": place + _HALF,
        "fillcolor": "--shade",
        "line": {"width": 0},
    }


def _points(rows: Sequence[Numbered]) -> list[Trace]:
    """A trace a word, so that the legend tells them apart by symbol too."""
    words = dict.fromkeys(one.word for _, one in rows)
    return [_word(rows, word) for word in words]


def _word(rows: Sequence[Numbered], word: Word) -> Trace:
    colour, symbol = _LOOKS[word]
    found = [(place, one) for place, (_, one) in enumerate(rows) if one.word == word]
    estimates = [one.effect.estimate for _, one in found if one.effect is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": word,
        "x": numbers(math.nan if e.point is None else e.point for e in estimates),
        "y": [place for place, _ in found],
        "error_x": {**error_bars(estimates, colour), "thickness": 2.2},
        "marker": {"color": colour, "symbol": symbol, "size": 11},
        "customdata": [_row(estimate) for estimate in estimates],
        "meta": {"columns": ["low", "high", "n"]},
        "text": [_hover(one) for _, one in found],
        "hovertemplate": "%{text}<extra></extra>",
        "cliponaxis": False,
    }


def _row(estimate: Estimate) -> list[float | int | None]:
    ends = (math.nan if end is None else end for end in (estimate.low, estimate.high))
    return [*numbers(ends), estimate.n]


def _hover(one: JudgedHypothesis) -> str:
    return (
        f"{phrases.effect(one)}<br>claimed: {phrases.claimed(one)}<br>"
        f"{phrases.MARKS[one.word]} {one.word}"
    )


def _bounds(rows: Sequence[Numbered]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "bound (claimed side shaded)",
        "x": numbers(one.bound for _, one in rows),
        "y": list(range(len(rows))),
        "marker": {
            "color": "--ink",
            "symbol": "line-ns-open",
            "size": 24,
            "line": {"width": 2, "color": "--ink"},
        },
        "text": [f"claimed: {phrases.claimed(one)}" for _, one in rows],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _said(rows: Sequence[Numbered]) -> str:
    lines = (
        f"Part {number}: {phrases.effect(one)}, claimed {phrases.claimed(one)}, {one.word}"
        for number, one in rows
    )
    return f"{'; '.join(lines)}. Table above."


def _height(rows: Sequence[Numbered]) -> int:
    return 116 + 46 * len(rows)
