"""The page's sections, in reading order: what is shown, and after what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.record import Step
from reports import (
    capacity_tables,
    cost_tables,
    deployment_tables,
    record_tables,
    tables,
    usage_tables,
)
from reports.charts.capacity import capacity_charts
from reports.charts.components import component_bars
from reports.charts.cost import cost_charts
from reports.charts.figure import Chart
from reports.charts.load_usage import usage_against_load
from reports.charts.responses import response_times
from reports.charts.series import time_series
from reports.charts.side_by_side import side_by_side
from reports.charts.start_up import start_up_charts
from reports.charts.sweep import sweep
from reports.charts.violin import violins
from reports.charts.ways import stage_charts
from reports.deployment import deployments
from reports.deployment_beside import effort_beside
from reports.patterns import tables as pattern_tables
from reports.patterns.charts import learning_charts
from reports.results import Cell, Results
from reports.saturation import compared_steps, steps_by_rate
from reports.tables import Table
from reports.wording import DASH

MOST_ABREAST = 4
"""Load steps that are all laid out; of more, those that the answer speaks of."""

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


def sections(results: Results) -> list[Section]:
    """The page after the answer, in reading order; a run without load steps has fewer."""
    every = [
        *_capacity(results),
        _side_by_side(results),
        _saturation(results),
        _responses(results),
        Section(
            "series", "Over time", _present([time_series(results, c) for c in _by_rate(results)])
        ),
        _stages(results),
        *_patterns(results),
        _usage(results),
        _cost(results),
        *_deployment(results),
        *_floor(results),
        *_evidence(results),
    ]
    return [section for section in every if results.record.steps or section.filled]


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


def _saturation(results: Results) -> Section:
    """The curves; the table is folded where there are some."""
    charts, table = list(sweep(results)), _present([tables.saturation(results)])
    title = "Offered and answered"
    if charts:
        return Section("saturation", title, charts, folded=table)
    return Section("saturation", title, tables=table)


def _responses(results: Results) -> Section:
    """Every step's distribution; block by block where the answer speaks of it."""
    steps, spoken = steps_by_rate(results), _spoken(results)
    curves = [chart for step in steps for chart in response_times(results, step)]
    by_block = _present([violins(results, step) for step in spoken])
    folded = _present([tables.comparisons(results, step) for step in steps])
    return Section("response", "Response times", [*curves, *by_block], folded=folded)


def _stages(results: Results) -> Section:
    """A request's way through each architecture; of many steps, those the answer speaks of."""
    return Section(
        "stages",
        "Where a request's time goes",
        [chart for step in _spoken(results) for chart in stage_charts(results, step)],
        folded=_present(
            [tables.stages(results.at(s.index), s) for s in steps_by_rate(results)],
        ),
    )


def _patterns(results: Results) -> list[Section]:
    """Only where the SUTs told what their graphs are made of, or their answers were scored."""
    found = list(pattern_tables.every_table(results))
    charts = learning_charts(results)
    section = Section("patterns", "By graph and pattern", charts, tables=found, small=True)
    return [section] if section.filled else []


def _usage(results: Results) -> Section:
    """What SUTs use, against the load, and of a request."""
    steps, spoken = steps_by_rate(results), _spoken(results)
    kinds = (usage_tables.components, usage_tables.moved, usage_tables.gpus)
    bars = [chart for step in spoken for chart in component_bars(results, step)]
    return Section(
        "usage",
        "What it uses",
        [*usage_against_load(results), *bars],
        folded=_present([kind(results, step) for kind in kinds for step in steps]),
    )


def _cost(results: Results) -> Section:
    """What that costs, and how near it comes to the ceiling."""
    steps, spoken = steps_by_rate(results), _spoken(results)
    at_capacity = cost_tables.capacity_costs(results)
    priced = {step: cost_tables.step_costs(results, step) for step in steps}
    shown = [at_capacity] if at_capacity else [t for s in spoken if _says(t := priced[s])]
    others = [table for table in priced.values() if table not in shown]
    return Section(
        "cost",
        "What it costs",
        list(cost_charts(results, spoken)),
        tables=_present(shown),
        folded=_present([*others, cost_tables.prices(results)]),
    )


def _says(table: Table | None) -> bool:
    """Whether it has a figure: at an overload there may be no good answer to price."""
    return table is not None and any(c.text != DASH for row in table.rows for c in row[1:])


def _deployment(results: Results) -> list[Section]:
    """How SUTs come up, and what deploying them takes; only where one was deployed and measured."""
    every = list(deployments(results))
    made_of = deployment_tables.deployed(results, every)
    measured = deployment_tables.beside(results, effort_beside(results))
    if made_of is None:
        return []
    charts = list(start_up_charts(results, every))
    return [
        Section("start-up", "Start-up", charts),
        Section("deployment", "Deployment effort", tables=[made_of, *measured]),
    ]


def _floor(results: Results) -> list[Section]:
    """Only where a SUT without a model was measured."""
    table = tables.floor(results)
    return [Section("floor", "The measurement floor", tables=[table])] if table else []


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


def _present(items: Sequence[Item | None]) -> list[Item]:
    return [item for item in items if item is not None]


def _by_rate(results: Results) -> list[Cell]:
    order = {step.index: i for i, step in enumerate(steps_by_rate(results))}
    return sorted(results.cells, key=lambda cell: order[cell.step.index])
