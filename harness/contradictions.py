"""Keys of a scenario that are each fine alone and cannot be meant together: rows of one list."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from harness.events.unplayable import unplayable
from harness.rate import parse_rate
from harness.remote_workers import out_of_reach
from harness.scenario import LoadSection, Scenario
from workloads.arrivals import ARRIVALS, WorkloadError, checked_shape

Contradiction: TypeAlias = Callable[[Scenario], Iterator[str]]


def contradictions(scenario: Scenario) -> Iterator[str]:
    """Each contradiction in words: key, value, what to do."""
    for row in CONTRADICTIONS:
        yield from row(scenario)


def _bound(scenario: Scenario) -> Iterator[str]:
    load, policy = scenario.load, scenario.policy
    if load.loop == "open" and load.max_in_flight <= policy.queue_bound:
        yield (
            f"load.max_in_flight = {load.max_in_flight} is not above policy.queue_bound = "
            f"{policy.queue_bound}: the generator would drop what the SUT ought to shed; raise it"
        )


def _drain(scenario: Scenario) -> Iterator[str]:
    load, slo = scenario.load, scenario.slo
    if load.drain_s < slo.response_time_s:
        yield (
            f"load.drain_s = {load.drain_s:g} is below slo.response_time_s = "
            f"{slo.response_time_s:g}: the last requests could be called late too early; raise it"
        )


def _what_is_asked(scenario: Scenario) -> Iterator[str]:
    """One way of saying what is offered, and one only."""
    load = scenario.load
    if load.loop == "closed":
        if load.rates or load.sweep:
            yield (
                'load.loop = "closed" offers no rate: the next request waits for the last one; '
                "name load.concurrency in place of load.rates and load.sweep"
            )
        if not load.concurrency:
            yield 'load.loop = "closed" needs load.concurrency, such as [1, 4, 16]'
        if scenario.capacity:
            yield '[capacity] searches an offered rate, and load.loop = "closed" offers none'
        return
    if load.concurrency or load.think_time_s:
        yield (
            'load.concurrency and load.think_time_s belong to load.loop = "closed"; '
            "say so, or leave them out"
        )
    if load.rates and load.sweep:
        yield "load.rates and load.sweep both say what is offered; leave one out"
    if not (load.rates or load.sweep or scenario.capacity):
        yield "'load.rates' is missing; meant is a list of offered rates, such as [\"0.3 ceiling\"]"


def _arrivals(scenario: Scenario) -> Iterator[str]:
    """What an arrival process can be told, and what none is told in a closed loop."""
    load = scenario.load
    if load.loop == "open":
        try:
            checked_shape(load.workload, load.shape)
        except WorkloadError as error:
            yield str(error)
    elif load.shape or load.trace or load.workload != LoadSection().workload:
        yield (
            "load.workload, load.shape and load.trace say when requests arrive, and in load.loop = "
            '"closed" each client sends when its last answer has come; leave them out'
        )


def _trace(scenario: Scenario) -> Iterator[str]:
    load, capacity = scenario.load, scenario.capacity
    replayed = load.loop == "open" and ARRIVALS[load.workload].replays
    if replayed and load.trace is None:
        yield (
            f"load.workload = {load.workload!r} needs load.trace, a CSV or Parquet file with the "
            "column timestamp_s"
        )
    if load.loop == "open" and load.trace is not None and not replayed:
        yield (
            f"load.trace = {load.trace!r} is replayed by load.workload = 'trace' only, and it is "
            f"{load.workload!r}; set it so, or leave the trace out"
        )
    if replayed and capacity is not None and not load.shape.get("repeat"):
        yield (
            "[capacity] plays probes as long as the objective needs, longer than a trace may be; "
            "set load.shape = { repeat = 1 }"
        )
    sweep = (load.sweep.low, load.sweep.high) if load.sweep else ()
    if not replayed and any(parse_rate(rate).unit == "trace" for rate in (*load.rates, *sweep)):
        yield 'rates such as "1 trace" are shares of a recorded rate: set load.workload = "trace"'
    if capacity and "trace" in {parse_rate(capacity.start).unit, parse_rate(capacity.most).unit}:
        yield "[capacity] searches in requests per second or shares of the ceiling, not of a trace"


def _sweep(scenario: Scenario) -> Iterator[str]:
    sweep = scenario.load.sweep
    if sweep is None:
        return
    low, high = parse_rate(sweep.low), parse_rate(sweep.high)
    if low.unit != high.unit or low.number >= high.number:
        yield (
            f"load.sweep goes from {sweep.low!r} to {sweep.high!r}: "
            "low must lie below high, and both be in the same unit"
        )


def _search(scenario: Scenario) -> Iterator[str]:
    """A capacity search needs probes of one rate each, and room to move."""
    section, load = scenario.capacity, scenario.load
    if section is None:
        return
    if load.loop == "open" and not _one_rate(load.workload):
        meant = ", ".join(name for name in ARRIVALS if _one_rate(name))
        yield (
            f"[capacity] searches one rate, and load.workload = {load.workload!r} goes through "
            f"several; choose from {meant}"
        )
    if section.most_probe_s < section.probe_s:
        yield (
            f"capacity.most_probe_s = {section.most_probe_s:g} is below capacity.probe_s = "
            f"{section.probe_s:g}; raise it"
        )
    start, most = parse_rate(section.start), parse_rate(section.most)
    if start.unit == most.unit and start.number > most.number:
        yield (
            f"capacity.start = {section.start!r} is above capacity.most = {section.most!r}; "
            "start below most"
        )


def _one_rate(workload: str) -> bool:
    """Whether a plan of it is of one rate throughout, as far as anybody can tell of a trace."""
    return ARRIVALS[workload].stationary or ARRIVALS[workload].replays


CONTRADICTIONS: tuple[Contradiction, ...] = (
    _what_is_asked,
    _arrivals,
    _trace,
    _sweep,
    _search,
    _bound,
    _drain,
    out_of_reach,
    unplayable,
)
"""Every contradiction that is looked for. A new one is a row."""
