"""What can be read off one trial, number by number; ``reports.metrics`` gives them their names.

Counts and rates are of the steady state only. A request belongs to it by its intended start,
a completion by when the answer was whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reports import gpu
from reports.carried import uncarried
from reports.ceiling import BlockCeiling
from reports.cost import Reserved, Spending, spending, usd_reserved, usd_used
from reports.estimate import Missing, Value, percentile
from reports.frames import TrialFrames
from reports.prices import Price
from reports.requests import STEADY
from reports.usage import idle_cores, peak_pss_bytes, steady_count, steady_cpu_s

SHED_STATUS = 503

Mask: TypeAlias = npt.NDArray[np.bool_]
Nanoseconds: TypeAlias = npt.NDArray[np.int64]
Reading: TypeAlias = Callable[["Subject"], Value]

NO_SLO = Missing("the scenario sets no SLO")
NO_CEILING = Missing("no ceiling was measured in this block")
NO_BUDGET = Missing("what the SUT reserves is not known")
NO_ANSWER = Missing("no OK answer in steady state")
NO_PRICE = Missing("no price sheet was given")
NONE_OFFERED = Missing("none offered: closed loop")


@dataclass(frozen=True, eq=False)
class Subject:
    """One trial with what it is judged against.

    Attributes:
        slo_s: the response time an answer must keep to count as good; None if none was set.
        ceiling: of the same block, at the best batch size; None if it was not measured.
        given: what the SUT reserved.
        price: of the headline.
    """

    trial: TrialFrames
    slo_s: float | None
    ceiling: BlockCeiling | None
    given: Reserved | Missing = NO_BUDGET
    price: Price | None = None

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column of the samples, not copied."""
        return self.trial.samples[name].to_numpy()

    @cached_property
    def ok(self) -> Mask:
        """Samples that were answered OK."""
        return np.asarray(self.column("ok"), dtype=np.bool_)

    @cached_property
    def planned(self) -> Mask:
        """Samples whose intended start lies in steady state."""
        return np.asarray(self.trial.samples["phase"] == STEADY)

    @cached_property
    def completed(self) -> Mask:
        """Samples whose answer became whole in steady state, whatever it says."""
        received, phases = self.column("received_ns"), self.trial.phases
        return (received >= phases.steady_ns) & (received < phases.end_ns)

    @property
    def since(self) -> Nanoseconds:
        """When each sample's response time begins: a closed loop has no schedule but the send."""
        closed = self.trial.record.concurrency is not None
        return self.column("sent_ns" if closed else "intended_ns")

    @cached_property
    def in_time(self) -> Mask:
        """Samples answered OK within the SLO."""
        limit_ns = round((self.slo_s or 0.0) * 1e9)
        in_time = self.column("received_ns") - self.since <= limit_ns
        return self.ok & np.asarray(in_time, dtype=np.bool_)

    @cached_property
    def answered(self) -> int:
        """OK answers completed in steady state."""
        return int((self.completed & self.ok).sum())

    @cached_property
    def responses_s(self) -> npt.NDArray[np.float64]:
        """Ascending response times of OK answers planned in steady state."""
        chosen = self.planned & self.ok
        ascending: Nanoseconds = self.column("received_ns")[chosen]
        ascending -= self.since[chosen]
        ascending.sort()
        return ascending / 1e9

    @cached_property
    def uncarried(self) -> Missing | None:
        """Why its answers carry no percentile, where it was full and they are too few for it."""
        shed = self.planned & (self.column("status") == SHED_STATUS)
        return uncarried(self.trial, self.ok, self.since) if shed.any() else None

    @cached_property
    def spending(self) -> Spending:
        """What it reserved and used."""
        return spending(self.trial, self.given, goodput(self))


def _per_second(count: int, subject: Subject) -> float:
    return count / subject.trial.steady_s


def offered(subject: Subject) -> Value:
    """Requests planned a second; none in a closed loop."""
    if subject.trial.record.concurrency is not None:
        return NONE_OFFERED
    return _per_second(subject.trial.planned, subject)


def achieved(subject: Subject) -> Value:
    """Answers a second, whatever they say."""
    return _per_second(int(subject.completed.sum()), subject)


def throughput(subject: Subject) -> float:
    """OK answers a second."""
    return _per_second(subject.answered, subject)


