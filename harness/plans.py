"""Load plans of a run: from what the scenario asks for to frozen requests, one plan a trial."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.record import Step
from harness.run_directory import RunDirectory
from harness.scenario import LoadSection, Scenario
from harness.schedule import plan_seed
from workloads.arrivals import CLOSED, arrivals, checked_shape
from workloads.payloads import read_labels, rows_by_label
from workloads.plan import LoadPlan, PlanHeader, build_plan, write_plan
from workloads.trace import Trace, read_trace


@dataclass(frozen=True, slots=True)
class Sources:
    """What plans are drawn from, beside the scenario and a seed.

    Attributes:
        graphs: what is asked for, by weight.
        rows: of a mix: the payloads of each of its values; empty where there is none.
        trace: what is replayed; None where nothing is.
    """

    graphs: Mapping[str, float]
    rows: Mapping[str, Sequence[int]] = field(default_factory=dict)
    trace: Trace | None = None

    @property
    def trace_rps(self) -> float | None:
        """Mean rate of the trace as it was recorded."""
        return None if self.trace is None else self.trace.rate_rps


def read_sources(scenario: Scenario, directory: RunDirectory) -> Sources:
    """Read what a run's plans are drawn from, of its own files alone.

    Raises:
        WorkloadError: the mix names what no payload has, or the trace cannot be replayed.
    """
    mix, path = scenario.load.mix, directory.trace
    trace = read_trace(path) if path else None
    rows: Mapping[str, Sequence[int]] = {}
    if mix is not None:
        rows = rows_by_label(read_labels(directory.payloads), mix.by, mix.weights)
    return Sources(asked_for(scenario, trace), rows, trace)


def check_length(load: LoadSection, trace: Trace) -> None:
    """See that a trace lasts at every rate that is known before the ceiling is.

    Raises:
        WorkloadError: it is too short, and may not be repeated.
    """
    for rate in load.offered():
        if rate.unit != "ceiling":
            arrivals(
                load.workload,
                rate.rps(None, trace.rate_rps),
                load.warm_up_s + load.steady_s,
                load.seed,
                shape=load.shape,
                recorded_ns=trace.times_ns,
            )


def asked_for(scenario: Scenario, trace: Trace | None) -> dict[str, float]:
    """The graphs asked for, by weight: the trace's own, or the scenario's, or the one it names."""
    if trace is not None and trace.graphs is not None:
        return {graph: float(times) for graph, times in Counter(trace.graphs).items()}
    return dict(scenario.load.graphs) or {scenario.ensemble.graph: 1.0}


def steps_of(
    scenario: Scenario, ceiling_rps: float | None, trace_rps: float | None = None
) -> tuple[Step, ...]:
    """The load steps: shares turned into rates, or the concurrencies of a closed loop.

    Args:
        scenario: says them.
        ceiling_rps: in-process, at the best batch size; None where it cannot be measured.
        trace_rps: mean rate of the trace as it was recorded; None where there is none.

    Raises:
        ValueError: a rate is a share of what is not known.
    """
    load = scenario.load
    if load.loop == "closed":
        return tuple(
            Step(index=index, asked=f"{clients} at once", offered_rps=0.0, concurrency=clients)
            for index, clients in enumerate(load.concurrency)
        )
    return tuple(
        Step(index=index, asked=rate.asked, offered_rps=rate.rps(ceiling_rps, trace_rps))
        for index, rate in enumerate(load.offered())
    )


def write_plans(scenario: Scenario, steps: Sequence[Step], directory: RunDirectory) -> None:
    """Freeze every load plan of the run: the same for every SUT, another seed in every block.

    Raises:
        WorkloadError: one cannot be drawn.
    """
    load, sources = scenario.load, read_sources(scenario, directory)
    for block in range(load.blocks):
        for step in steps:
            seed = plan_seed(load.seed, block, step.index)
            if step.concurrency is None:
                plan = open_plan(scenario, sources, step.offered_rps, load.steady_s, seed)
            else:
                plan = closed_plan(scenario, sources, step.concurrency, seed)
            write_plan(directory.plan(block, step.index), plan)


def open_plan(
    scenario: Scenario,
    sources: Sources,
    rate_rps: float,
    steady_s: float,
    seed: int,
    *,
    longer_warm_up_s: float = 0.0,
) -> LoadPlan:
    """The scenario's load at one offered rate: of a load step, or of a capacity search's probe.

    Args:
        scenario: says what arrives, and what is asked for.
        sources: of the run.
        rate_rps: offered.
        steady_s: seconds counted, after the scenario's warm-up.
        seed: of arrivals, payloads and graphs.
        longer_warm_up_s: seconds of warm-up beyond the scenario's.

    Raises:
        WorkloadError: it cannot be drawn with these numbers.
    """
    load = scenario.load
    header = PlanHeader(
        workload=load.workload,
        graphs=tuple(sources.graphs),
        rate_rps=rate_rps,
        warm_up_s=load.warm_up_s + longer_warm_up_s,
        steady_s=steady_s,
        seed=seed,
        shape=checked_shape(load.workload, load.shape),
        weights=_weights(sources),
        mix=load.mix.weights if load.mix else {},
    )
    return build_plan(header, load.payloads, rows=sources.rows, trace=sources.trace)


def closed_plan(scenario: Scenario, sources: Sources, concurrency: int, seed: int) -> LoadPlan:
    """The scenario's load by so many clients, each waiting for its last answer.

    Raises:
        WorkloadError: it cannot be drawn with these numbers.
    """
    load = scenario.load
    header = PlanHeader(
        workload=CLOSED,
        graphs=tuple(sources.graphs),
        rate_rps=0.0,
        warm_up_s=load.warm_up_s,
        steady_s=load.steady_s,
        seed=seed,
        concurrency=concurrency,
        think_time_s=load.think_time_s,
        weights=_weights(sources),
        mix=load.mix.weights if load.mix else {},
    )
    return build_plan(header, load.payloads, rows=sources.rows)


def _weights(sources: Sources) -> tuple[float, ...]:
    return tuple(sources.graphs.values()) if len(sources.graphs) > 1 else ()
