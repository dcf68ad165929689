"""A SUT's turn with real processes: what fails is recorded as failed, what dies is seen."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from architectures import catalog
from architectures.spec import Architecture, Blueprint, Component, Launch
from harness.bench import Bench
from harness.environment import assign_cores
from harness.plans import steps_of, write_plans
from harness.record import Sut, TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario_file import read_scenario
from harness.schedule import schedule
from harness.turn import play_turn
from workloads.payloads import read_payloads, write_payloads

SECOND = Path(__file__).parents[1] / "second_ensemble"
GOLDEN = RunDirectory(Path(__file__).parents[1] / "golden" / "record" / "version-1")

SCENARIO = f"""
name = "turn"
suts = ["null_service"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["{SECOND}"]
[load]
workload = "constant"
rates = [20, 30]
warm_up_s = 0.3
steady_s = 1
drain_s = 1
payloads = 6
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


def play(folder: Path, architecture: Architecture) -> list[TrialRecord]:
    path = folder / "turn.toml"
    path.write_text(SCENARIO)
    scenario = read_scenario(path)
    directory = RunDirectory(folder / "run")
    (directory.path / "plans").mkdir(parents=True)
    payloads = read_payloads(GOLDEN.payloads)
    write_payloads(directory.payloads, payloads)
    steps = steps_of(scenario, 0.0)
    write_plans(scenario, steps, directory)
    sut = Sut(key="a:b", architecture="a", variant="b", summary="", answers=False)
    (turn,) = schedule([sut], len(steps), 1, 1)
    bench = Bench(scenario, assign_cores(1), directory, payloads, {}, steps, None)
    said: list[str] = []
    trials = list(
        play_turn(
            bench,
            turn,
            (architecture, architecture.variants[0]),
            lambda doing, _share: said.append(doing),
        )
    )
    assert said[0] == "deploy"
    assert [trial.place for trial in trials] == list(turn.places)
    return trials


def test_every_step_is_played_on_one_deployment(tmp_path: Path) -> None:
    trials = play(tmp_path, catalog.find("null_service"))
    assert [trial.outcome for trial in trials] == ["ok", "ok"]
    assert [trial.offered_rps for trial in trials] == [20.0, 30.0]
    nonces = {trial.info["nonce"] for trial in trials if trial.info}
    assert len(nonces) == 1
    assert all("component_died" not in {r.code for r in trial.reasons} for trial in trials)


def test_a_deployment_that_fails_is_a_failed_trial_of_every_step(tmp_path: Path) -> None:
    def blueprint(launch: Launch) -> Blueprint:
        url = f"http://127.0.0.1:{launch.port()}"
        argv = (sys.executable, "-c", "print('no weights'); raise SystemExit(5)")
        return Blueprint((Component("server", argv, url),), url)

    trials = play(tmp_path, replace(catalog.find("null_service"), blueprint=blueprint))
    assert [trial.outcome for trial in trials] == ["failed", "failed"]
    for trial in trials:
        assert trial.error
        assert "'server' ended with exit code 5" in trial.error
        assert "no weights" in trial.error
        assert not trial.valid


def mortal(null_service: Architecture, lives: str) -> Architecture:
    """The floor beside a component that does as ``lives`` says: one line of Python."""

    def blueprint(launch: Launch) -> Blueprint:
        inner = null_service.blueprint(launch)
        argv = (sys.executable, "-c", lives)
        component = Component("mortal", argv, inner.components[0].ready_url)
        return Blueprint((*inner.components, component), inner.url)

    return replace(null_service, blueprint=blueprint)


def test_a_sut_that_dies_under_load_is_deployed_afresh_for_the_steps_that_remain(
    tmp_path: Path,
) -> None:
    lives = (
        "import pathlib, sys, time; seen = pathlib.Path(sys.argv[1]); again = seen.exists(); "
        "seen.touch(); time.sleep(600 if again else 2); raise SystemExit(9)"
    )
    null_service = catalog.find("null_service")

    def blueprint(launch: Launch) -> Blueprint:
        inner = mortal(null_service, lives).blueprint(launch)
        first, second = inner.components
        argv = (*second.argv, str(tmp_path / "seen"))
        return Blueprint((first, replace(second, argv=argv)), inner.url)

    trials = play(tmp_path, replace(null_service, blueprint=blueprint))
    assert [trial.outcome for trial in trials] == ["ok", "ok"]
    (died,) = [reason for reason in trials[0].reasons if reason.code == "component_died"]
    assert "'mortal' ended with exit code 9" in died.seen
    assert "component_died" not in {reason.code for reason in trials[1].reasons}
    assert trials[0].info
    assert trials[1].info
    assert trials[0].info["nonce"] != trials[1].info["nonce"]


def test_a_sut_that_cannot_be_brought_up_again_fails_its_remaining_steps(tmp_path: Path) -> None:
    null_service = catalog.find("null_service")

    def blueprint(launch: Launch) -> Blueprint:
        seen = tmp_path / "seen"
        lives = "import time; time.sleep(2); raise SystemExit(9)"
        if seen.exists():
            url = f"http://127.0.0.1:{launch.port()}"
            argv = (sys.executable, "-c", "raise SystemExit(7)")
            return Blueprint((Component("server", argv, url),), url)
        seen.touch()
        return mortal(null_service, lives).blueprint(launch)

    trials = play(tmp_path, replace(null_service, blueprint=blueprint))
    assert [trial.outcome for trial in trials] == ["ok", "failed"]
    assert "component_died" in {reason.code for reason in trials[0].reasons}
    assert trials[1].error
    assert "exit code 7" in trials[1].error


def test_a_trial_that_cannot_be_written_fails_and_the_next_is_played(tmp_path: Path) -> None:
    in_the_way = tmp_path / "run" / "trials" / "b00-s00-a-b" / "usage.parquet"
    in_the_way.mkdir(parents=True)
    trials = play(tmp_path, catalog.find("null_service"))
    assert [trial.outcome for trial in trials] == ["failed", "ok"]
    assert trials[0].error
    assert str(in_the_way) in trials[0].error
