"""Workers here and elsewhere at a server of known behaviour: one plan, one clock, one end.

A time namespace gives a process another CLOCK_MONOTONIC, so a worker in one is as far away as
another machine where it matters: a reading of its clock means nothing here until it is converted.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest

import harness.drive
from architectures.plugin import Example
from harness.drive import DriveError, Generator, boot
from harness.ports import PORTS
from harness.remote_workers import RemoteWorkers, farewell
from workloads.payload_files import own_file
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, read_plan, write_plan
from workloads.sample import read_samples

ROOT = Path(__file__).parents[2]
CORE = min(os.sched_getaffinity(0))
APART_S = 1000
ELSEWHERE = ("unshare", "--time", "--monotonic", str(APART_S), "--fork", "--kill-child")
PATIENCE_S = 60.0


def time_namespaces() -> bool:
    try:
        return (
            subprocess.run([*ELSEWHERE, "true"], check=False, capture_output=True).returncode == 0
        )
    except OSError:
        return False


class Workers:
    """``python -m harness worker`` as it is started by hand."""

    def __init__(self, port: int) -> None:
        self._master = f"127.0.0.1:{port}"
        self._started: list[subprocess.Popen[str]] = []

    def start(
        self, *options: str, before: tuple[str, ...] = (), cwd: Path = ROOT
    ) -> subprocess.Popen[str]:
        given = [sys.executable, "-m", "harness", "worker", "--master", self._master, *options]
        worker = subprocess.Popen(
            [*before, *given], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._started.append(worker)
        return worker

    def end(self) -> None:
        for worker in self._started:
            if worker.poll() is None:
                family = psutil.Process(worker.pid).children(recursive=True)
                for process in (psutil.Process(worker.pid), *family):
                    with suppress(psutil.NoSuchProcess):  # it may be ending by itself
                        process.resume()
                        if "harness" in process.cmdline():  # `unshare` lets signals pass by
                            process.send_signal(signal.SIGINT)
        for worker in self._started:
            worker.communicate(timeout=PATIENCE_S)


@pytest.fixture
def port() -> int:
    return PORTS.free()


@pytest.fixture
def workers(port: int) -> Iterator[Workers]:
    started = Workers(port)
    yield started
    started.end()


@pytest.fixture
def booted(tmp_path: Path, port: int) -> Callable[..., Generator]:
    """Boot a generator with workers here and elsewhere: ``booted(url, local=1, remote=1)``."""

    def start(url: str, *, local: int, remote: int, steady_s: float = 1.0) -> Generator:
        examples = [Example(i, bytes([i]) * 40_000, "image/jpeg", {}) for i in range(60)]
        write_payloads(tmp_path / "payloads.parquet", examples)
        header = PlanHeader("poisson", ("tag",), 80.0, 0.5, steady_s, seed=3)
        write_plan(tmp_path / "plan.parquet", build_plan(header, len(examples)))
        return boot(
            plan=tmp_path / "plan.parquet",
            payloads=tmp_path / "payloads.parquet",
            url=url,
            directory=tmp_path,
            cores=[CORE],
            workers=local,
            remote=RemoteWorkers(remote, "127.0.0.1", port),
        )

    return start


def left_over() -> set[Path]:
    return set(Path(gettempdir()).glob("servebench-worker-*"))


def check_union(table: pa.Table, folder: Path, workers: int) -> None:
    plan = read_plan(folder / "plan.parquet")
    index, worker = table["index"].to_numpy(), table["worker"].to_numpy()
    assert np.array_equal(index, np.arange(len(plan.offsets_ns)))
    assert np.array_equal(worker, index % workers)
    starts = table["intended_ns"].to_numpy() - plan.offsets_ns
    assert len(set(starts.tolist())) == 1  # to the nanosecond, whichever clock it was sent by


def check_clock(table: pa.Table, log: dict[int, list[int]], report: dict[str, Any]) -> None:
    """What the worker saw encloses what the server saw, to within the stated uncertainty."""
    slack_ns = report["clock"]["uncertainty_ns"] + abs(report["clock"]["drift_ns"])
    mine = [row for row in table.to_pylist() if row["worker"] == report["worker"]]
    assert mine
    for row in mine:
        begun_ns, answered_ns = log[row["index"]]
        assert row["intended_ns"] <= row["sent_ns"] <= begun_ns + slack_ns
        assert answered_ns <= row["received_ns"] + slack_ns + 50_000_000  # it notes it afterwards


@pytest.mark.skipif(not time_namespaces(), reason="needs root and a kernel with time namespaces")
def test_two_trials_with_workers_here_elsewhere_and_on_another_clock(
    known_server: Callable[..., Any],
    booted: Callable[..., Generator],
    workers: Workers,
    port: int,
    tmp_path: Path,
) -> None:
    before = left_over()
    started = [workers.start("--wait-s", "60"), workers.start(before=ELSEWHERE)]
    for local in (1, 2):
        server = known_server(service_s=[0.002])
        with booted(server.url, local=local, remote=2) as generator:
            result = generator.play()
        log = {index: times for index, *times in server.truth()["requests"]}
        count = local + 2
        reports = [json.loads((tmp_path / f"generator-{k}.json").read_text()) for k in range(count)]
        table = read_samples(result.samples)
        check_union(table, tmp_path, count)
        for report in reports:
            check_clock(table, log, report)
            assert report["schedule_lag_p99_ns"] > 0
            assert report["planned"] == report["sent"]
        assert sorted(report["remote"] for report in reports) == [False] * local + [True] * 2
        apart = [report["clock"] for report in reports if abs(report["clock"]["offset_ns"]) > 1e11]
        assert len(apart) == 1
        truth_ns = -APART_S * 10**9
        assert abs(apart[0]["offset_ns"] - truth_ns) <= apart[0]["uncertainty_ns"]
        assert abs(apart[0]["offset_after_ns"] - truth_ns) <= apart[0]["uncertainty_after_ns"]
        ours = [report["clock"]["exchanges"] for report in reports if not report["remote"]]
        assert ours == [0] * local  # the same clock is not measured
        assert (result.report["workers"], result.report["remote_workers"]) == (count, 2)
        assert result.report["clock_error_ns"] > 0
    assert farewell(RemoteWorkers(2, "127.0.0.1", port), PATIENCE_S) == 2
    for worker in started:
        said, _ = worker.communicate(timeout=PATIENCE_S)
        assert said.splitlines()[-1] == "the run is over; 2 trials played"
        assert worker.returncode == 0
    assert left_over() == before


@pytest.mark.parametrize("leaves", ["is interrupted", "falls silent"])
def test_a_remote_worker_that_goes_ends_the_trial(
    known_server: Callable[..., Any],
    booted: Callable[..., Generator],
    workers: Workers,
    leaves: str,
) -> None:
    before = left_over()
    worker = workers.start()
    gone: list[float] = []

    def go(share: float) -> None:
        if gone or not share:
            return
        gone.append(share)
        if leaves == "is interrupted":
            worker.send_signal(signal.SIGINT)
        else:
            psutil.Process(worker.pid).children()[0].suspend()

    with ExitStack() as stack:
        generator = booted(known_server().url, local=1, remote=1, steady_s=100.0)
        stack.enter_context(generator)
        with pytest.raises(DriveError, match=r"died or fell silent: load worker \d \(on \S+\)"):
            generator.play(go)
    assert gone[0] < 0.5
    if leaves == "is interrupted":
        said, _ = worker.communicate(timeout=PATIENCE_S)
        assert worker.returncode == 130
        assert "Traceback" not in said
        assert left_over() == before


def test_another_commit_is_turned_away_on_both_sides(
    known_server: Callable[..., Any],
    booted: Callable[..., Generator],
    workers: Workers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness.drive, "_GATHER_LIMIT_S", 2.0)
    other = tmp_path / "other"
    for package in ("architectures", "workloads", "harness"):
        shutil.copytree(ROOT / package, other / package, ignore=shutil.ignore_patterns("weights"))
    with (other / "workloads" / "sample.py").open("a") as source:
        source.write("# measured in another way\n")
    worker = workers.start(cwd=other)
    with booted(known_server().url, local=1, remote=1) as generator:
        said, _ = worker.communicate(timeout=PATIENCE_S)
        with pytest.raises(DriveError) as error:
            generator.play()
    assert worker.returncode == 2
    assert "turned this worker away: the run has code of the load generator" in said
    assert "check out the same commit on both machines" in said
    words = " ".join(str(error.value).split())
    assert "0 of 1 remote load workers came" in words
    assert "turned away: " in words
    assert "the worker " in words


def test_load_goes_to_the_run_s_url_only(
    known_server: Callable[..., Any], booted: Callable[..., Generator], workers: Workers
) -> None:
    workers.start("--only", "http://127.0.0.1:9")
    server = known_server()
    with (
        booted(server.url, local=1, remote=1) as generator,
        pytest.raises(DriveError, match=r"is not --only http://127\.0\.0\.1:9; it sends none"),
    ):
        generator.play()
    assert server.truth()["requests"] == []


def test_a_run_that_stops_lets_its_workers_go(
    known_server: Callable[..., Any],
    booted: Callable[..., Generator],
    workers: Workers,
    port: int,
) -> None:
    worker = workers.start()

    def interrupt(share: float) -> None:
        if share:
            raise KeyboardInterrupt

    generator = booted(known_server().url, local=1, remote=1, steady_s=100.0)
    with pytest.raises(KeyboardInterrupt), generator:
        generator.play(interrupt)
    assert farewell(RemoteWorkers(1, "127.0.0.1", port)) == 1
    said, _ = worker.communicate(timeout=PATIENCE_S)
    assert "Got quit message from master" in said
    assert said.splitlines()[-1] == "the run is over; 0 trials played"


def test_a_surplus_worker_waits_and_takes_no_part(
    known_server: Callable[..., Any],
    booted: Callable[..., Generator],
    workers: Workers,
    port: int,
    tmp_path: Path,
) -> None:
    started = [workers.start() for _ in range(2)]
    with booted(known_server().url, local=1, remote=1) as generator:
        result = generator.play()
    check_union(read_samples(result.samples), tmp_path, 2)
    assert farewell(RemoteWorkers(2, "127.0.0.1", port), PATIENCE_S) == 2
    ends = [worker.communicate(timeout=PATIENCE_S)[0].splitlines()[-1] for worker in started]
    assert sorted(ends) == ["the run is over; 0 trials played", "the run is over; 1 trial played"]


def test_a_remote_worker_is_lent_what_a_graph_alone_is_asked(
    known_server: Callable[..., Any],
    booted: Callable[..., Generator],
    workers: Workers,
    port: int,
    tmp_path: Path,
) -> None:
    server = known_server(service_s=[0.001])
    worker = workers.start()
    own = own_file(tmp_path / "payloads.parquet", "tag")
    write_payloads(own, [Example(i, b"own", "text/plain", {}, {"X-N": str(i)}) for i in range(60)])
    with booted(server.url, local=1, remote=1) as generator:
        result = generator.play()
    assert result.report["remote_workers"] == 1
    payloads = read_plan(tmp_path / "plan.parquet").payloads.tolist()
    assert sorted(server.truth()["asked"]) == [
        [index, "text/plain", str(payload), len(b"own")] for index, payload in enumerate(payloads)
    ]
    assert farewell(RemoteWorkers(1, "127.0.0.1", port), PATIENCE_S) == 1
    worker.communicate(timeout=PATIENCE_S)
