"""A whole trial at a null service that follows a script, and what arithmetic expects of it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from architectures import catalog
from architectures.null_service.behaviour import TABLE_SIZE, Behaviour
from architectures.plugin import Example
from architectures.spec import Variant
from harness.bench import Bench
from harness.environment import assign_cores
from harness.plans import steps_of, write_plans
from harness.record import RunRecord, TrialPlace, TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario_file import read_scenario
from harness.subject import deployed
from harness.trial import Order, play_trial
from reports.estimate import Missing
from reports.frames import Run, read_trial
from reports.metrics import METRICS
from reports.subject import Subject
from tests.oracle.priority import ahead_of_others, children
from workloads.payloads import write_payloads
from workloads.plan import LoadPlan, read_plan

Floats: TypeAlias = npt.NDArray[np.float64]
Disturb: TypeAlias = Callable[[int, float], None]
SECOND = Path(__file__).parents[1] / "second_ensemble"
BODY_BYTES = 2_000
PUBLISHED = {"response_p50_ms": 50, "response_p95_ms": 95, "response_p99_ms": 99}


@dataclass(frozen=True)
class Load:
    """What is offered to a script."""

    rate_rps: float = 500.0
    warm_up_s: float = 0.4
    steady_s: float = 2.3
    arrivals: str = "poisson"

    def scenario(self) -> str:
        return f"""
name = "scripted"
suts = ["null_service"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["{SECOND}"]
[policy]
queue_bound = 500
[load]
workload = "{self.arrivals}"
rates = [{self.rate_rps}]
warm_up_s = {self.warm_up_s}
steady_s = {self.steady_s}
drain_s = 3
max_in_flight = 800
payloads = 20
blocks = 1
[slo]
percentile = 99
"""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a trial came to.

    Attributes:
        published: percentile -> what the report reads, in ms.
        expected: the same by arithmetic.
        ahead: our processes ran before any other work, which then could not disturb them.
    """

    record: TrialRecord
    published: dict[int, float]
    expected: dict[int, float]
    ahead: bool

    @property
    def doubts(self) -> set[str]:
        """Why it is not to be trusted."""
        harmless = {"host_under_pressure"} if self.ahead else set()
        return {reason.code for reason in self.record.reasons} - harmless

    @property
    def off(self) -> dict[int, str]:
        """Percentiles off by more than 2 % and .3 ms."""
        return {
            percentile: f"{self.published[percentile]:.1f} for {true:.1f} ms"
            for percentile, true in self.expected.items()
            if abs(self.published[percentile] - true) > max(0.02 * true, 0.3)
        }

    def __str__(self) -> str:
        said = "; ".join(f"{reason.code}: {reason.seen}" for reason in self.record.reasons)
        return f"off: {self.off or 'none'}; doubts: {said or 'none'}"


def play_script(
    folder: Path, options: Mapping[str, Any], load: Load, disturb: Disturb = lambda *_: None
) -> Seen:
    """Play one trial as a run does, and read it as a report does.

    Args:
        folder: where the run goes.
        options: the null service's script.
        load: what is offered.
        disturb: told a few times a second of the generator's process, and of the share played.
    """
    bench = _bench(folder, load)
    place = TrialPlace(order=0, block=0, step=0, sut="null_service:scripted")
    plan = bench.directory.plan(0, 0)
    sut = (catalog.find("null_service"), Variant("scripted", "for a test", options))
    with deployed(bench, sut, folder / "logs") as subject:
        pids = cast("Any", subject.running).deployment.pids().values()
        ahead = [ahead_of_others(pid) for pid in pids]

        def progress(doing: str, share: float) -> None:
            for pid in children(os.getpid(), "locust"):
                if doing == "idle":
                    ahead.append(ahead_of_others(pid))
                if doing == "load":
                    disturb(pid, share)

        record = play_trial(subject, Order(place, plan, load.rate_rps), progress)
    frames = read_trial(Run(bench.directory.path, cast("RunRecord", None), ()), record)
    assert frames is not None
    read = {metric.key: metric.of(Subject(frames, None, None)) for metric in METRICS}
    published = {p: value(read[key]) for key, p in PUBLISHED.items()}
    due_ms = expected_ms(read_plan(plan), options)
    expected = {p: float(np.percentile(due_ms, p)) for p in published}
    return Seen(record, published, expected, all(ahead))


def value(read: float | Missing) -> float:
    return float("nan") if isinstance(read, Missing) else read


def _bench(folder: Path, load: Load) -> Bench:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "scripted.toml"
    path.write_text(load.scenario())
    scenario = read_scenario(path)
    directory = RunDirectory(folder / "run")
    (directory.path / "plans").mkdir(parents=True)
    examples = [Example(i, bytes([i]) * BODY_BYTES, "text/plain", {}) for i in range(20)]
    write_payloads(directory.payloads, examples)
    steps = steps_of(scenario, 0.0)
    write_plans(scenario, steps, directory)
    return Bench(scenario, assign_cores(1), directory, examples, {}, steps, None)


def expected_ms(plan: LoadPlan, options: Mapping[str, Any]) -> Floats:
    """Response times of the good answers of the steady state, from arrivals and script alone."""
    arrive_s = (plan.offsets_ns - plan.offsets_ns[0]) / 1e9
    script = Behaviour.from_options(options)
    row = np.arange(len(arrive_s)) % TABLE_SIZE
    begin_s = thawed(arrive_s, script.freezes)
    delay_s = script.delays_ns()[row] / 1e9 + script.drift * begin_s
    delay_s += script.slow_start_s * np.exp(-begin_s / script.slow_start_decay_s)
    done_s = thawed(begin_s + delay_s, script.freezes)
    fails = np.zeros(len(arrive_s), dtype=bool)
    for start_s, for_s, share in script.error_bursts:
        inside = (begin_s >= start_s) & (begin_s < start_s + for_s)
        fails |= inside & (script.lots()[row] < share)
    steady = plan.offsets_ns >= plan.header.warm_up_s * 1e9
    good_ms: Floats = (done_s - arrive_s)[steady & ~fails] * 1e3
    return good_ms


def thawed(when_s: Floats, freezes: tuple[tuple[float, float], ...]) -> Floats:
    """The same instants, those within a freeze put off to its end."""
    for start_s, for_s in freezes:
        frozen = (when_s >= start_s) & (when_s < start_s + for_s)
        when_s = np.where(frozen, start_s + for_s, when_s)
    return when_s
