"""The command line as a person meets it: real servers, real Locust, words and exit codes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from harness.http import ask
from harness.record import USAGE_COLUMNS, RunRecord, TrialRecord
from harness.run_directory import RunDirectory
from tests.leftovers import alive, each, has_ended, left_of
from workloads.plan import read_plan
from workloads.sample import Outcome, read_samples

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "tests" / "second_ensemble"
SHARED = r"/dev/shm/\S+(?!.*deleted)"  # noqa: S108 - where the kernel keeps it
PATIENCE_S = 240.0
"""For what takes seconds on a quiet machine."""

SCENARIO = f"""
name = "two-stages"
summary = "A team's own ensemble of two stages."
suts = ["null_service", "monolith"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["{SECOND}"]
[budget]
cores = 1
memory_gib = 2
[load]
workload = "constant"
rates = [40, 20]
warm_up_s = 0.5
steady_s = STEADY
drain_s = 2
blocks = 1
payloads = 12
answer_every = 4
[slo]
percentile = 50
response_time_s = 2
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


def harness(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def scenario_file(folder: Path, steady_s: float = 2.0) -> Path:
    path = folder / "two-stages.toml"
    path.write_text(SCENARIO.replace("STEADY", str(steady_s)))
    return path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunDirectory, str]:
    folder = tmp_path_factory.mktemp("ran")
    status, out, err = finished(
        harness("run", str(scenario_file(folder)), "--out", str(folder / "runs"))
    )
    assert status == 0, out + err
    return RunDirectory(Path(out.splitlines()[-1])), out


def trials_of(directory: RunDirectory) -> list[TrialRecord]:
    return [
        TrialRecord.model_validate_json(path.read_text())
        for path in sorted((directory.path / "trials").glob("*/trial.json"))
    ]


def test_a_run_leaves_a_whole_directory(ran: tuple[RunDirectory, str]) -> None:
    directory, out = ran
    record = RunRecord.read(directory.path)
    assert record.status == "complete"
    assert (directory.path.parent / "latest").resolve() == directory.path.resolve()
    assert record.suts[0].key == "null_service:floor"
    assert [step.offered_rps for step in record.steps] == [40.0, 20.0]
    assert {point.block for point in record.ceiling} == {-1, 0}
    assert record.best_batch in {point.batch_size for point in record.ceiling}
    assert record.ensemble.name == "language_guess"
    assert len(record.schedule) == 4
    assert all(sut.key in out for sut in record.suts)
    assert len(directory.references.read_text().splitlines()) == 12
    assert (directory.path / "scenario.toml").read_text().startswith("\nname")


def test_every_trial_is_whole_and_its_answers_equal_the_reference(
    ran: tuple[RunDirectory, str],
) -> None:
    directory, _ = ran
    record = RunRecord.read(directory.path)
    trials = trials_of(directory)
    assert {trial.place for trial in trials} == set(record.schedule)
    for trial in trials:
        assert trial.outcome == "ok", trial.error
        assert trial.start_up_s
        assert trial.info
        assert trial.verification
        assert trial.verification.before_different == 0
        assert trial.verification.under_load_different == 0
        assert "answers_differ" not in {reason.code for reason in trial.reasons}
        asked = trial.place.sut.startswith("monolith")
        assert trial.verification.before == 12 * asked
        assert bool(trial.verification.under_load) == asked


def test_samples_are_the_plan_and_the_plan_is_the_same_for_every_sut(
    ran: tuple[RunDirectory, str],
) -> None:
    directory, _ = ran
    for trial in trials_of(directory):
        plan = read_plan(directory.plan(trial.place.block, trial.place.step))
        samples = read_samples(sorted(directory.trial(trial.place).glob("samples-*.parquet")))
        assert trial.phases
        intended = samples["intended_ns"].to_numpy() - trial.phases.start_ns
        assert np.array_equal(intended, plan.offsets_ns)
        outcomes = set(samples["outcome"].to_pylist())
        assert Outcome.DROPPED not in outcomes
        assert plan.header.rate_rps == trial.offered_rps


def test_usage_has_the_sut_and_the_generator(ran: tuple[RunDirectory, str]) -> None:
    directory, _ = ran
    for trial in trials_of(directory):
        table = pq.read_table(directory.trial(trial.place) / "usage.parquet")
        assert tuple(table.column_names) == USAGE_COLUMNS
        frame = table.to_pandas()
        assert {"generator", "server"} <= set(frame["component"])
        assert trial.phases
        assert frame["t_ns"].min() < trial.phases.start_ns - 5 * 10**8
        # The idle draw is a difference: it needs two readings before load.
        assert frame.loc[frame["t_ns"] < trial.phases.start_ns, "t_ns"].nunique() > 1
        assert frame["t_ns"].max() >= trial.phases.end_ns


def _become_none(folder: Path) -> bool:
    """A load generator that was still importing hears of its parent's death a moment later."""
    end_ns = time.monotonic_ns() + 60 * 10**9
    while (left := left_of(folder)) and time.monotonic_ns() < end_ns:
        time.sleep(0.2)
    return not left


def _wait_for(path: Path, pattern: str) -> Path:
    end_ns = time.monotonic_ns() + int(PATIENCE_S * 1e9)
    while time.monotonic_ns() < end_ns:
        for found in path.glob(pattern):
            return found
        time.sleep(0.1)
    raise AssertionError(f"no {pattern} in {path}")


@pytest.fixture
def under_way(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path, int, int]]:
    """A run whose first trial has ended and whose second is being played."""
    process = harness(
        "run", str(scenario_file(tmp_path, steady_s=3)), "--out", str(tmp_path / "runs")
    )
    try:
        _wait_for(tmp_path, "runs/*/trials/*/trial.json")
        _wait_for(tmp_path, "runs/*/trials/b00-s01-*/locust.log")
        keeper, port = _keeper_of(process.pid)
        yield process, tmp_path, keeper, port
    finally:
        process.kill()
        process.wait()


