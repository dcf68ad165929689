"""A request's way through each SUT: a waterfall where its graphs are told, else bars a stage."""

from collections.abc import Iterator

from harness.record import Step
from reports.charts.figure import Chart
from reports.charts.stages import stage_bars
from reports.charts.waterfall import waterfall_chart
from reports.results import Results, glimpse
from reports.waterfall import waterfalls


def stage_charts(results: Results, step: Step) -> Iterator[Chart]:
    """Waterfalls on scales of their own, for one SUT may take many times as long as another."""
    cells = results.at(step.index)
    falls = [(glimpse(cell), list(waterfalls(cell))) for cell in cells]
    walls = [s.wall_ms.point or 0.0 for cell, found in falls if not found for s in cell.stages]
    longest_ms = max(walls, default=0.0) or 1.0
    for cell, found in falls:
        for fall in found:
            yield waterfall_chart(cell, fall, several=len(found) > 1)
        bars = None if found else stage_bars(cell, longest_ms)
        if bars is not None:
            yield bars
