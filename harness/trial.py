"""One SUT's turn: deploy, check that it is itself and answers right, then one trial a load step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from time import sleep
from typing import Any, TypeAlias

from architectures.plugin import Example
from architectures.spec import Architecture, Variant
from harness.deploy import Deployment, deploy
from harness.drive import DriveError, DriveResult, Generator, boot
from harness.environment import Cores
from harness.kept import DeployError
from harness.ports import NoFreePortError
from harness.pressure import host_pressure
from harness.record import Step, TrialPlace, TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario import Scenario
from harness.schedule import Turn
from harness.usage import GENERATOR, Target, Usage, watch, write_usage
from harness.validity import Evidence, reasons
from harness.verify import Compared, before_load, under_load, verification
from workloads.plan import read_plan
from workloads.sample import read_samples

IDLE_S = 1.0
"""Watched before load begins, for the idle draw; the load generator boots meanwhile."""

TIMEOUT_MARGIN_S = 2.0
"""The client's patience beyond the SUT's own deadline, so that its 504 is heard."""

RATE_OF_A_WORKER_RPS = 400.0

DEPLOY = "deploy"

Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being done and which share of it is behind us."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials of a run share.

    Attributes:
        references: line i answers payload i.
    """

    scenario: Scenario
    cores: Cores
    directory: RunDirectory
    payloads: Sequence[Example]
    references: Sequence[Any]
    steps: Sequence[Step]


@dataclass(frozen=True)
class Subject:
    """What is measured: a deployment, asked once whether it answers right."""

    bench: Bench
    architecture: Architecture
    deployment: Deployment

    @cached_property
    def checked(self) -> Compared:
        """Its answers before load against the references."""
        if not self.architecture.answers:
            return Compared()
        bench = self.bench
        graph = bench.scenario.ensemble.graph
        return before_load(self.deployment.url, graph, bench.payloads, bench.references)


def play_turn(
    bench: Bench, turn: Turn, sut: tuple[Architecture, Variant], progress: Progress
) -> Iterator[TrialRecord]:
    """Deploy a SUT once and yield its trial of each load step; a failure is a trial too."""
    waiting = list(turn.places)
    try:
        with _deployed(bench, turn, sut, progress) as deployment:
            subject = Subject(bench, sut[0], deployment)
            while waiting:
                record = _play_or_fail(subject, waiting[0], progress)
                waiting.pop(0)
                yield record
    except (DeployError, NoFreePortError, OSError) as error:
        if not waiting:  # it could not be ended: what comes next would be measured beside it
            raise
        yield from (_failed(bench, place, str(error)) for place in waiting)


def _deployed(
    bench: Bench, turn: Turn, sut: tuple[Architecture, Variant], progress: Progress
) -> Any:
    progress(DEPLOY, 0.0)
    scenario = bench.scenario
    return deploy(
        *sut,
        ensemble=scenario.ensemble.choice(),
        policy=scenario.policy.policy(),
        claim=bench.cores.claim(scenario.budget.memory_gib),
        log_directory=bench.directory.trial(turn.places[0]),
        startup_timeout_s=scenario.budget.start_up_limit_s,
    )


def _play_or_fail(subject: Subject, place: TrialPlace, progress: Progress) -> TrialRecord:
    try:
        return _play(subject, place, progress)
    except DriveError as error:
        return _failed(subject.bench, place, str(error))


def _failed(bench: Bench, place: TrialPlace, error: str) -> TrialRecord:
    offered_rps = bench.steps[place.step].offered_rps
    return TrialRecord(place=place, outcome="failed", error=error, offered_rps=offered_rps)


def _play(subject: Subject, place: TrialPlace, progress: Progress) -> TrialRecord:
    bench, deployment = subject.bench, subject.deployment
    folder = bench.directory.trial(place)
    folder.mkdir(parents=True, exist_ok=True)
    with _booted(bench, place, deployment.url) as generator:
        progress("check answers", 0.0)
        checked = subject.checked  # while the generator boots on cores of its own
        targets = (
            Target(deployment.pids(), deployment.keeper.pid),
            Target({GENERATOR: generator.pid}),
        )
        with watch(targets) as usage:
            progress("idle", 0.0)
            sleep(IDLE_S)
            result = generator.play(partial(progress, "load"))
        write_usage(folder / "usage.parquet", usage.table())
    return _judged(subject, place, checked, usage, result)


def _booted(bench: Bench, place: TrialPlace, url: str) -> Generator:
    load, policy = bench.scenario.load, bench.scenario.policy
    offered_rps = bench.steps[place.step].offered_rps
    workers = min(len(bench.cores.harness), 1 + int(offered_rps / RATE_OF_A_WORKER_RPS))
    return boot(
        plan=bench.directory.plan(place.block, place.step),
        payloads=bench.directory.payloads,
        url=url,
        directory=bench.directory.trial(place),
        cores=bench.cores.harness,
        workers=workers,
        answer_every=load.answer_every,
        max_in_flight=load.max_in_flight * workers,
        timeout_s=policy.deadline_s + TIMEOUT_MARGIN_S,
        drain_s=load.drain_s,
    )


def _judged(
    subject: Subject, place: TrialPlace, checked: Compared, usage: Usage, result: DriveResult
) -> TrialRecord:
    bench, phases = subject.bench, result.phases
    scenario = bench.scenario
    window_ns = (phases.steady_ns, phases.end_ns)
    generator_s = usage.cpu_s(window_ns, generator=True)
    sut_s = usage.cpu_s(window_ns, generator=False)
    steady_s = (phases.end_ns - phases.steady_ns) / 1e9
    pressure = host_pressure(
        usage.host,
        window_ns,
        (bench.cores.sut, sut_s),
        (bench.cores.harness, generator_s),
    )
    plan = read_plan(bench.directory.plan(place.block, place.step))
    samples = read_samples(result.samples)
    warm_up_ns = int(plan.header.warm_up_s * 1e9)
    loaded = under_load(samples, plan, bench.references) if checked.count else Compared()
    evidence = Evidence(
        samples=samples,
        phases=phases,
        planned=int((plan.offsets_ns >= warm_up_ns).sum()),
        percentile=scenario.slo.percentile,
        generator_cores=generator_s / steady_s,
        generator_workers=int(result.report["workers"]),
        pressure=pressure,
        sut_cores=len(bench.cores.sut),
        pss_bytes=usage.peak_pss_bytes((phases.start_ns, phases.drained_ns)),
        memory_bytes=bench.cores.claim(scenario.budget.memory_gib).memory_bytes,
        verification=verification(checked, loaded),
        exits=tuple(map(str, subject.deployment.exited())),
    )
    return TrialRecord(
        place=place,
        outcome="ok",
        offered_rps=plan.header.rate_rps,
        start_up_s=subject.deployment.start_up_s,
        phases=phases,
        info=dict(subject.deployment.info),
        verification=evidence.verification,
        generator={**result.report, "steady_cpu_s": generator_s, "usage_cpu_s": usage.cost_s},
        pressure=pressure,
        reasons=reasons(evidence),
    )
