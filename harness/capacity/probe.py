"""One probe: how long it has to be, its frozen plan, and its trial."""

from dataclasses import dataclass

from harness.bench import Bench, Progress
from harness.capacity.search import Ask
from harness.capacity.tally import Tally, tally
from harness.capacity.verdict import Objective, hopeless, judge
from harness.plans import open_plan, read_sources
from harness.record import Probe, TrialPlace, TrialRecord
from harness.scenario import CapacitySection, Scenario
from harness.schedule import probe_seed
from harness.subject import Subject
from harness.trial import FAILURES, Order, play_trial
from workloads.plan import LoadPlan, read_plan, write_plan
from workloads.sample import read_samples

ROOM = 5
"""Misses a probe should be able to forgive: one freeze must not decide about a rate."""

SETTLING_S = 6.0
"""Warm-up of a search's first probe beyond the scenario's: it is the first load a fresh deployment
meets, and what is cold once would be judged as its capacity for good."""


@dataclass(frozen=True, slots=True)
class Played:
    """A probe as it was played."""

    record: TrialRecord
    probe: Probe
    tally: Tally


def section_of(scenario: Scenario) -> CapacitySection:
    """The section [capacity], with its defaults where it is absent."""
    return scenario.capacity or CapacitySection()


def probe_length_s(section: CapacitySection, objective: Objective, rate_rps: float) -> float:
    """Seconds of steady state that carry the objective's percentile with :data:`ROOM`.

    At least ``probe_s``, at most ``most_probe_s``.
    """
    needed_s = objective.needed(ROOM) / rate_rps
    return min(max(section.probe_s, needed_s), section.most_probe_s)


def too_slow(scenario: Scenario, rate_rps: float) -> str | None:
    """Why no probe at this rate could carry the objective's percentile, or None."""
    section, objective = section_of(scenario), Objective.of(scenario)
    needed = objective.needed()
    if needed <= rate_rps * section.most_probe_s:
        return None
    return (
        f"at {rate_rps:g} rps, {section.most_probe_s:g} s hold about "
        f"{rate_rps * section.most_probe_s:.0f} requests, and p{objective.percentile:g} needs "
        f"{needed} at confidence {objective.confidence:g}: raise capacity.most_probe_s to "
        f"{needed / rate_rps:.0f}, or lower slo.percentile"
    )


def play_probe(subject: Subject, place: TrialPlace, ask: Ask, progress: Progress) -> Played:
    """Freeze a probe's plan, play it, and judge it; one that could not be played is undecided."""
    bench = subject.bench
    objective = Objective.of(bench.scenario)
    try:
        plan = _frozen(bench, place, ask, objective)
        end_early = hopeless(objective, whole(plan))
        file = bench.directory.plan_of(place)
        record = play_trial(subject, Order(place, file, ask.offered_rps, end_early), progress)
    except FAILURES as error:
        record = TrialRecord(
            place=place, outcome="failed", error=str(error), offered_rps=ask.offered_rps
        )
    return judged_probe(bench, record, ask)


def played_before(bench: Bench, place: TrialPlace, ask: Ask) -> Played | None:
    """The probe as an earlier sitting of this run recorded it, judged again; None if it did not."""
    path = bench.directory.trial(place) / "trial.json"
    if not path.is_file():
        return None
    record = TrialRecord.model_validate_json(path.read_text())
    return judged_probe(bench, record, ask) if record.offered_rps == ask.offered_rps else None


def judged_probe(bench: Bench, record: TrialRecord, ask: Ask) -> Played:
    """A probe's verdict from what lies on disk."""
    seen = _seen(bench, record)
    verdict, why = judge(Objective.of(bench.scenario), record, seen)
    probe = Probe(
        place=record.place,
        offered_rps=ask.offered_rps,
        role=ask.role,
        verdict=verdict,
        planned=seen.planned,
        missed=seen.missed,
        failed=seen.failed,
        why=why,
    )
    return Played(record, probe, seen)


def _frozen(bench: Bench, place: TrialPlace, ask: Ask, objective: Objective) -> LoadPlan:
    length_s = probe_length_s(section_of(bench.scenario), objective, ask.offered_rps)
    scenario = bench.scenario
    seed = probe_seed(scenario.load.seed, place.block, ask.offered_rps, ask.role)
    sources = read_sources(scenario, bench.directory)
    settling_s = SETTLING_S if place.probe == 0 else 0.0
    plan = open_plan(
        scenario, sources, ask.offered_rps, length_s, seed, longer_warm_up_s=settling_s
    )
    write_plan(bench.directory.plan_of(place), plan)
    return plan


def whole(plan: LoadPlan) -> int:
    """Requests of the plan's steady state."""
    return int((plan.offsets_ns >= plan.header.warm_up_s * 1e9).sum())


def _seen(bench: Bench, record: TrialRecord) -> Tally:
    if record.phases is None:
        return Tally()
    files = sorted(bench.directory.trial(record.place).glob("samples-*.parquet"))
    planned = whole(read_plan(bench.directory.plan_of(record.place)))
    limit_s = bench.scenario.slo.response_time_s
    return tally(read_samples(files), record.phases, planned, limit_s)
