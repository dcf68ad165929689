"""A capacity search of a real service whose capacity is known, and what ends one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import pytest

from architectures import catalog
from architectures.spec import Architecture, Blueprint, Component, Launch, Variant
from harness.bench import Bench
from harness.capacity import verdict
from harness.capacity.find import find_capacity, limits_of
from harness.capacity.probe import play_probe, probe_length_s, too_slow, whole
from harness.capacity.search import Ask, Limits
from harness.capacity.verdict import Objective
from harness.environment import assign_cores
from harness.record import CapacityRecord, Sut, TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario import CapacitySection
from harness.scenario_file import ScenarioError, parse_scenario
from harness.schedule import Turn, schedule
from harness.subject import Subject, deployed
from harness.turn import play_turn
from workloads.payloads import read_payloads, write_payloads
from workloads.plan import read_plan

SECOND = Path(__file__).parents[1] / "second_ensemble"
GOLDEN = RunDirectory(Path(__file__).parents[1] / "golden" / "record" / "version-1")

# Twenty at once, each for 0.2 s: 100 a second, however slow the machine; the rest is shed.
CAPACITY_RPS = 100
KNOWN = Variant("known", "for this test", {"mean_s": 0.2})

SCENARIO = f"""
name = "known"
suts = ["null_service"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["{SECOND}"]
[policy]
queue_bound = 20
[load]
workload = "constant"
warm_up_s = 0.5
drain_s = 1
payloads = 6
[slo]
percentile = 90
response_time_s = 0.8
error_ratio = 0.05
[capacity]
start = 30
most = 1000
precision = 0.5
probe_s = 1.5
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


@pytest.fixture
def ahead_of_others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where we may, all that is started from here runs before the machine's other work.

    What others then do with the time that is left on these cores is no doubt.
    """
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
        excused = verdict.COUNTED_BY_THE_RULE | {"host_under_pressure"}
        monkeypatch.setattr(verdict, "COUNTED_BY_THE_RULE", excused)
        monkeypatch.setattr(verdict, "OF_A_FULL_SUT", verdict.OF_A_FULL_SUT | excused)
    yield
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def bench_in(folder: Path, text: str = SCENARIO) -> Bench:
    scenario = parse_scenario(text, "known.toml")
    directory = RunDirectory(folder / "run")
    (directory.path / "plans").mkdir(parents=True)
    payloads = read_payloads(GOLDEN.payloads)
    write_payloads(directory.payloads, payloads)
    return Bench(scenario, assign_cores(1), directory, payloads, {}, (), None)


def the_turn() -> Turn:
    sut = Sut(key="null_service:known", architecture="a", variant="b", summary="", answers=False)
    (turn,) = schedule([sut], 0, 1, 1, search=True)
    return turn


@contextmanager
def known_service(bench: Bench) -> Iterator[Subject]:
    sut = (catalog.find("null_service"), KNOWN)
    with deployed(bench, sut, bench.directory.path / "logs") as subject:
        yield subject


def found(bench: Bench) -> CapacityRecord:
    path = bench.directory.capacity(0, "null_service:known")
    return CapacityRecord.model_validate_json(path.read_text())


@pytest.mark.usefixtures("ahead_of_others")
def test_a_search_of_a_known_service_is_right_or_says_what_disturbed_it(tmp_path: Path) -> None:
    bench, turn, said = bench_in(tmp_path), the_turn(), list[str]()
    trials = []
    with known_service(bench) as subject:
        for trial in find_capacity(subject, turn, lambda *_: None, said.append):
            bench.directory.save_trial(trial)
            trials.append(trial)
        # A run that ended before its search did: only what is not on disk is played again.
        rmtree(bench.directory.trial(trials[-1].place))
        again = next(find_capacity(subject, turn, lambda *_: None, said.append))
    record = found(bench)
    assert again.place == trials[-1].place
    assert [trial.place for trial in trials] == [turn.probe(n) for n in range(len(trials))]
    assert [probe.place for probe in record.probes] == [trial.place for trial in trials]
    for probe, words in zip(record.probes, said, strict=False):
        assert f"{probe.offered_rps:.4g} rps, {probe.role}: {probe.verdict}" in words
    assert_right_or_disturbed(record, said[len(record.probes)])


def assert_right_or_disturbed(record: CapacityRecord, last_words: str) -> None:
    """Other work on this machine may forbid a verdict; it may not make one wrong."""
    assert record.low_rps is None or record.low_rps <= 1.1 * CAPACITY_RPS
    assert record.high_rps is None or record.high_rps >= 0.8 * CAPACITY_RPS
    if record.capacity_rps is None:
        assert "not to be trusted" in record.end
        assert "not found" in last_words
        return
    assert record.high_rps is not None
    assert record.probes[record.confirmed_by or 0].role == "confirmation"
    assert f"capacity: {record.capacity_rps:g} rps" in last_words


def test_a_hopeless_probe_ends_before_its_plan_does(tmp_path: Path) -> None:
    # Long enough for a busy machine to notice in time: it does not last that long.
    bench = bench_in(tmp_path, SCENARIO.replace("probe_s = 1.5", "probe_s = 12"))
    turn = the_turn()
    with known_service(bench) as subject:
        ask = Ask(3.0 * CAPACITY_RPS, "doubling")
        played = play_probe(subject, turn.probe(0), ask, lambda *_: None)
    assert played.record.ended_early
    assert played.record.ended_early.startswith("hopeless: ")
    assert played.probe.planned < whole(read_plan(bench.directory.plan_of(turn.probe(0))))
    assert played.probe.verdict == "fails" or "not to be trusted" in played.probe.why


def test_a_sut_that_dies_ends_its_search_in_words(tmp_path: Path) -> None:
    null_service = catalog.find("null_service")

    def blueprint(launch: Launch) -> Blueprint:
        inner = null_service.blueprint(launch)
        argv = (sys.executable, "-c", "import time; time.sleep(2.5); raise SystemExit(9)")
        mortal = Component("mortal", argv, inner.components[0].ready_url)
        return Blueprint((*inner.components, mortal), inner.url)

    bench, trials = turn_played(tmp_path, replace(null_service, blueprint=blueprint))
    record = found(bench)
    assert len(record.probes) == len(trials) <= 1
    assert record.capacity_rps is None
    assert "a component died" in record.end
    assert "'mortal' ended with exit code 9" in record.end


def test_a_sut_that_does_not_come_up_has_no_capacity_and_says_why(tmp_path: Path) -> None:
    def blueprint(launch: Launch) -> Blueprint:
        url = f"http://127.0.0.1:{launch.port()}"
        argv = (sys.executable, "-c", "print('no weights'); raise SystemExit(5)")
        return Blueprint((Component("server", argv, url),), url)

    bench, trials = turn_played(
        tmp_path, replace(catalog.find("null_service"), blueprint=blueprint)
    )
    record = found(bench)
    assert (trials, record.probes, record.capacity_rps) == ([], (), None)
    assert "'server' ended with exit code 5" in record.end


def turn_played(folder: Path, architecture: Architecture) -> tuple[Bench, list[TrialRecord]]:
    bench = bench_in(folder)
    return bench, list(play_turn(bench, the_turn(), (architecture, KNOWN), lambda *_: None))


def test_a_probe_is_as_long_as_the_percentile_needs() -> None:
    section = CapacitySection(probe_s=10.0, most_probe_s=60.0)
    p99 = Objective(99.0, 0.2, 0.001, 0.99)
    assert probe_length_s(section, p99, 1000.0) == 10.0
    assert probe_length_s(section, p99, 100.0) == pytest.approx(13.07)
    assert probe_length_s(section, p99, 10.0) == 60.0


def test_a_rate_whose_probes_could_never_decide_is_not_played() -> None:
    scenario = parse_scenario(SCENARIO.replace("percentile = 90", "percentile = 99"), "known.toml")
    assert too_slow(scenario, 8.0) is None
    why = too_slow(scenario, 7.0)
    assert why is not None
    assert "60 s hold about 420 requests, and p99 needs 459" in why
    assert "raise capacity.most_probe_s to 66" in why


def test_shares_of_the_ceiling_become_rates_or_words() -> None:
    shares = SCENARIO.replace("start = 30", 'start = "0.5 ceiling"')
    scenario = parse_scenario(shares, "known.toml")
    assert limits_of(scenario, 60.0) == Limits(30.0, 1000.0, 0.5)
    with pytest.raises(ScenarioError, match="is a share of a ceiling that is not known") as no:
        limits_of(scenario, None)
    assert "capacity.start = '0.5 ceiling'" in str(no.value)
    assert "write it in requests per second, such as start = 50" in str(no.value)
    with pytest.raises(ScenarioError, match="start below most"):
        limits_of(scenario, 2400.0)