def goodput(subject: Subject) -> Value:
    """OK answers within the SLO a second."""
    if subject.slo_s is None:
        return NO_SLO
    return _per_second(int((subject.completed & subject.in_time).sum()), subject)


def _share(rows: int, subject: Subject) -> Value:
    if subject.trial.planned == 0:
        return Missing("no request planned in steady state")
    return rows / subject.trial.planned


def within_slo(subject: Subject) -> Value:
    """Share of planned requests that were answered OK within the SLO."""
    if subject.slo_s is None:
        return NO_SLO
    return _share(int((subject.planned & subject.in_time).sum()), subject)


def errors(subject: Subject) -> Value:
    """Share of planned requests without an OK answer."""
    answered = int((subject.planned & subject.ok).sum())
    return _share(subject.trial.planned - answered, subject)


def shed(subject: Subject) -> Value:
    """Share of planned requests that were refused with 503."""
    refused = subject.planned & (subject.column("status") == SHED_STATUS)
    return _share(int(refused.sum()), subject)


def response_ms(quantile: float) -> Reading:
    """A percentile of the response times of OK answers planned in steady state."""

    def of(subject: Subject) -> Value:
        return subject.uncarried or _ms(percentile(subject.responses_s, quantile))

    return of


def service_ms(quantile: float) -> Reading:
    """A percentile of (received - sent) over the same answers."""

    def of(subject: Subject) -> Value:
        chosen = subject.planned & subject.ok & (subject.column("sent_ns") > 0)
        service_ns = subject.column("received_ns")[chosen] - subject.column("sent_ns")[chosen]
        return subject.uncarried or _ms(percentile(service_ns / 1e9, quantile))

    return of


def lag_ms(quantile: float) -> Reading:
    """A percentile of (sent - intended start) over requests sent in steady state."""

    def of(subject: Subject) -> Value:
        chosen = subject.planned & (subject.column("sent_ns") > 0)
        lag_ns = subject.column("sent_ns")[chosen] - subject.column("intended_ns")[chosen]
        return _ms(percentile(lag_ns / 1e9, quantile))

    return of


def _ms(seconds: Value) -> Value:
    return seconds if isinstance(seconds, Missing) else seconds * 1e3


def cpu_ms(subject: Subject) -> Value:
    """CPU-milliseconds of all components for each OK answer."""
    return _ms(_per_answer(steady_cpu_s(subject.trial), subject))


def per_answer(column: str) -> Reading:
    """A cumulative column of ``usage.parquet`` for each OK answer."""

    def of(subject: Subject) -> Value:
        return _per_answer(steady_count(subject.trial, column), subject)

    return of


def _per_answer(total: Value, subject: Subject) -> Value:
    if isinstance(total, Missing):
        return total
    return total / subject.answered if subject.answered else NO_ANSWER


def gpu_energy_j(subject: Subject) -> Value:
    """Joules of the SUT's GPUs for each OK answer."""
    return _per_answer(gpu.energy_j(subject.trial), subject)


def peak_pss_mb(subject: Subject) -> Value:
    """The most memory that all components held together."""
    peak = peak_pss_bytes(subject.trial)
    return peak if isinstance(peak, Missing) else peak / 1e6


def start_up_s(subject: Subject) -> Value:
    """Seconds from the first process to readiness."""
    found = subject.trial.record.start_up_s
    return Missing("not recorded") if found is None else found


def idle(subject: Subject) -> Value:
    """Cores in use before load began."""
    return idle_cores(subject.trial)


def efficiency_rate(subject: Subject) -> Value:
    """Throughput over the ceiling's rate."""
    if subject.ceiling is None:
        return NO_CEILING
    return throughput(subject) / subject.ceiling.rate_rps


def efficiency_cpu(subject: Subject) -> Value:
    """The ceiling's CPU time of an image over that of an answer."""
    if subject.ceiling is None:
        return NO_CEILING
    spent_ms = cpu_ms(subject)
    if isinstance(spent_ms, Missing):
        return spent_ms
    return subject.ceiling.cpu_ms / spent_ms if spent_ms else Missing("no CPU time was seen")


def reserved_usd(subject: Subject) -> Value:
    """USD per million good answers, from what is reserved, at the headline's price."""
    return NO_PRICE if subject.price is None else usd_reserved(subject.spending, subject.price)


def used_usd(subject: Subject) -> Value:
    """USD per million good answers, from what is used, at the headline's price."""
    return NO_PRICE if subject.price is None else usd_used(subject.spending, subject.price)
