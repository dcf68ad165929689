"""A metric of one SUT, block by block, whichever kind of record holds it."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.effort.record import EffortRow
from reports.claims.evidence import CODE_LINES
from reports.effort.found import FIGURES, Found
from reports.estimate import Estimate, Missing, Scale, Value, over_blocks, within
from reports.metrics import BY_KEY
from reports.results import Results
from reports.trial_result import TrialResult

_COUNTS = ("models", "processes", "ports", "hops", "settings")
_SHARES = ("error_share", "shed_share", "slo_share")
"""Shares of planned requests, so that their number bounds how well they are known."""

_POSITIVE = (0.0, float("inf"))


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        values: block, or repeat, -> value, of those that can be trusted.
        left_out: blocks, or repeats, that were played and cannot be trusted.
        counts: whether it is counted, so that equal repeats leave no doubt.
        source: whether it is counted in the source, where nothing repeats.
        requests: of a share of requests: how many it is of, all blocks together; otherwise 0.
    """

    values: Mapping[int, Value]
    name: str
    unit: str
    scale: Scale = "linear"
    bounds: tuple[float, float] = _POSITIVE
    left_out: int = 0
    counts: bool = False
    source: bool = False
    requests: int = 0

    @property
    def estimate(self) -> Estimate:
        """The figure by itself, at the usual level."""
        if self.source:
            value = next(iter(self.values.values()))
            assert isinstance(value, float)  # noqa: S101 - counted
            return Estimate(value, None, None, 1, "counted in the source")
        return within(over_blocks(list(self.values.values()), self.scale), *self.bounds)


def of_run(results: Results, sut: str, step: str, key: str) -> Reading:
    """A metric of one SUT at one load step of a run; without values where it was not played."""
    metric = BY_KEY[key]
    cells = [c for c in results.cells if (c.sut.key, c.step.asked) == (sut, step)]
    values = {block: value for cell in cells for block, value in cell.by_block(key).items()}
    trusted = [trial for cell in cells for trial in cell.trusted]
    return Reading(
        values=values,
        name=metric.name,
        unit=metric.unit,
        scale=metric.scale,
        bounds=metric.bounds,
        left_out=sum(len(cell.trials) for cell in cells) - len(trusted),
        requests=sum(map(_planned, trusted)) if key in _SHARES else 0,
    )


def _planned(trial: TrialResult) -> int:
    """Requests that a trial's plan has in steady state."""
    offered, phases = trial.values["offered_rps"], trial.record.phases
    if isinstance(offered, Missing) or phases is None:
        return 0
    return round(offered * (phases.end_ns - phases.steady_ns) / 1e9)


def of_effort(found: Found, sut: str, deployment: str, key: str) -> Reading:
    """A figure of one SUT's deployment, repeat by repeat; lines of code have none."""
    if key == CODE_LINES:
        lines = float(found.record.code_lines[sut])
        return Reading({0: lines}, "Wiring", "lines", counts=True, source=True)
    figure = next(figure for figure in FIGURES if figure.key == key)
    wanted = (sut, deployment)
    every = [row for row in found.record.rows if (row.sut, row.deployment) == wanted]
    rows = found.rows(sut, deployment)
    return Reading(
        values={row.repeat: _value(row, key, figure.scale) for row in rows},
        name=figure.name,
        unit=figure.unit,
        scale="linear" if key in _COUNTS else "log",
        left_out=len(every) - len(rows),
        counts=key in _COUNTS,
    )


def _value(row: EffortRow, key: str, scale: float) -> Value:
    value = getattr(row, key)
    if value is not None:
        return float(value * scale)
    if key == "change_s":
        return Missing("a model is changed by deploying anew: no change was timed")
    return Missing("not recorded")
