"""One HTML page that needs nothing but itself: the answer, and everything it rests on."""

import json
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from gzip import compress
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from harness.record import Step
from reports import capacity_tables, cost_tables, record_tables, tables, usage_tables
from reports.charts.capacity import capacity_charts
from reports.charts.components import component_bars
from reports.charts.figure import Chart
from reports.charts.responses import response_times
from reports.charts.series import time_series
from reports.charts.side_by_side import side_by_side
from reports.charts.stages import stage_bars
from reports.charts.sweep import sweep
from reports.answer import answer
from reports.patterns import tables as pattern_tables
from reports.patterns.charts import learning_charts
from reports.ranking import Sentence
from reports.results import Cell, Results, glimpse
from reports.saturation import compared_steps, steps_by_rate
from reports.tables import Table

TEMPLATES = "templates"
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        folded: tables that wait behind a summary line.
        small: whether its charts stand four abreast.
    """

    key: str
    title: str
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    folded: Sequence[Table] = ()
    small: bool = False

    @property
    def filled(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.charts or self.tables or self.folded)


def write_page(path: Path, results: Results) -> None:
    """Write the page; a half-written file is never left under this name."""
    partial = path.with_suffix(".partial")
    trials = os.path.relpath(results.run.directory / "trials", path.parent)
    partial.write_text(render(results, trials))
    partial.rename(path)


def render(results: Results, trials: str = "trials") -> str:
    """The whole page.

    Args:
        results: what to show.
        trials: where the trials' folders lie, relative to the page.
    """
    said = answer(results)
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            results=results,
            record=results.record,
            answers=_texts(said, "answer"),
            cautions=_texts(said, "caution"),
            sections=_sections(results),
            trials=trials,
            style=resource("report.css"),
            script=resource("report.js"),
            plotly=packed_plotly(),
            figure=figure,
        )
    )


def templates() -> Environment:
    """The pages' templates; what they are given is escaped, and a name they lack is an error."""
    return Environment(
        loader=PackageLoader("reports", TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def packed_plotly() -> str:
    """Plotly's source, compressed: as it stands it would be nine tenths of the page."""
    return b64encode(compress(get_plotlyjs().encode(), mtime=0)).decode()


def resource(name: str) -> Markup:
    """A file that stands in the page as it is."""
    text = (files("reports") / TEMPLATES / name).read_text()
    return Markup(text)  # noqa: S704 - a file of this package


def _texts(sentences: Sequence[Sentence], kind: str) -> list[str]:
    return [sentence.text for sentence in sentences if sentence.kind == kind]


def figure(chart: Chart) -> Markup:
    """A figure as JSON that cannot end its script element early."""
    text = json.dumps(chart.figure, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped right here


def _sections(results: Results) -> list[Section]:
    """The page after the answer, in reading order; a run without load steps has fewer."""
    steps = steps_by_rate(results)
    every = [
        *_capacity(results),
        _side_by_side(results),
        Section(
            "saturation",
            "Offered and answered",
            list(sweep(results)),
            tables=_present([tables.saturation(results)]),
        ),
        Section(
            "response",
            "Response times",
            [chart for step in steps for chart in response_times(results, step)],
            folded=_present([tables.comparisons(results, s) for s in steps]),
        ),
        Section(
            "series", "Over time", _present([time_series(results, c) for c in _by_rate(results)])
        ),
        Section(
            "stages",
            "Where a request's time goes",
            _stage_charts(results),
            folded=_present([tables.stages(results.at(s.index), s) for s in steps]),
        ),
        *_patterns(results),
        *_resources(results),
        *_floor(results),
        *_evidence(results),
    ]
    return [section for section in every if results.record.steps or section.filled]


MOST_ABREAST = 4
"""Load steps that are all laid out; of more, those that the answer speaks of."""


def _spoken(results: Results) -> list[Step]:
    """The load steps that are laid out; the others are folded."""
    steps = steps_by_rate(results)
    return steps if len(steps) <= MOST_ABREAST else compared_steps(results)


def _side_by_side(results: Results) -> Section:
    """The headline's figures; in a sweep only where SUTs are compared, the other steps folded."""
    steps, spoken = steps_by_rate(results), _spoken(results)
    return Section(
        "answer",
        "Side by side",
        [chart for step in spoken for chart in side_by_side(results, step)],
        tables=[tables.headline(results, step) for step in spoken],
        folded=[tables.headline(results, step) for step in steps if step not in spoken],
        small=True,
    )


def _capacity(results: Results) -> list[Section]:
    """Only where capacities were searched for."""
    table = capacity_tables.capacity(results)
    if table is None:
        return []
    folded = _present([capacity_tables.searches(results), capacity_tables.probes(results)])
    charts = list(capacity_charts(results))
    return [Section("capacity", "Capacity", charts, tables=[table], folded=folded)]


def _patterns(results: Results) -> list[Section]:
    """Only where the SUTs told what their graphs are made of, or their answers were scored."""
    tables = list(pattern_tables.every_table(results))
    charts = learning_charts(results)
    found = Section("patterns", "By graph and pattern", charts, tables=tables, small=True)
    return [found] if found.filled else []


def _resources(results: Results) -> list[Section]:
    """What SUTs use, and what that costs."""
    steps, spoken = steps_by_rate(results), _spoken(results)
    at_capacity = cost_tables.capacity_costs(results)
    priced = {step: cost_tables.step_costs(results, step) for step in steps}
    shown = [at_capacity] if at_capacity else [priced[step] for step in spoken]
    kinds = (usage_tables.components, usage_tables.moved, usage_tables.gpus)
    return [
        Section(
            "usage",
            "What it uses",
            [chart for step in steps for chart in component_bars(results, step)],
            folded=_present([kind(results, step) for kind in kinds for step in steps]),
        ),
        Section(
            "cost",
            "What it costs",
            tables=_present(shown),
            folded=_present(
                [
                    *(table for table in priced.values() if table not in shown),
                    cost_tables.prices(results),
                ]
            ),
        ),
    ]


def _evidence(results: Results) -> list[Section]:
    """What everything above rests on."""
    return [
        Section(
            "trials",
            "Can the trials be trusted?",
            tables=[record_tables.validity(results)],
            folded=_present([record_tables.conditions(results)]),
        ),
        Section("accuracy", "Accuracy under load", tables=[record_tables.accuracy(results)]),
        Section(
            "every",
            "Every figure",
            folded=_present(
                [
                    *(tables.every_metric(results, s) for s in steps_by_rate(results)),
                    record_tables.trial_values(results),
                ]
            ),
            tables=[record_tables.definitions()],
        ),
        Section("environment", "Environment", tables=record_tables.environment(results)),
    ]


def _floor(results: Results) -> list[Section]:
    """Only where a SUT without a model was measured."""
    table = tables.floor(results)
    return [Section("floor", "The measurement floor", tables=[table])] if table else []


def _present(items: Sequence[Item | None]) -> list[Item]:
    return [item for item in items if item is not None]


def _by_rate(results: Results) -> list[Cell]:
    order = {step.index: i for i, step in enumerate(steps_by_rate(results))}
    return sorted(results.cells, key=lambda cell: order[cell.step.index])


def _stage_charts(results: Results) -> list[Chart]:
    """One scale for all SUTs of a step, so that bars compare by eye."""
    charts = []
    for step in steps_by_rate(results):
        cells = [glimpse(cell) for cell in results.at(step.index)]
        walls = [s.wall_ms.point for c in cells for s in c.stages if s.wall_ms.point is not None]
        longest = max(walls, default=1.0)
        charts += _present([stage_bars(cell, longest) for cell in cells])
    return charts