def _keeper_of(pid: int) -> tuple[int, int]:
    """The keeper below the harness, and the port of what it keeps."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in map(int, children):
        if b"keeper.py" in Path(f"/proc/{child}/cmdline").read_bytes():
            below = Path(f"/proc/{child}/task/{child}/children").read_text().split()
            environment = Path(f"/proc/{below[0]}/environ").read_text()
            found = re.search(r'"port":\s*(\d+)', environment)
            assert found
            return child, int(found[1])
    raise AssertionError("no keeper below the harness")


def _ends(pid: int) -> bool:
    end_ns = time.monotonic_ns() + 60 * 10**9
    while not has_ended(pid) and time.monotonic_ns() < end_ns:
        time.sleep(0.1)
    return has_ended(pid)


def test_sigkill_leaves_no_process_no_port_no_directory_and_a_readable_record(
    under_way: tuple[subprocess.Popen[str], Path, int, int],
) -> None:
    process, folder, keeper, port = under_way
    home = _home_of_child(keeper)
    process.kill()
    process.wait()
    assert _ends(keeper)
    assert _become_none(folder)
    assert not Path(home).exists()
    with pytest.raises(URLError):
        ask(f"http://127.0.0.1:{port}/healthz", timeout_s=1.0)
    (run,) = (folder / "runs").glob("*-two-stages")
    assert RunRecord.read(run).status == "running"
    assert trials_of(RunDirectory(run))[0].outcome == "ok"


def _home_of_child(keeper: int) -> str:
    child = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()[0]
    words = Path(f"/proc/{child}/environ").read_text().split("\0")
    return next(word.removeprefix("HOME=") for word in words if word.startswith("HOME="))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_in_order_and_is_recorded(
    under_way: tuple[subprocess.Popen[str], Path, int, int], number: signal.Signals
) -> None:
    process, folder, keeper, _ = under_way
    process.send_signal(number)
    status, _, err = finished(process)
    assert status == 130
    assert "Traceback" not in err
    assert not Path(f"/proc/{keeper}").exists()
    assert left_of(folder) == []
    (run,) = (folder / "runs").glob("*-two-stages")
    assert RunRecord.read(run).status == "interrupted"


def test_serve_prints_a_url_and_a_curl_that_works_and_stops_on_interrupt() -> None:
    process = harness(
        "serve", "monolith", "--ensemble", "language_guess", "--tier", "plain",
        "--search-path", str(SECOND),
    )  # fmt: skip
    try:
        assert process.stdout
        ready, curl = process.stdout.readline(), process.stdout.readline()
        assert "monolith:" in ready, (ready, process.stderr)
        url = ready.split()[-1]
        assert ask(url + "/readyz").status == 200
        asked = re.search(r"--data-binary @(\S+) -H 'Content-Type: (\S+)' (\S+)", curl)
        assert asked
        reply = ask(asked[3], Path(asked[1]).read_bytes(), asked[2])
        assert "language" in reply.json()
        process.send_signal(signal.SIGINT)
        status, _, err = finished(process)
        assert (status, "Traceback" in err) == (130, False)
        with pytest.raises(URLError):
            ask(f"http://127.0.0.1:{urlsplit(url).port}/readyz", timeout_s=1.0)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("sut", ["monolith", "microservices", "ray_serve:default"])
def test_sigkill_while_serving_leaves_nothing_of_any_architecture(sut: str) -> None:
    """Ray's daemons too: no process, port, shared memory or directory.

    With HAProxy in front: tests/conformance/test_ray_cleanup.py.
    """
    process = harness(
        "serve", sut, "--ensemble", "language_guess", "--tier", "plain",
        "--search-path", str(SECOND),
    )  # fmt: skip
    try:
        assert process.stdout
        ready = process.stdout.readline()
        assert "is ready" in ready, process.communicate()[1]
        keeper = psutil.Process(_keeper_of(process.pid)[0])
        below = keeper.children(recursive=True)
        ports = _listening(below)
        directory = Path(_home_of_child(keeper.pid))
        assert int(ready.split(":")[-1]) in ports
        assert directory.exists()
        shared = _shared_memory(below)
    finally:
        process.kill()
        process.wait()
    assert _ends(keeper.pid)
    assert alive(below) == []
    assert not directory.exists()
    assert [name for name in shared if Path(name).exists()] == []
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def _listening(processes: list[psutil.Process]) -> set[int]:
    return {
        connection.laddr.port
        for connections in each(processes, lambda process: process.net_connections("tcp"))
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    }


def _shared_memory(processes: list[psutil.Process]) -> set[str]:
    maps = each(processes, lambda process: Path(f"/proc/{process.pid}/maps").read_text())
    return {found for text in maps for found in re.findall(SHARED, text)}


def test_list_names_architectures_variants_and_scenarios() -> None:
    status, out, _ = finished(harness("list"))
    assert status == 0
    for word in ("monolith:", "microservices:", "ray_serve:", "null_service:", "quick.toml"):
        assert word in out


def test_check_reads_without_starting_anything() -> None:
    status, out, err = finished(harness("check", "scenarios/smoke.toml"))
    assert status == 0, err
    assert "null_service:floor, monolith:" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "no.toml"), "no.toml: cannot be read"),
        (("check", "no.toml"), "no.toml: cannot be read"),
        (("serve", "monolit"), "did you mean 'monolith'?"),
        (("serve", "monolith:naiv"), "did you mean 'naive'?"),
        (("serve", "monolith", "--ensemble", "nowhere"), "'nowhere' cannot be imported"),
        (("serve", "monolith", "--cores", "999"), "budget.cores = 999"),
        (("run", "scenarios/smoke.toml", "--sut", "monolit"), "did you mean 'monolith'?"),
    ],
)
def test_mistakes_are_words_and_an_exit_code(arguments: tuple[str, ...], words: str) -> None:
    status, _, err = finished(harness(*arguments))
    assert status == 2
    assert words in err
    assert "Traceback" not in err
