"""Response times as curves over all planned requests: a failure never joins one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.record import Step
from reports.answer import at
from reports.charts.figure import (
    Chart,
    Figure,
    Trace,
    axis,
    decades,
    legend_room,
    log_axis,
    look,
    numbers,
    upright,
)
from reports.estimate import BEYOND, Floats
from reports.results import Cell, Results

GRID_POINTS = 240
TAIL_POINTS = 120


def thinned(ascending: Floats) -> tuple[Floats, Floats]:
    """Order statistics to draw a distribution by, every one of the last hundred among them.

    Returns:
        Values, and the count of samples at or below each.
    """
    n = len(ascending)
    body = np.linspace(0, n - 1, GRID_POINTS)
    tail = np.arange(n - 1, n - 1 - TAIL_POINTS, -1)
    far = n - 1 - np.geomspace(1, max(n - 1, 1), GRID_POINTS)
    every = np.concatenate([body, tail, far])
    ranks = np.unique(np.clip(np.round(every), 0, max(n - 1, 0)).astype(np.int64))
    kept = ranks if n else ranks[:0]
    return ascending[kept], (kept + 1).astype(np.float64)


def response_times(results: Results, step: Step) -> Iterator[Chart]:
    """Two views of the same curves: the whole, and the tail on a scale of nines."""
    curves = [c for cell in results.at(step.index) for c in _curves(results, cell)]
    if not curves:
        return
    slo = [upright(results.slo.response_time_s * 1e3, "SLO")] if results.slo else []
    x = log_axis("response time from the intended start, ms", range=_reach(results, curves))
    whole: Figure = {
        "data": [_curve(c, tail=False) for c in curves],
        "layout": {
            "xaxis": x,
            "yaxis": axis("answered OK, % of planned", range=[0, 101]),
            "shapes": slo,
        },
    }
    ticks = [100, 50, 10, 1, 0.1, 0.01]
    tail = {
        "data": [_curve(c, tail=True) for c in curves],
        "layout": {
            "xaxis": x,
            "yaxis": axis(
                "answered OK, % of planned",
                type="log",
                autorange="reversed",
                tickvals=ticks,
                ticktext=[f"{100 - tick:g}" for tick in ticks],
            ),
            "shapes": slo,
        },
    }
    where = at(step)
    names = ", ".join(dict.fromkeys(c.name for c in curves))
    said = f"Share of planned requests answered OK within a response time at {where}, for {names}"
    high = 330 + legend_room(whole["data"])
    yield Chart(f"cdf-{step.index}", f"{where}: all of it", whole, f"{said}.", high)
    yield Chart(f"tail-{step.index}", f"{where}: the tail", tail, f"{said}, tail stretched.", high)


def _reach(results: Results, curves: list["_Curve"]) -> list[float]:
    """Decades from a little before the fastest answer to a little after the slowest or the SLO."""
    ends = [float(end) for c in curves for end in (c.times_ms[0], c.times_ms[-1])]
    if results.slo:
        ends.append(results.slo.response_time_s * 1e3)
    return decades(ends)


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """A part of a SUT's distribution; ``answers`` of ``planned`` make up the whole."""

    name: str
    colour: str
    dash: str
    times_ms: Floats
    share: Floats
    faint: bool
    legend: bool
    answers: int
    planned: int


def _curves(results: Results, cell: Cell) -> Iterator[_Curve]:
    """The SUT's curve, parted where fewer than ten samples lie beyond; faint if not trusted."""
    trials = cell.trusted or tuple(t for t in cell.trials if t.picture is not None)
    pictures = [t.picture for t in trials if t.picture is not None]
    planned = sum(p.planned for p in pictures)
    if not planned or not any(len(p.responses_s) for p in pictures):
        return
    values, counts = thinned(np.sort(np.concatenate([p.responses_s for p in pictures])))
    name = cell.sut.key if cell.trusted else f"{cell.sut.key} (not trusted)"
    colour, dash = look(results, cell.sut.key)
    last = counts[-1]
    firm = int(np.searchsorted(counts, last - BEYOND, side="right"))
    for part, faint in ((slice(0, firm), False), (slice(max(firm - 1, 0), None), True)):
        if len(values[part]):
            times, share = values[part] * 1e3, counts[part] / planned
            dashed = "dot" if faint or not cell.trusted else dash
            legend = not faint or firm == 0
            yield _Curve(name, colour, dashed, times, share, faint, legend, int(last), planned)


def _curve(curve: _Curve, *, tail: bool) -> Trace:
    more = f"<br>fewer than {BEYOND} of them beyond" if curve.faint else ""
    percent = curve.share * 100
    missing = 100 - percent
    shown = missing if tail else percent
    keep = missing > 0 if tail else _even(percent)  # a logarithm has no place for nothing missing
    return {
        "type": "scatter",
        "mode": "lines",
        "name": curve.name,
        "legendgroup": curve.name,
        "showlegend": curve.legend,
        "x": numbers(curve.times_ms[keep]),
        "y": [float(f"{value:.5g}") for value in shown[keep]],
        "customdata": [[float(f"{value:.5g}"), curve.answers] for value in percent[keep]],
        "meta": {"columns": ["answered_percent", "n"]},
        "hovertemplate": f"<b>{curve.name}</b><br>%{{customdata[0]:.4~g}} % within %{{x:.4~g}} ms"
        f"<br>n = {curve.answers:,} answers of {curve.planned:,} planned{more}<extra></extra>",
        "line": {"color": curve.colour, "dash": curve.dash, "width": 1 if curve.faint else 2},
    }


def _even(percent: Floats) -> npt.NDArray[np.int64]:
    """Points as even in height as a plain scale can show; the tail's own chart has the rest."""
    heights = np.linspace(percent[0], percent[-1], GRID_POINTS // 2)
    return np.unique(np.searchsorted(percent, heights).clip(0, len(percent) - 1))
