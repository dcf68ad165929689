"""A run, measured: every trial's values, and the estimates over the trials that can be trusted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.record import RunRecord, Step, Sut, TrialRecord
from reports.capacity import Capacity, capacities
from reports.ceiling import CeilingEstimate, ceilings
from reports.compare import Comparison, compare
from reports.estimate import LEVEL, Estimate, Missing, Value, over_blocks, within
from reports.frames import Run
from reports.metrics import METRICS
from reports.pictures import Picture
from reports.prices import PriceSheet
from reports.slo import Slo, slo_of
from reports.trial_result import TrialResult, Yardstick

INFINITY = float("inf")


def _trusted(trials: tuple[TrialResult, ...]) -> tuple[TrialResult, ...]:
    return tuple(t for t in trials if t.record.valid and t.picture is not None)


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One stage of one SUT at one step: the mean answer's time, milliseconds, and its batch."""

    stage: str
    wall_ms: Estimate
    queue_ms: Estimate
    compute_ms: Estimate
    wait_ms: Estimate
    hop_ms: Estimate
    batch_size: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One SUT at one step, over its blocks.

    Attributes:
        trials: every trial that was recorded; the schedule may hold more.
        estimates: by metric, over trusted trials only.
        cpu_ms / cores / pss_mb / gpu_mb: by component; ``gpu_mb`` is empty without a GPU.
    """

    sut: Sut
    step: Step
    trials: tuple[TrialResult, ...]
    estimates: Mapping[str, Estimate]
    stages: tuple[StageEstimate, ...]
    cpu_ms: Mapping[str, Estimate]
    cores: Mapping[str, Estimate]
    pss_mb: Mapping[str, Estimate]
    gpu_mb: Mapping[str, Estimate]

    @property
    def trusted(self) -> tuple[TrialResult, ...]:
        """The trials its estimates rest on."""
        return _trusted(self.trials)

    def by_block(self, metric: str) -> dict[int, Value]:
        """The metric's value in each trusted block."""
        return {t.record.place.block: t.values[metric] for t in self.trusted}


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Everything a page or a summary says in numbers.

    Attributes:
        prices: None where no price sheet was given.
        probes: the trials of capacity searches, which no cell holds.
        capacities: of the SUTs that were searched.
    """

    run: Run
    slo: Slo | None
    ceilings: tuple[CeilingEstimate, ...]
    cells: tuple[Cell, ...]
    prices: PriceSheet | None = None
    probes: tuple[TrialResult, ...] = ()
    capacities: tuple[Capacity, ...] = ()

    @property
    def record(self) -> RunRecord:
        """The run as recorded."""
        return self.run.record

    def cell(self, sut: str, step: int) -> Cell:
        """One SUT at one step."""
        return next(c for c in self.cells if c.sut.key == sut and c.step.index == step)

    def at(self, step: int, *, answers: bool = True) -> list[Cell]:
        """A step's cells: of the SUTs that answer with a model, or of those that do not."""
        return [c for c in self.cells if c.step.index == step and c.sut.answers == answers]

    def left_out(self) -> list[TrialRecord]:
        """Recorded trials that cannot be trusted."""
        return [trial for trial in self.run.trials if not trial.valid]

    def comparison(self, this: Cell, other: Cell, metric: str, level: float = LEVEL) -> Comparison:
        """Two SUTs at one step, paired by block."""
        return compare(this.by_block(metric), other.by_block(metric), level)


def measure_run(run: Run, prices: PriceSheet | None = None) -> Results:
    """Read and measure every trial, one at a time.

    Args:
        run: as recorded.
        prices: what its resources cost; without it no figure in money is given.
    """
    slo = slo_of(run.record.scenario)
    measured = Yardstick(run, slo, prices).measured
    cells = tuple(_cells(run.record, [measured(trial) for trial in run.trials]))
    probes = tuple(measured(probe) for probe in run.probes)
    found = tuple(capacities(run.record, run.searches, probes))
    return Results(run, slo, ceilings(run.record), cells, prices, probes, found)


def _cells(record: RunRecord, trials: list[TrialResult]) -> Iterator[Cell]:
    for step in record.steps:
        for sut in record.suts:
            places = ((t, t.record.place) for t in trials)
            mine = tuple(t for t, p in places if (p.sut, p.step) == (sut.key, step.index))
            yield _cell(sut, step, mine)


def _cell(sut: Sut, step: Step, trials: tuple[TrialResult, ...]) -> Cell:
    trusted = _trusted(trials)
    estimates = {
        metric.key: within(
            over_blocks([t.values[metric.key] for t in trusted], metric.scale), *metric.bounds
        )
        for metric in METRICS
    }
    return Cell(sut, step, trials, estimates, **_pictured(trusted))


def glimpse(cell: Cell) -> Cell:
    """The cell, or where it has no trusted trial its last played one, marked: to draw, no more."""
    played = [trial for trial in cell.trials if trial.picture is not None]
    if cell.trusted or not played:
        return cell
    seen = _pictured([played[-1]])
    name = f"{cell.sut.key} (not trusted)"
    return replace(cell, sut=cell.sut.model_copy(update={"key": name}), **seen)


def _pictured(trials: Iterable[TrialResult]) -> dict[str, Any]:
    """The parts of a cell that come from its trials' pictures."""
    pictures = [t.picture for t in trials if t.picture is not None]
    return {
        "stages": _stages(pictures),
        "cpu_ms": _by_component([p.cpu_ms for p in pictures]),
        "cores": _by_component([p.cores for p in pictures]),
        "pss_mb": _by_component([p.pss_mb for p in pictures]),
        "gpu_mb": _by_component([p.gpu_mb for p in pictures]),
    }


def _stages(pictures: list[Picture]) -> tuple[StageEstimate, ...]:
    names = dict.fromkeys(name for p in pictures for name in p.stages)
    found = []
    for name in names:
        rows = [p.stages[name] for p in pictures if name in p.stages]
        columns = (
            over_blocks([getattr(row, column) for row in rows], "linear")
            for column in (
                "wall_ms",
                "queue_ms",
                "compute_ms",
                "wait_ms",
                "hop_ms",
                "batch_size",
            )
        )
        found.append(StageEstimate(name, *(within(c, 0, INFINITY) for c in columns)))
    return tuple(found)


def _by_component(readings: list[Mapping[str, Value]]) -> dict[str, Estimate]:
    names = dict.fromkeys(name for reading in readings for name in reading)
    absent = Missing("this component was not in every block")
    values = {name: [reading.get(name, absent) for reading in readings] for name in names}
    return {name: within(over_blocks(v, "linear"), 0, INFINITY) for name, v in values.items()}
