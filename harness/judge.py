"""From a trial as it was played to its record: what was seen, and whether it can be trusted."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.drive import DriveResult
from harness.pressure import host_pressure
from harness.quality import NO_SCORES, quality, scores, write_scores
from harness.record import PlayedEvent, TrialPlace, TrialRecord
from harness.subject import Subject
from harness.usage import Usage
from harness.validity import Evidence, reasons
from harness.verify import Compared, under_load, verification
from workloads.arrivals import is_stationary
from workloads.plan import read_plan
from workloads.sample import read_samples


@dataclass(frozen=True, slots=True)
class Played:
    """What playing a trial left.

    Attributes:
        plan: the load plan's file.
        checked: the SUT's answers before load.
        events: what was done while load was played.
    """

    place: TrialPlace
    plan: Path
    checked: Compared
    usage: Usage
    result: DriveResult
    events: tuple[PlayedEvent, ...] = ()


def judged(subject: Subject, played: Played) -> TrialRecord:
    """Judge a trial by what was recorded of it, and write its answers' scores.

    Raises:
        ScoreError: the ensemble's `score` failed on an answer.
    """
    bench, usage, result = subject.bench, played.usage, played.result
    scenario, phases = bench.scenario, result.phases
    window_ns = (phases.steady_ns, phases.end_ns)
    generator_s = usage.cpu_s(window_ns, generator=True)
    sut_s = usage.cpu_s(window_ns, generator=False)
    pressure = host_pressure(
        usage.host,
        window_ns,
        (bench.cores.sut, sut_s),
        (bench.cores.harness, generator_s),
    )
    if not subject.running.ours:  # a service elsewhere: those cores are none of its
        pressure.pop("outside_sut_cores", None)
    plan = read_plan(played.plan)
    samples = read_samples(result.samples)
    compared = under_load(samples, plan, bench.references) if played.checked.count else Compared()
    asked = [plan.header.graphs[number] for number in np.unique(plan.graphs)]
    varying = [graph for graph in asked if subject.answers and graph in bench.varying]
    scored = scores(samples, plan, bench) if subject.answers else NO_SCORES
    write_scores(bench.directory.trial(played.place), scored)
    evidence = Evidence(
        samples=samples,
        phases=phases,
        planned=plan.due(phases.start_ns, *window_ns),
        percentile=scenario.slo.percentile,
        generator=result.report,
        pressure=pressure,
        sut_cores=len(bench.cores.sut),
        pss_bytes=usage.peak_pss_bytes(),
        memory_bytes=bench.cores.claim(scenario.budget.memory_gib).memory_bytes,
        verification=verification(played.checked, compared, varying),
        exits=subject.running.exits(),
        closed=plan.header.concurrency is not None,
        stationary=is_stationary(plan.header.workload) and not played.events,
        events=played.events,
        ended_early=result.ended_early if played.place.probe is None else None,
    )
    return TrialRecord(
        place=played.place,
        outcome="ok",
        ended_early=result.ended_early,
        offered_rps=plan.header.rate_rps,
        concurrency=plan.header.concurrency,
        start_up_s=subject.running.start_up_s,
        phases=phases,
        info=dict(subject.running.info),
        verification=evidence.verification,
        generator={**result.report, "steady_cpu_s": generator_s, "usage_cpu_s": usage.cost_s},
        pressure=pressure,
        reasons=reasons(evidence),
        quality=quality(scored, samples, plan, phases),
        events=played.events,
    )
