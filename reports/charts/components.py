"""What each component uses."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from harness.record import Step
from reports.answer import at
from reports.charts.figure import PALETTE, Chart, Trace, axis, points, upright
from reports.charts.hover import COLUMNS, told
from reports.estimate import Estimate
from reports.results import Results, glimpse

_Readings: TypeAlias = list[Mapping[str, Estimate]]
_NOTHING = ("", Estimate(None, None, None, 0))


def component_bars(results: Results, step: Step) -> Iterator[Chart]:
    """CPU per request and memory, one bar a SUT, parted by component."""
    cells = [glimpse(cell) for cell in reversed(results.at(step.index))]
    best = next((c.cpu_ms.point for c in results.ceilings if c.best), None)
    drawings: tuple[tuple[str, str, str, _Readings, float | None], ...] = (
        ("cpu", "CPU per request", "CPU-ms", [c.cpu_ms for c in cells], best),
        ("pss", "PSS at its peak", "MB", [c.pss_mb for c in cells], None),
        ("gpu", "GPU memory at its peak", "MB", [c.gpu_mb for c in cells], None),
    )
    for key, name, unit, readings, ceiling in drawings:
        if not any(readings):
            continue
        title = f"{name}, {unit}"
        traces = list(_parts([cell.sut.key for cell in cells], readings, unit))
        layout = {
            "barmode": "stack",
            "showlegend": False,
            "xaxis": axis(title, range=[0, 1.1 * _longest(readings, ceiling)]),
            "yaxis": {
                "automargin": True,
                "showgrid": False,
                "range": [-0.5, len(cells) - (0.15 if ceiling else 0.5)],  # room for its name
            },
            "shapes": [upright(ceiling, "ceiling")] if ceiling else [],
        }
        yield Chart(
            f"{key}-{step.index}",
            f"{name} at {at(step)}",
            {"data": traces, "layout": layout},
            f"{title} of each SUT by component at {at(step)}.",
            110 + 44 * len(cells),
        )


def _parts(suts: list[str], readings: _Readings, unit: str) -> Iterator[Trace]:
    """The i-th component of every SUT, for each i: Plotly stacks trace upon trace."""
    rows = [list(reading.items()) for reading in readings]
    for i in range(max(map(len, rows))):
        found = [row[i] if i < len(row) else _NOTHING for row in rows]
        yield {
            "type": "bar",
            "orientation": "h",
            "y": suts,
            "x": points(estimate for _, estimate in found),
            "text": [name for name, _ in found],
            "textposition": "inside",
            "textangle": 0,
            "insidetextanchor": "middle",
            "marker": {"color": f"--part-{i % PALETTE}"},
            **_told([estimate for _, estimate in found], [name for name, _ in found], unit),
        }


def _told(found: list[Estimate], names: list[str], unit: str) -> Trace:
    """The bars' interval and n, and which component each is."""
    trace = told(found, unit, "<b>%{y}</b>, %{text}")
    rows = zip(trace["customdata"], names, strict=True)
    return {
        **trace,
        "customdata": [[*row, name] for row, name in rows],
        "meta": {"columns": [*COLUMNS, "component"]},
    }


def _longest(readings: _Readings, ceiling: float | None) -> float:
    sums = [sum(e.point or 0.0 for e in reading.values()) for reading in readings]
    return max([*sums, ceiling or 0.0, 1e-9])
