"""Load steps as an axis: rates that are offered, or clients that ask at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.record import Step
from reports.charts.figure import axis
from reports.results import Cell, Results
from reports.saturation import steps_by_rate

LEAST_STEPS = 2
"""A curve needs two places."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps of one kind, least load first.

    Attributes:
        closed: whether they are closed loops; open and closed never share an axis.
    """

    closed: bool
    steps: tuple[Step, ...]

    @property
    def prefix(self) -> str:
        """What begins the key of a chart of closed loops."""
        return "closed-" if self.closed else ""

    @property
    def over(self) -> str:
        """The axis in words, as a title ends."""
        return "clients at once" if self.closed else "the offered rate"

    @property
    def places(self) -> list[float]:
        """Where each step stands on the axis."""
        return [float(s.concurrency or 0) if self.closed else s.offered_rps for s in self.steps]

    @property
    def axis(self) -> dict[str, object]:
        """The axis itself, from 0 to a little beyond the highest step."""
        name = "clients at once" if self.closed else "offered rate, rps"
        return axis(name, range=[0, 1.06 * max(self.places)])

    @property
    def at(self) -> str:
        """A Plotly template of where a point stands."""
        return "%{x:.4~g} at once" if self.closed else "%{x:.4~g} rps offered"

    def cells(self, results: Results, sut: str) -> list[Cell]:
        """A SUT's cells, step by step."""
        return [results.cell(sut, step.index) for step in self.steps]


def ladders(results: Results) -> Iterator[Ladder]:
    """Those of this run that are long enough for a curve."""
    every = steps_by_rate(results)
    for closed in (False, True):
        steps = tuple(step for step in every if (step.concurrency is not None) == closed)
        if len(steps) >= LEAST_STEPS:
            yield Ladder(closed, steps)


def answering(results: Results) -> list[str]:
    """The SUTs that answer with a model, in the run's order."""
    return [sut.key for sut in results.record.suts if sut.answers]
