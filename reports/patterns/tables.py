"""What graphs are measured by beyond response time, goodput and cost, as tables."""

from collections.abc import Iterator, Sequence
from functools import partial

from harness.record import Step
from reports.estimate import Value
from reports.patterns.facts import PatternFacts, over_trials
from reports.patterns.occurrences import chosen, events, regret, segments, versions
from reports.results import Cell, Results
from reports.saturation import steps_by_rate
from reports.tables import Shown, Table, offered, shown, swatch
from reports.wording import inside

_TIMINGS = (
    ("models", "Models", "per answer"),
    ("compute_ms", "Compute", "ms per answer"),
    ("wait_ms", "I/O wait", "ms per answer"),
    ("straggler_ms", "Straggler", "ms"),
    ("imbalance", "Imbalance", "1 is even"),
)


def graphs(results: Results, step: Step) -> Table | None:
    """A row a SUT and graph: models touched, where time goes, who is waited for."""
    rows = []
    for cell, facts in _cells(results, step):
        names = dict.fromkeys(name for one in facts for name in one.timings)
        for name in names:
            figures = [
                shown(over_trials(facts, partial(_timing, name, key)), unit.split()[0])
                for key, _, unit in _TIMINGS
            ]
            rows.append([_sut(results, cell), Shown(name, tone="text"), *figures])
    head = [Shown("SUT"), Shown("Graph", tone="text")]
    head += [Shown(name, unit) for _, name, unit in _TIMINGS]
    note = (
        "Compute counts a whole batch for each of its members, for all of them wait for it. "
        "I/O wait is of stages that wait for a database, a store or another service. Straggler is "
        "how much longer the slowest of models side by side took than their mean. Imbalance is "
        "over the models that run for some answers only."
    )
    return (
        Table(f"By graph, {inside(offered(step))}", head, rows, note, wide=True) if rows else None
    )


def _timing(graph: str, key: str, facts: PatternFacts) -> Value | None:
    timings = facts.timings.get(graph)
    value: Value | None = getattr(timings, key) if timings else None
    return value


def quality(results: Results, step: Step) -> Table | None:
    """How good answers were under load, by measure."""
    rows = []
    for cell, facts in _cells(results, step):
        pairs = dict.fromkeys(
            (graph, measure)
            for one in facts
            for graph, measures in one.quality.items()
            for measure in measures
        )
        for graph, measure in pairs:
            found = over_trials(facts, partial(_score, graph, measure))
            answers = sum(one.scored.get(graph, 0) for one in facts)
            rows.append(
                [
                    _sut(results, cell),
                    Shown(graph, tone="text"),
                    Shown(measure, tone="text"),
                    shown(found, "share"),
                    Shown(f"{answers:,}"),
                ]
            )
    head = [Shown("SUT"), Shown("Graph", tone="text"), Shown("Measure", tone="text")]
    head += [Shown("Right", "mean score"), Shown("Answers")]
    return Table(f"How good answers were, {inside(offered(step))}", head, rows) if rows else None


def _score(graph: str, measure: str, facts: PatternFacts) -> Value | None:
    return facts.quality.get(graph, {}).get(measure)


_KINDS = (graphs, quality, chosen, regret, versions, segments, events)


def every_table(results: Results) -> Iterator[Table]:
    """All that there is, step by step."""
    for step in steps_by_rate(results):
        made = (kind(results, step) for kind in _KINDS)
        yield from (table for table in made if table is not None)


def _cells(results: Results, step: Step) -> Iterator[tuple[Cell, Sequence[PatternFacts]]]:
    for cell in results.at(step.index):
        yield cell, [trial.patterns for trial in cell.trusted]


def _sut(results: Results, cell: Cell) -> Shown:
    return Shown(cell.sut.key, swatch=swatch(results, cell.sut.key))
