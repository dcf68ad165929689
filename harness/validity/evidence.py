"""What a trial is judged by: its samples, and what was seen of the generator and the host."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.record import Phases, PlayedEvent, Verification
from harness.steady_state import Window, unsteady
from workloads.sample import Outcome

LEAST_BEYOND = 10
SHED = 503
"""The status by which a full SUT refuses a request."""

_QUARTERS = 4

Integers = npt.NDArray[Any]
"""``int64[n]`` clock readings; outcomes and statuses are as narrow as they are recorded."""

_CLOCKS = ("intended_ns", "sent_ns", "received_ns")


def samples_needed(percentile: float) -> int:
    """Samples with at least ten beyond the percentile."""
    return int(np.ceil(round(LEAST_BEYOND / (1 - percentile / 100), 6)))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a trial is judged by.

    Attributes:
        samples: every row of ``workloads.sample.SCHEMA``.
        planned: requests the plan has in the steady state, as far as it was played; in a closed
            loop nothing is planned by the clock.
        percentile: the one the scenario's objective names, in percent.
        generator: as ``harness.drive.DriveResult.report`` gives it: of ``workers`` load workers
            the busiest one's ``cores`` and the worst one's ``loop_lag_p99_ns``.
        pressure: as ``harness.pressure.host_pressure`` gives it.
        sut_cores: how many cores the SUT has.
        pss_bytes: the most the SUT held; None if it was not read.
        memory_bytes: the most it may hold.
        exits: components that ended under load, in words.
        closed: whether the next request waited for the last.
        stationary: whether the load was meant to be the same throughout.
        ended_early: why load was not played to the plan's end; None where it was, or where a
            capacity search had seen enough.
        events: what was done to the SUT or its surroundings meanwhile.
    """

    samples: pa.Table
    phases: Phases
    planned: int
    percentile: float
    generator: Mapping[str, float]
    pressure: Mapping[str, float]
    sut_cores: int
    pss_bytes: int | None
    memory_bytes: int
    verification: Verification
    exits: tuple[str, ...] = ()
    closed: bool = False
    stationary: bool = True
    ended_early: str | None = None
    events: tuple[PlayedEvent, ...] = ()

    @cached_property
    def whole(self) -> dict[str, Integers]:
        """The columns that judging needs, of the whole trial, by intended start."""
        columns = ("intended_ns", "sent_ns", "received_ns", "outcome", "status")
        whole = {name: self.samples[name].to_numpy() for name in columns}
        intended_ns = whole["intended_ns"]
        if (intended_ns[1:] >= intended_ns[:-1]).all():
            return whole
        order = np.argsort(intended_ns, kind="stable")  # a closed loop's plan is by client
        return {name: values[order] for name, values in whole.items()}

    @cached_property
    def steady(self) -> dict[str, Integers]:
        """The samples of the steady state, by intended start; nothing is copied."""
        edges = (self.phases.steady_ns, self.phases.end_ns)
        inside = slice(*np.searchsorted(self.whole["intended_ns"], edges))
        return {name: values[inside] for name, values in self.whole.items()}

    @cached_property
    def undisturbed(self) -> dict[str, Integers]:
        """The samples of the steady state before the first event; all where there is none."""
        if not self.events:
            return self.steady
        first_ns = min(event.intended_ns for event in self.events)
        until = slice(0, int(np.searchsorted(self.steady["intended_ns"], first_ns)))
        return {name: values[until] for name, values in self.steady.items()}

    @cached_property
    def shed_throughout(self) -> bool:
        """Whether the SUT was full, and said so, in every quarter of the steady state."""
        shed = (self.steady["outcome"] == Outcome.HTTP_ERROR) & (self.steady["status"] == SHED)
        since_ns = self.steady["intended_ns"][shed] - self.phases.steady_ns
        quarters = since_ns * _QUARTERS // max(1, self.phases.end_ns - self.phases.steady_ns)
        return len(np.unique(quarters)) == _QUARTERS

    def count(self, *outcomes: Outcome) -> int:
        """Requests of the steady state that ended so."""
        return int(np.isin(self.steady["outcome"], outcomes).sum())

    @cached_property
    def good(self) -> dict[str, Integers]:
        """The clock readings of good answers to requests of the steady state, in that order."""
        ok = self.steady["outcome"] == Outcome.OK
        return {name: values[ok] for name, values in self.steady.items() if name in _CLOCKS}

    @property
    def carried(self) -> tuple[float, ...]:
        """The percentiles that are published of this trial."""
        known = sorted({50.0, 95.0, 99.0, self.percentile})
        return tuple(p for p in known if len(self.good["intended_ns"]) >= samples_needed(p))

    @cached_property
    def window(self) -> Window:
        """As ``harness.steady_state`` judges it. A connection that failed is at an end at once."""
        outcome, received_ns = self.whole["outcome"], self.whole["received_ns"]
        refused = outcome == Outcome.CONNECTION_ERROR
        return Window(
            (self.phases.steady_ns, self.phases.end_ns),
            self.whole["intended_ns"],
            self.whole["sent_ns"],
            np.where(refused, self.whole["sent_ns"], received_ns),
            outcome == Outcome.OK,
        )

    @cached_property
    def unsteady(self) -> str | None:
        """What drifted, in words; None where the load was not meant to be the same throughout."""
        return unsteady(self.window) if self.stationary else None
