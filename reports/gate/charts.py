"""Every pair of a metric, beside its estimate, its margin and no change."""

import math
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from harness.pairs.record import PairRecord
from reports.charts.figure import Chart, Trace, axis, error_bars, level, numbers
from reports.estimate import Estimate
from reports.gate import phrases
from reports.gate.verdict import Row, Verdict, Word
from reports.wording import MINUS, plural

Look: TypeAlias = tuple[str, str]
"""A colour and a symbol."""

WORDS: Final[dict[Word, Look]] = {
    "pass": ("--good", "circle"),
    "regression": ("--bad", "square"),
    "inconclusive": ("--doubt", "diamond-open"),
}
_FIRST = (
    ("baseline", "--sut-0", "circle", "baseline first"),
    ("candidate", "--sut-3", "triangle-up", "candidate first"),
)
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)
_MOST_TICKS = 7
_MOST_PLACES = 12
_INSIDE = 0.02
_NAMES = 0.2
"""Of the pairs' width, for the names of lines."""
_LEAST_ROOM = 0.005
"""Where all values are alike, so that they have a scale at all."""


def pair_chart(verdict: Verdict, row: Row) -> Chart | None:
    """Every pair in the order it was played; None where no pair has a value.

    A redone pair is a cross at the foot and has no value: it counts nowhere.
    """
    drawn = {pair.block: phrases.oriented(row, pair) for pair in row.pairs}
    values = [value for value in drawn.values() if value is not None]
    if not values:
        return None
    ends = [end for end in (row.low, row.high, row.estimate) if end is not None]
    foot, top = _reach(row, [*values, *ends, phrases.none(row), phrases.limit(row)])
    last = len(verdict.pairs) + 1
    step = max(1, math.ceil(last / _MOST_PLACES))
    places = [place for place in range(1, last, step) if last - place >= step]
    layout = {
        "xaxis": axis(
            "pair, in the order played",
            range=[0.4, last + 0.6 + last * _NAMES],
            tickvals=[*places, last],
            ticktext=[*map(str, places), "all"],
            showgrid=False,
        ),
        "yaxis": _scale(row, foot, top),
        "shapes": [*_band(row), *_lines(row)],
    }
    traces = [_dots(verdict, row, drawn, look) for look in _FIRST]
    traces += [_redone(verdict, _above(row, foot, top)), _estimate(row, last)]
    said = (
        f"{row.name}: {plural(len(values), 'pair')}, worse by "
        f"{phrases.worse_by(row, row.estimate)} ({phrases.bounds(row) or 'no bounds'}), margin "
        f"{phrases.margin(row)}: {phrases.standing(row)}. Table below."
    )
    figure = {"data": [trace for trace in traces if trace["x"]], "layout": layout}
    return Chart(f"pairs-{row.key}", f"{row.name}: {phrases.standing(row)}", figure, said, 340)


def hover(text: str) -> str:
    """Text for Plotly, which reads a few tags in it."""
    return text.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")


def _dots(
    verdict: Verdict,
    row: Row,
    drawn: dict[int, float | None],
    look: tuple[str, str, str, str],
) -> Trace:
    first, colour, symbol, name = look
    values = {pair.block: pair for pair in row.pairs}
    found = [
        (place, value, values[pair.block])
        for place, pair in enumerate(verdict.pairs, 1)
        if pair.first == first and (value := drawn.get(pair.block)) is not None
    ]
    said = [
        f"block {pair.block}: {phrases.worse_by(row, value)}, {phrases.amount(row, pair.baseline)}"
        f" {phrases.ARROW} {phrases.amount(row, pair.candidate)}"
        for _, value, pair in found
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [place for place, _, _ in found],
        "y": numbers(value for _, value, _ in found),
        "text": said,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": colour, "symbol": symbol, "size": 9},
    }


def _redone(verdict: Verdict, foot: float) -> Trace:
    found = [(place, pair) for place, pair in enumerate(verdict.pairs, 1) if pair.contaminated]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "redone",
        "x": [place for place, _ in found],
        "y": numbers([foot] * len(found)),
        "text": [_why(pair) for _, pair in found],
        "hovertemplate": "%{text}<extra></extra>",
        "cliponaxis": False,
        "marker": {"color": "--muted", "symbol": "x-thin-open", "size": 9},
    }


