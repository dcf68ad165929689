"""At which rate two sides are compared: a share of what the baseline carries.

A gate's baseline need not have its capacity searched for: a closed loop tells it in a trial a
concurrency, well enough to keep away from. It flatters. Clients that wait for their answers never
bunch as arrivals by the clock do, and at most as many requests queue as there are clients, so
response times stay within the SLO at a throughput near the SUT's limit, where an open loop's
would not: of a queue with one server (M/M/1) the p95 is then without bound, and at .65 of the
limit still 8.6 times a service.

That is one reason for at most .65. The other is the candidate: one half again as dear as the
baseline is at .98 of its limit then, and can still be compared; a busier gate would see it shed
load and queue, and compare what two full servers refuse. What is read is a little low if anything
where others disturb it, and a lower rate only takes less to the point.
"""

from harness.pairs.record import CapacityReading
from harness.pairs.section import MOST_SHARE, GateSection
from harness.record import TrialRecord
from harness.scenario import Scenario
from reports.estimate import Missing
from reports.frames import Run, read_trial
from reports.slo import Slo
from reports.subject import Subject, errors, response_ms, throughput, within_slo

_A_CORE = 2
"""Clients a core: one is answered while another's request is on its way."""

_AS_WRITTEN = 1e-9
"""A rate of exactly .65 is allowed, however floats multiply."""


class LoadTooHighError(Exception):
    """The rate that was asked for is too near the baseline's limit: the gate is unfit."""


class NoCapacityError(Exception):
    """Nobody knows the baseline's capacity, or none keeps the SLO: the gate is unfit."""


def ladder(scenario: Scenario) -> tuple[int, ...]:
    """The concurrencies of the closed loop: 1, 2, 4, ... and the most that may be needed.

    That is a whole batch, or two clients a core where batches are smaller, and no more than the
    SUT admits.
    """
    policy = scenario.policy
    enough = max(policy.max_batch, _A_CORE * scenario.budget.cores)
    most = min(enough, policy.queue_bound)
    doublings = [1 << power for power in range(most.bit_length()) if 1 << power < most]
    return (*doublings, most)


def capacity_from(run: Run, slo: Slo) -> CapacityReading:
    """The greatest throughput of a closed loop whose response times kept the SLO.

    Trials that others disturbed count too: they show less than the SUT can, which is safe.

    Args:
        run: the baseline's, one closed-loop trial a concurrency; of several the last counts.
        slo: kept as ``Slo.kept`` says, by response times from the send.

    Raises:
        NoCapacityError: no concurrency kept it, or none was played.
    """
    readings: dict[int, tuple[float, float | None]] = {}
    kept: dict[int, float] = {}
    for record in run.trials:
        subject = _read(run, record, slo)
        if subject is None or record.concurrency is None:
            continue
        response = response_ms(slo.percentile / 100)(subject)
        response_s = None if isinstance(response, Missing) else response / 1e3
        readings[record.concurrency] = (throughput(subject), response_s)
        kept[record.concurrency] = throughput(subject) if _keeps(subject, slo) else 0.0
    best = max(kept.values(), default=0.0)
    if not best:
        raise NoCapacityError(_none_kept(run, slo, readings))
    return CapacityReading(how="closed loop", capacity_rps=best, readings=readings)


def rate_for(section: GateSection, capacity: CapacityReading | None) -> float:
    """The rate that both sides are offered, requests per second.

    Args:
        section: ``[gate]``.
        capacity: the baseline's; None where nobody knows it, and then a given rate is taken.

    Raises:
        LoadTooHighError: ``gate.rate_rps`` is above .65 of the capacity.
        NoCapacityError: neither a rate nor a capacity is known.
    """
    if section.rate_rps is None:
        if capacity is None:
            raise NoCapacityError(
                "gate.rate_rps and gate.capacity_rps are both absent, and the capacity of a "
                "service that is not ours is not read: a closed loop would load it to its limit; "
                "give one of the two"
            )
        return section.share * capacity.capacity_rps
    if capacity is None:
        return section.rate_rps
    most = MOST_SHARE * capacity.capacity_rps
    if section.rate_rps > most * (1 + _AS_WRITTEN):
        share = section.rate_rps / capacity.capacity_rps
        raise LoadTooHighError(
            f"gate.rate_rps = {section.rate_rps:g} is {share:.0%} of the baseline's capacity "
            f"({capacity.capacity_rps:.4g} rps, {capacity.how}): so near its limit both sides "
            f"queue, and their response times tell of the queue; give at most {most:.4g}, or "
            "leave it out"
        )
    return section.rate_rps


def _read(run: Run, record: TrialRecord, slo: Slo) -> Subject | None:
    frames = read_trial(run, record) if record.outcome == "ok" else None
    return None if frames is None else Subject(frames, slo.response_time_s, ceiling=None)


def _keeps(subject: Subject, slo: Slo) -> bool:
    within, failed = within_slo(subject), errors(subject)
    if isinstance(within, Missing) or isinstance(failed, Missing):
        return False
    return slo.kept(within, failed)


def _none_kept(run: Run, slo: Slo, readings: dict[int, tuple[float, float | None]]) -> str:
    if not readings:
        said = next((trial.error for trial in run.trials if trial.error), "no trial was played")
        return (
            f"the baseline's capacity could not be read: {said.splitlines()[0]}; read the logs in "
            f"{run.directory}, or give gate.capacity_rps"
        )
    clients = min(readings)
    at_once = "one client" if clients == 1 else f"{clients} clients"
    response_s = readings[clients][1]
    seen = "" if response_s is None else f", p{slo.percentile:g} {response_s * 1e3:.4g} ms"
    return (
        f"the baseline keeps the SLO with no load at all: not even with {at_once} at a time were "
        f"{slo.words} ({readings[clients][0]:.4g} answers per second{seen}); loosen [slo], or give "
        "gate.rate_rps with gate.capacity_rps"
    )
