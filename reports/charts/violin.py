"""Response times as violins, one a SUT and block: how one block differs from the next.

No kernel: a violin is as wide as the share of answers that fell into each of a few slices of a
logarithmic scale, counted from every answer. The slowest answers stand as dots, each of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.record import Step
from reports.answer import at
from reports.charts.figure import Chart, Trace, decades, level, log_axis, look, numbers
from reports.estimate import BEYOND, Floats, Missing
from reports.results import Cell, Results
from reports.wording import number, plural

MOST_SLICES = 64
FEWEST_SLICES = 16
"""Of the whole chart, so that violins of one chart compare: more where answers are many, for a
slice with a handful of them shows chance."""

HALF = 0.46
"""Half of every violin's greatest width, where neighbours stand 1 apart."""

PLOT_PX = 440
LEVEL_NAMES = 3
"""SUTs whose names fit beside each other."""

_MARKS = (("response_p50_ms", "median"), ("response_p95_ms", "p95"))


@dataclass(frozen=True, slots=True, eq=False)
class _Violin:
    """One trial's answers.

    Attributes:
        at: where it stands.
        times_ms: ascending.
        shares: of its answers, a slice each.
        marks: percentiles as the tables have them, by metric; NaN where not carried.
    """

    sut: str
    block: int
    trusted: bool
    at: float
    times_ms: Floats
    planned: int
    shares: Floats
    marks: dict[str, float]

    @property
    def words(self) -> str:
        """Which trial it is, and how many answers it rests on."""
        doubt = "" if self.trusted else ", not trusted"
        return (
            f"<b>{self.sut}</b>, block {self.block}{doubt}<br>"
            f"n = {plural(len(self.times_ms), 'answer')} of {self.planned:,} planned"
        )


def violins(results: Results, step: Step) -> Chart | None:
    """One chart: SUTs side by side, their blocks beside each other."""
    cells = results.at(step.index)
    played = [t.picture.responses_s for c in cells for t in c.trials if t.picture is not None]
    known = [times for times in played if len(times)]
    if not known:
        return None
    ends = [float(times[i]) * 1e3 for times in known for i in (0, -1)]
    edges = np.geomspace(min(ends) * 0.999, max(ends) * 1.001, _slices(known) + 1)
    groups = _placed(cells, edges)
    slo_ms = results.slo.response_time_s * 1e3 if results.slo else None
    names = {v.sut: [w.at for w in group] for group in groups for v in group}
    last = max(max(places) for places in names.values())
    many = len(names) > LEVEL_NAMES
    layout = {
        "xaxis": {
            "tickvals": [float(np.mean(places)) for places in names.values()],
            "ticktext": list(names) if many else [name.replace(":", ":<br>") for name in names],
            "tickangle": -35 if many else 0,
            "range": [-0.8, last + 0.8],
            "showgrid": False,
        },
        "yaxis": log_axis(
            "response time, ms", range=decades([*ends, *([slo_ms] if slo_ms else [])])
        ),
        "shapes": [level(slo_ms, "SLO")] if slo_ms else [],
        "showlegend": False,
        "hovermode": "closest",
    }
    traces = [t for group in groups for t in _drawn(results, group, edges, PLOT_PX / (last + 1.6))]
    where = at(step)
    return Chart(
        f"violin-{step.index}",
        f"{where}: block by block",
        {"data": traces, "layout": layout},
        f"Response times at {where}, a violin a block of each SUT: as wide as the share of answers "
        "that took so long, each to the same greatest width, with its median (line), p95 (diamond) "
        "and its ten slowest answers (dots).",
        430 if many else 380,
    )


def _slices(known: list[Floats]) -> int:
    """As many as the square root of the median trial's answers, within bounds."""
    answers = float(np.median([len(times) for times in known]))
    return int(np.clip(np.sqrt(answers), FEWEST_SLICES, MOST_SLICES))


def _placed(cells: list[Cell], edges: Floats) -> list[list[_Violin]]:
    """A SUT's blocks 1 apart, SUTs a place further."""
    groups, at_x = [], 0.0
    for cell in cells:
        group = []
        for trial in cell.trials:
            picture = trial.picture
            if picture is None or not len(picture.responses_s):
                continue
            times_ms = picture.responses_s * 1e3
            counts, _ = np.histogram(times_ms, edges)
            values = {key: trial.values[key] for key, _ in _MARKS}
            group.append(
                _Violin(
                    cell.sut.key,
                    trial.record.place.block,
                    trial.record.valid,
                    at_x,
                    times_ms,
                    picture.planned,
                    counts / len(times_ms),
                    {k: np.nan if isinstance(v, Missing) else v for k, v in values.items()},
                )
            )
            at_x += 1
        if group:
            groups.append(group)
            at_x += 0.8
    return groups


def _drawn(
    results: Results, group: list[_Violin], edges: Floats, apart_px: float
) -> Iterator[Trace]:
    colour, _ = look(results, group[0].sut)
    ink = {"color": "--ink", "line": {"width": 2, "color": "--ink"}}
    line = {"symbol": "line-ew-open", "size": float(np.clip(apart_px * 0.55, 5, 20)), **ink}
    dot = {"symbol": "diamond", "size": 7, "color": "--ink"}
    for one in group:
        yield _outline(one, edges, colour)
    for (key, name), marker in zip(_MARKS, (line, dot), strict=True):
        values = [[one.marks[key]] for one in group]
        yield {**_dots(group[0].sut, name, group, values), "marker": marker}
    slowest = [v.times_ms[-BEYOND:].tolist() for v in group]
    yield {
        **_dots(group[0].sut, "slowest answers", group, slowest),
        "marker": {"symbol": "circle", "size": 4, "color": colour, "opacity": 0.8},
    }


def _outline(one: _Violin, edges: Floats, colour: str) -> Trace:
    """Down one side and up the other, from the fastest slice with an answer to the slowest."""
    filled = np.flatnonzero(one.shares)
    part = slice(filled[0], filled[-1] + 1)
    half = np.repeat(one.shares[part] / one.shares.max() * HALF, 2)
    heights = np.repeat(edges[filled[0] : filled[-1] + 2], 2)[1:-1]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{one.sut}, block {one.block}",
        "x": numbers([*(one.at + half), *(one.at - half)[::-1]]),
        "y": numbers([*heights, *heights[::-1]]),
        "fill": "toself",
        "hoverinfo": "skip",
        "opacity": 1 if one.trusted else 0.45,
        "line": {"color": colour, "width": 1, "dash": "solid" if one.trusted else "dot"},
    }


def _dots(sut: str, name: str, group: list[_Violin], values: list[list[float]]) -> Trace:
    """Marks of a SUT's violins, one or more each, with the answers they rest on."""
    pairs = [(v, value) for v, of in zip(group, values, strict=True) for value in of]
    pairs = [(v, value) for v, value in pairs if np.isfinite(value)]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{sut}, {name}",
        "x": numbers(v.at for v, _ in pairs),
        "y": numbers(value for _, value in pairs),
        "customdata": [[v.block, len(v.times_ms)] for v, _ in pairs],
        "meta": {"columns": ["block", "n"]},
        "hovertext": [f"{v.words}<br>{name}: {number(value)} ms" for v, value in pairs],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
