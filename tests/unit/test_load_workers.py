"""Several load workers at the measurement floor, as a scenario asks for them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import harness.drive
from architectures import catalog
from harness.bench import Bench
from harness.environment import assign_cores
from harness.plans import steps_of, write_plans
from harness.ports import PORTS
from harness.record import Sut, TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario_file import read_scenario
from harness.schedule import schedule
from harness.turn import play_turn
from workloads.payloads import read_payloads, write_payloads
from workloads.plan import read_plan
from workloads.sample import read_samples

TESTS = Path(__file__).parents[1]
PAYLOADS = RunDirectory(TESTS / "golden" / "record" / "version-1").payloads

SCENARIO = f"""
name = "crew"
suts = ["null_service"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["{TESTS / "second_ensemble"}"]
[load]
rates = [80]
warm_up_s = 0.3
steady_s = 1
drain_s = 1
payloads = 6
[generator]
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


def play(folder: Path, generator: str) -> tuple[TrialRecord, RunDirectory]:
    path = folder / "crew.toml"
    path.write_text(SCENARIO + generator)
    scenario = read_scenario(path)
    directory = RunDirectory(folder / "run")
    (directory.path / "plans").mkdir(parents=True)
    write_payloads(directory.payloads, read_payloads(PAYLOADS))
    steps = steps_of(scenario, 0.0)
    write_plans(scenario, steps, directory)
    architecture = catalog.find("null_service")
    sut = Sut(key="a:b", architecture="a", variant="b", summary="", answers=False)
    (turn,) = schedule([sut], len(steps), 1, 1)
    payloads = read_payloads(directory.payloads)
    bench = Bench(scenario, assign_cores(1), directory, payloads, {}, steps, None)
    played = play_turn(bench, turn, (architecture, architecture.variants[0]), lambda *_: None)
    (trial,) = played
    return trial, directory


def check_parts(trial: TrialRecord, directory: RunDirectory, workers: int) -> None:
    """Each planned request once, each by its worker; each worker tells how late it was."""
    assert trial.outcome == "ok", trial.error
    folder = directory.trial(trial.place)
    plan = read_plan(directory.plan(0, 0))
    table = read_samples([folder / f"samples-{worker}.parquet" for worker in range(workers)])
    index = table["index"].to_numpy()
    assert np.array_equal(index, np.arange(len(plan.offsets_ns)))
    assert np.array_equal(table["worker"].to_numpy(), index % workers)
    reports = [
        json.loads((folder / f"generator-{worker}.json").read_text()) for worker in range(workers)
    ]
    assert len(list(folder.glob("generator-*.json"))) == workers
    assert sum(report["planned"] for report in reports) == len(index)
    for worker, report in enumerate(reports):
        assert (report["worker"], report["workers"]) == (worker, workers)
        assert 0 < report["schedule_lag_p50_ns"] <= report["schedule_lag_p99_ns"]
        assert report["loop_lag_p99_ns"] > 0
    assert trial.generator["workers"] == workers
    assert trial.phases
    lags_ns = (table["sent_ns"].to_numpy() - table["intended_ns"].to_numpy()).astype(float)
    counted = table["intended_ns"].to_numpy() >= trial.phases.steady_ns
    of_each = [lags_ns[counted & (index % workers == worker)] for worker in range(workers)]
    worst_ns = max(float(np.percentile(each, 95)) for each in of_each)
    assert trial.generator["schedule_lag_p95_worst_ns"] == worst_ns


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_of_this_machine(tmp_path: Path, workers: int) -> None:
    trial, directory = play(tmp_path, f"workers = {workers}")
    check_parts(trial, directory, workers)
    assert (trial.generator["remote_workers"], trial.generator["clock_error_ns"]) == (0, 0)


def test_a_worker_from_elsewhere_beside_two_of_ours(tmp_path: Path) -> None:
    port = PORTS.free()
    given = ("-m", "harness", "worker", "--master", f"127.0.0.1:{port}", "--wait-s", "60")
    worker = subprocess.Popen([sys.executable, *given], stdout=subprocess.PIPE, text=True)
    try:
        trial, directory = play(tmp_path, f"workers = 2\nremote_workers = 1\nport = {port}")
    finally:
        worker.terminate()
        said, _ = worker.communicate(timeout=60)
    check_parts(trial, directory, 3)
    assert trial.generator["remote_workers"] == 1
    assert trial.generator["clock_error_ns"] > 0
    assert "joined as load worker" in said


def test_a_worker_that_does_not_come_fails_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.drive, "_GATHER_LIMIT_S", 2.0)
    port = PORTS.free()
    trial, _ = play(tmp_path, f"workers = 2\nremote_workers = 1\nport = {port}")
    assert trial.outcome == "failed"
    assert trial.error
    assert "0 of 1 remote load workers came" in trial.error
    assert f"python -m harness worker --master 127.0.0.1:{port}" in trial.error
