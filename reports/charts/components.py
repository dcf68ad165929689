"""What each component uses."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.record import Step
from reports.charts.figure import PALETTE, Chart, axis, points, upright
from reports.claims import at
from reports.estimate import Estimate
from reports.results import Results, glimpse

_Drawing: TypeAlias = tuple[str, str, list[Mapping[str, Estimate]], list[dict[str, Any]]]
_NOTHING = Estimate(None, None, None, 0)


def component_bars(results: Results, step: Step) -> Iterator[Chart]:
    """CPU per request and memory, one bar a SUT, parted by component."""
    cells = [glimpse(cell) for cell in reversed(results.at(step.index))]
    best = next((c.cpu_ms.point for c in results.ceilings if c.best), None)
    ceiling = [upright(best, "ceiling")] if best else []
    drawings: tuple[_Drawing, ...] = (
        ("cpu", "CPU per request, CPU-ms", [c.cpu_ms for c in cells], ceiling),
        ("pss", "PSS at its peak, MB", [c.pss_mb for c in cells], []),
    )
    for key, title, readings, shapes in drawings:
        if not any(readings):
            continue
        traces = []
        for i in range(max(len(reading) for reading in readings)):
            parts = [list(reading.items())[i : i + 1] for reading in readings]
            traces.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "y": [cell.sut.key for cell in cells],
                    "x": points(p[0][1] if p else _NOTHING for p in parts),
                    "text": [p[0][0] if p else "" for p in parts],
                    "textposition": "inside",
                    "textangle": 0,
                    "insidetextanchor": "middle",
                    "hovertemplate": "%{y} %{text}: %{x:.3~g}<extra></extra>",
                    "marker": {"color": f"--part-{i % PALETTE}"},
                }
            )
        layout = {
            "barmode": "stack",
            "showlegend": False,
            "xaxis": axis(title, rangemode="tozero"),
            "yaxis": {"automargin": True, "showgrid": False},
            "shapes": shapes,
        }
        yield Chart(
            f"{key}-{step.index}",
            f"{title.split(',', maxsplit=1)[0]} at {at(step)}",
            {"data": traces, "layout": layout},
            f"{title} of each SUT by component at {at(step)}; the table below has the numbers.",
            110 + 44 * len(cells),
        )
