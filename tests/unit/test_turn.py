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
from harness.prepare import steps_of, write_plans
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
warm_up_s = 0.5
steady_s = 2
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


def test_a_component_that_dies_under_load_is_a_reason(tmp_path: Path) -> None:
    null_service = catalog.find("null_service")

    def blueprint(launch: Launch) -> Blueprint:
        inner = null_service.blueprint(launch)
        argv = (sys.executable, "-c", "import time; time.sleep(1.5); raise SystemExit(9)")
        mortal = Component("mortal", argv, inner.components[0].ready_url)
        return Blueprint((*inner.components, mortal), inner.url)

    trials = play(tmp_path, replace(null_service, blueprint=blueprint))
    assert [trial.outcome for trial in trials] == ["ok", "ok"]
    (died,) = [reason for reason in trials[0].reasons if reason.code == "component_died"]
    assert "'mortal' ended with exit code 9" in died.seen
