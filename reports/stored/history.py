"""The figures over time: each stored value with the limit that the runs before it had set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reports.gate.metrics import GateMetric
from reports.stored.check import hold
from reports.stored.comparable import Difference, Peers, differences, peers
from reports.stored.figures import STORED
from reports.stored.limits import Limit
from reports.stored.record import StoredFigure, StoredRun

Mark: TypeAlias = Literal["comparable", "capped", "refused"]


@dataclass(frozen=True, slots=True)
class Point:
    """One run's value.

    Attributes:
        limit: of the runs before it that it is comparable with; None where they carry none.
        mark: how it stands to the newest run: comparable, capped at inconclusive, or refused.
        differences: why it is not simply comparable.
    """

    run: StoredRun
    figure: StoredFigure
    limit: Limit | None
    mark: Mark
    differences: tuple[Difference, ...]

    @property
    def beyond(self) -> bool:
        """Whether it lies beyond its limit."""
        value = self.figure.value
        return self.limit is not None and value is not None and self.limit.beyond(value)


@dataclass(frozen=True, slots=True)
class Course:
    """One metric of one SUT at one load step, oldest first."""

    sut: str
    step: str
    metric: GateMetric
    points: tuple[Point, ...]


def courses(runs: Sequence[StoredRun]) -> list[Course]:
    """Every series that has a value; SUT after SUT, step after step, in the newest run's order.

    Args:
        runs: oldest first.
    """
    before = [peers(run, runs[:place]) for place, run in enumerate(runs)]
    limits = [_limits(run, known) for run, known in zip(runs, before, strict=True)]
    found = []
    for sut, step in _places(runs):
        for metric in STORED:
            key = (sut, step, metric.key)
            points = tuple(_points(runs, limits, key))
            if any(point.figure.value is not None for point in points):
                found.append(Course(sut, step, metric, points))
    return found


def _limits(run: StoredRun, known: Peers) -> dict[tuple[str, str, str], Limit]:
    if not known.enough:
        return {}
    held = hold(run, known.runs)
    return {(h.sut, h.step, h.metric.key): h.limit for h in held if h.limit is not None}


def _points(
    runs: Sequence[StoredRun],
    limits: Sequence[dict[tuple[str, str, str], Limit]],
    key: tuple[str, str, str],
) -> Iterator[Point]:
    for run, known in zip(runs, limits, strict=True):
        figure = run.figure(*key)
        if figure is not None:
            yield Point(run, figure, known.get(key), *standing(run, runs[-1]))


def standing(run: StoredRun, newest: StoredRun) -> tuple[Mark, tuple[Difference, ...]]:
    """How a run stands to the newest one, and in what they differ."""
    refusing = differences(run.must_agree, newest.must_agree)
    if refusing:
        return "refused", refusing
    capping = differences(run.should_agree, newest.should_agree)
    return ("capped" if capping else "comparable"), capping


def _places(runs: Sequence[StoredRun]) -> list[tuple[str, str]]:
    return list(
        dict.fromkeys((series.sut, series.step) for run in reversed(runs) for series in run.series)
    )
