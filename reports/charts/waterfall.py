"""Waterfalls of stages, as ``reports.waterfall`` reckons them."""

import numpy as np

from reports.answer import at
from reports.charts.figure import Chart, Trace, axis, numbers, points, upright
from reports.charts.hover import COLUMNS, said
from reports.estimate import Estimate
from reports.results import Cell
from reports.waterfall import PARTS, Bar, Waterfall
from reports.wording import amount, number

REST = "door, network"
_LOOKS = {
    "queue_ms": ("queue", "--queue"),
    "compute_ms": ("compute", "--compute"),
    "wait_ms": ("wait", "--wait"),
    "hop_ms": ("hop", "--hop"),
}


def waterfall_chart(cell: Cell, fall: Waterfall, *, several: bool) -> Chart:
    """Stages from top to bottom as they start."""
    bars = list(reversed(fall.bars))
    rows = [_row(bar) for bar in bars]
    traces = [_part(bars, rows, part) for part in PARTS if _any(bars, part)]
    if fall.rest_ms is not None:
        traces.append(_rest(fall))
    graph = f", {fall.graph}" if several else ""
    where = f"{cell.sut.key}{graph} at {at(cell.step)}"
    mean = fall.response_ms.point if fall.response_ms else None
    last_ms = fall.reach_ms or 1.0
    layout = {
        "barmode": "overlay",
        "bargap": 0.3,
        "xaxis": axis("ms from the intended start, mean answer", range=[0, last_ms * 1.04]),
        "yaxis": {
            "automargin": True,
            "showgrid": False,
            "range": [-0.5, len(rows) + (1.0 if mean else -0.5)],  # room for the line's name
            "categoryorder": "array",
            "categoryarray": [*([REST] if fall.rest_ms else []), *rows],
        },
        "shapes": [upright(mean, f"mean response {number(mean)} ms")] if mean else [],
    }
    return Chart(
        f"waterfall-{cell.step.index}-{cell.sut.key}{graph}".replace("/", "-").replace(", ", "-"),
        where,
        {"data": traces, "layout": layout},
        f"Stages of the mean answer of {where}: each begins where its last input ends, reckoned "
        "from means and not traced, and is parted in queue, compute, wait and hop. The last bar is "
        "what the mean response time (the line) leaves: door, network and late sending.",
        150 + 26 * (len(rows) + 1),
    )


def _row(bar: Bar) -> str:
    if bar.detached:
        return f"{bar.name} (nobody waits)"
    return bar.name if bar.share > 0.9995 else f"{bar.name} ({amount(bar.share, 'share')})"  # noqa: PLR2004


def _any(bars: list[Bar], key: str) -> bool:
    return key != "wait_ms" or any((bar.parts[key].point or 0.0) > 0 for bar in bars)


def _part(bars: list[Bar], rows: list[str], part: str) -> Trace:
    """One part of every bar, each where the parts before it end."""
    name, colour = _LOOKS[part]
    before = PARTS[: PARTS.index(part)]
    found = [bar.parts[part] for bar in bars]
    words = [
        f"<b>{bar.name}</b>, {name}<br>{said(e, 'ms')}<br>the stage starts at "
        f"{said(bar.start_ms, 'ms')}<br>ran in {amount(bar.share, 'share')} of answers"
        for bar, e in zip(bars, found, strict=True)
    ]
    bases = [
        sum(e.point or 0.0 for e in (bar.start_ms, *(bar.parts[key] for key in before)))
        for bar in bars
    ]
    return {"name": name, "marker": {"color": colour}, **_bars(rows, found, bases, words)}


def _rest(fall: Waterfall) -> Trace:
    rest = fall.rest_ms or Estimate(None, None, None, 0)
    response = said(fall.response_ms, "ms") if fall.response_ms else ""
    words = f"<b>door, network, late sending</b><br>{said(rest, 'ms')}<br>mean response {response}"
    bars = _bars([REST], [rest], [fall.end_ms.point or 0.0], [words])
    return {"name": REST, "marker": {"color": "--part-7"}, **bars}


def _bars(rows: list[str], found: list[Estimate], bases: list[float], words: list[str]) -> Trace:
    ends = [[np.nan if end is None else end for end in (e.low, e.high)] for e in found]
    return {
        "type": "bar",
        "orientation": "h",
        "y": rows,
        "x": points(found),
        "base": numbers(bases),
        "customdata": [
            [*numbers(end), e.n, start]
            for end, e, start in zip(ends, found, numbers(bases), strict=True)
        ],
        "meta": {"columns": [*COLUMNS, "starts_ms"]},
        "hovertext": words,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