def _why(pair: PairRecord) -> str:
    return hover(f"block {pair.block}, not counted: {'; '.join(pair.contaminated)}")


def _estimate(row: Row, place: int) -> Trace:
    colour, symbol = WORDS[row.word]
    estimate = Estimate(row.estimate, row.low, row.high, row.n)
    known = [] if row.estimate is None else [estimate]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "estimate, bounds",
        "x": [place] * len(known),
        "y": numbers(e.point for e in known if e.point is not None),
        "error_y": {**error_bars(known, colour), "thickness": 2},
        "marker": {"color": colour, "symbol": symbol, "size": 11},
        "hovertemplate": f"{phrases.worse_by(row, row.estimate)}, {phrases.bounds(row)}"
        "<extra>all pairs</extra>",
    }


def _band(row: Row) -> list[dict[str, Any]]:
    if row.low is None or row.high is None:
        return []
    ends = numbers([row.low, row.high])
    if None in ends:
        return []
    return [
        {
            "type": "rect",
            "x0": 0,
            "x1": 1,
            "xref": "paper",
            "y0": ends[0],
            "y1": ends[1],
            "fillcolor": "--shade",
            "line": {"width": 0},
            "layer": "below",
        }
    ]


def _lines(row: Row) -> list[dict[str, Any]]:
    right = {"textposition": "end", "xanchor": "right", "yanchor": "bottom"}
    margin = named(level(phrases.limit(row), "margin"), "--bad", **right)
    same = named(level(phrases.none(row), "no change"), **right)
    return [same, margin] if row.margin else [margin]


def named(line: dict[str, Any], colour: str = "--muted", **place: str) -> dict[str, Any]:
    """A named line in a colour, where its name is to stand."""
    label = {**line["label"], **place, "font": {"color": colour, "size": 11}}
    drawn = {**line["line"], "color": colour, "width": 1.4}
    return {**line, "line": drawn, "label": label}


def _reach(row: Row, values: Iterable[float]) -> tuple[float, float]:
    """The lowest and highest place to show, with some room."""
    if row.kind == "ratio":
        shown = [value for value in values if math.isfinite(value) and value > 0]
        low, high = math.log(min(shown)), math.log(max(shown))
        room = 0.08 * (high - low) or _LEAST_ROOM
        return math.exp(low - room), math.exp(high + room)
    shown = [value for value in values if math.isfinite(value)]
    room = 0.08 * (max(shown) - min(shown)) or _LEAST_ROOM
    return min(shown) - room, max(shown) + room


def _above(row: Row, foot: float, top: float) -> float:
    """A little above the foot: Plotly leaves out what rounding puts below it."""
    if row.kind == "ratio":
        return math.exp(math.log(foot) + _INSIDE * math.log(top / foot))
    return foot + _INSIDE * (top - foot)


def _scale(row: Row, low: float, high: float) -> dict[str, Any]:
    """Ticks that read as changes: a ratio's axis is logarithmic, so that x2 and x0.5 match."""
    none = phrases.none(row)
    step = next((s for s in _STEPS if (high - low) / s <= _MOST_TICKS), (high - low) / 4)
    places = range(math.ceil((low - none) / step), math.floor((high - none) / step) + 1)
    ticks = [none + place * step for place in places]
    digits = max(0, -math.floor(math.log10(step * 100) + 1e-9))
    unit = "%" if row.kind == "ratio" else "pp"
    changes = (f"{(tick - none) * 100:+.{digits}f} {unit}" for tick in ticks)
    names = [
        text.replace("-", MINUS) if place else "0"
        for place, text in zip(places, changes, strict=True)
    ]
    found = axis("candidate worse by", tickvals=numbers(ticks), ticktext=names)
    if row.kind == "ratio":
        return found | {"type": "log", "range": [math.log10(low), math.log10(high)]}
    return found | {"range": [low, high]}
