"""A chart: a Plotly figure in plain dicts, and what it says in words.

Colours are names of CSS custom properties (``--sut-0``); the page's script puts in their values,
so that one figure serves light and dark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from reports.estimate import Estimate
from reports.results import Results

Trace: TypeAlias = dict[str, Any]
Figure: TypeAlias = dict[str, Any]

PALETTE = 8
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash")


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure on the page. ``summary`` says in words what it shows, for who cannot see it."""

    key: str
    title: str
    figure: Figure
    summary: str
    height: int = 320


def legend_room(traces: Iterable[Trace]) -> int:
    """Pixels that a legend takes beyond its first line, two entries abreast."""
    names = {trace["name"] for trace in traces if trace.get("showlegend", True)}
    return 18 * max(0, (len(names) + 1) // 2 - 1)


def numbers(values: Iterable[float]) -> list[float | None]:
    """Four significant figures; a gap where there is no number."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def points(estimates: Iterable[Estimate]) -> list[float | None]:
    """The estimates' points; a gap where there is none."""
    return numbers(np.nan if e.point is None else e.point for e in estimates)


def look(results: Results, sut: str) -> tuple[str, str]:
    """A SUT's colour and dash, the same in every chart."""
    place = [s.key for s in results.record.suts].index(sut) % PALETTE
    return f"--sut-{place}", DASHES[place]


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with its title."""
    return {"title": {"text": title}, **more}


_TICKS = [m * 10**e for e in range(-3, 7) for m in (1, 2, 5)]


def log_axis(title: str, **more: Any) -> dict[str, Any]:
    """A logarithmic axis whose ticks are plain numbers."""
    return axis(title, type="log", tickvals=_TICKS, ticktext=[f"{t:,g}" for t in _TICKS], **more)


def decades(values: Iterable[float]) -> list[float]:
    """A logarithmic axis's range, a little beyond its values; a plain one where there is none."""
    known = [value for value in values if np.isfinite(value) and value > 0]
    if not known:
        return [0.0, 3.0]
    return [float(np.log10(min(known) * 0.8)), float(np.log10(max(known) * 1.25))]


def upright(x: float, text: str) -> dict[str, Any]:
    """A named upright line across the chart, its name beside its upper end."""
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": "--muted", "width": 1, "dash": "dash"},
        "label": {
            "text": text,
            "textposition": "end",
            "xanchor": "right",
            "yanchor": "top",
            "font": {"color": "--muted", "size": 11},
            "textangle": 0,
        },
    }


def level(y: float, text: str) -> dict[str, Any]:
    """A named level line across the chart."""
    line = upright(y, text)
    ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": y, "y1": y, "yref": "y"}
    label = {**line["label"], "textposition": "start", "xanchor": "left", "yanchor": "bottom"}
    return {**line, **ends, "label": label}


def error_bars(estimates: Sequence[Estimate], colour: str = "--soft") -> dict[str, Any]:
    """The estimates' intervals as error bars; none where there is no interval."""
    known = [np.nan if e.point is None else e.point for e in estimates]
    lows = [p if e.low is None else e.low for e, p in zip(estimates, known, strict=True)]
    highs = [p if e.high is None else e.high for e, p in zip(estimates, known, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": numbers(np.subtract(highs, known)),
        "arrayminus": numbers(np.subtract(known, lows)),
        "color": colour,
        "thickness": 1.4,
        "width": 5,
    }
