"""Quality as time went by, with what was done meanwhile."""

from collections.abc import Iterator

from harness.record import Step
from reports.answer import at
from reports.charts.figure import Chart, Trace, axis, look, numbers, upright
from reports.results import Cell, Results
from reports.saturation import steps_by_rate


def learning_charts(results: Results) -> list[Chart]:
    """A chart a step, graph and measure, of trials with events: a line a block and SUT."""
    return [chart for step in steps_by_rate(results) for chart in _of_step(results, step)]


def _of_step(results: Results, step: Step) -> Iterator[Chart]:
    cells = results.at(step.index)
    told = [t.patterns for cell in cells for t in cell.trusted if t.record.events]
    drawn = dict.fromkeys((c.graph, c.measure) for facts in told for c in facts.courses)
    for graph, measure in drawn:
        traces = [trace for cell in cells for trace in _traces(results, cell, graph, measure)]
        layout = {
            "xaxis": axis("seconds of steady state"),
            "yaxis": axis("mean score", range=[0, 1.05]),
            "shapes": [upright(when, name) for when, name in _events(cells)],
        }
        yield Chart(
            f"course-{step.index}-{graph}-{measure}".replace("/", "-"),
            f"{measure} of {graph} at {at(step)}",
            {"data": traces, "layout": layout},
            f"Mean score of {measure} over the steady state, a line a trial; lines mark events.",
        )


def _traces(results: Results, cell: Cell, graph: str, measure: str) -> Iterator[Trace]:
    colour, dash = look(results, cell.sut.key)
    shown = False
    for trial in cell.trusted:
        for one in trial.patterns.courses:
            if (one.graph, one.measure) == (graph, measure):
                yield {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": cell.sut.key,
                    "legendgroup": cell.sut.key,
                    "showlegend": not shown,
                    "x": numbers(one.at_s),
                    "y": numbers(one.scores),
                    "customdata": [[n] for n in one.n],
                    "meta": {"columns": ["n"]},
                    "line": {"color": colour, "dash": dash, "width": 1.4},
                    "marker": {"color": colour, "size": 4},
                    "hovertemplate": "%{x:.1f} s: %{y:.3~f}, n = %{customdata[0]}",
                }
                shown = True


def _events(cells: list[Cell]) -> list[tuple[float, str]]:
    """Of the first trial that has some: all trials have them at the same time."""
    for cell in cells:
        for trial in cell.trusted:
            sent = [one for one in trial.patterns.events if one.at_s is not None]
            if sent:
                return [(one.at_s or 0.0, one.event.action) for one in sent]
    return []
