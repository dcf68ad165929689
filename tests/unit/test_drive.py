"""The load generator as a process: what it says when it cannot run, and that it always ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns, sleep
from typing import Any

import psutil
import pytest

from architectures.plugin import Example
from harness.drive import DriveError, Generator, boot
from tests.leftovers import alive, each
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, write_plan

NOBODY = "http://127.0.0.1:9"
CORE = min(os.sched_getaffinity(0))


@pytest.fixture
def booted(tmp_path: Path) -> Callable[..., Generator]:
    """Boot a generator for a plan of half a second at a URL where nobody answers."""
    write_payloads(tmp_path / "payloads.parquet", [Example(1, b"x", "image/jpeg", {})])
    write_plan(
        tmp_path / "plan.parquet", build_plan(PlanHeader("poisson", ("tag",), 40, 0.0, 0.5, 1), 1)
    )

    def start(**changed: Any) -> Generator:
        given = {"plan": tmp_path / "plan.parquet", "payloads": tmp_path / "payloads.parquet"}
        return boot(**{**given, **changed}, url=NOBODY, directory=tmp_path, cores=[CORE])

    return start


def ended(processes: list[psutil.Process], limit_s: float = 60.0) -> bool:
    limit_ns = perf_counter_ns() + int(limit_s * 1e9)
    while perf_counter_ns() < limit_ns:
        if not alive(processes):
            return True
        sleep(0.05)
    return False


def family(pid: int, size: int) -> list[psutil.Process]:
    """A generator's processes, once it has started them all."""
    limit_ns = perf_counter_ns() + 30_000_000_000
    while perf_counter_ns() < limit_ns:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        if len(processes) == size:
            return processes
        sleep(0.05)
    raise AssertionError(f"{pid} never had {size} processes")


def test_progress_is_told_and_the_report_is_whole(booted: Callable[..., Generator]) -> None:
    told: list[float] = []
    with booted() as generator:
        result = generator.play(told.append)
    assert told == sorted(told)
    assert all(0 <= share <= 1 for share in told)
    assert result.report["planned"] == result.report["sent"] > 0
    phases = result.phases
    assert phases.start_ns == phases.steady_ns < phases.end_ns <= phases.drained_ns


def test_a_file_that_is_no_plan_is_named(booted: Callable[..., Generator], tmp_path: Path) -> None:
    (tmp_path / "other.parquet").write_text("not parquet")
    with pytest.raises(DriveError, match=r"other\.parquet is no load plan"):
        booted(plan=tmp_path / "other.parquet")


def test_missing_payloads_are_named(booted: Callable[..., Generator], tmp_path: Path) -> None:
    with (
        booted(payloads=tmp_path / "none.parquet") as generator,
        pytest.raises(DriveError, match=r"none\.parquet: no such file"),
    ):
        generator.play()


def test_payloads_that_cannot_be_read_end_the_run_in_words(
    booted: Callable[..., Generator], tmp_path: Path
) -> None:
    (tmp_path / "bad.parquet").write_text("not parquet")
    with (
        booted(payloads=tmp_path / "bad.parquet") as generator,
        pytest.raises(DriveError, match=r"the load generator failed: .*[Pp]arquet"),
    ):
        generator.play()


def test_the_users_own_locust_settings_change_nothing(
    booted: Callable[..., Generator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".locust.conf").unlink(missing_ok=True)
    monkeypatch.setenv("LOCUST_LOGLEVEL", "NONSENSE")
    with booted() as generator:
        assert generator.play().report["sent"] > 0


def test_leaving_ends_every_worker(booted: Callable[..., Generator]) -> None:
    with booted(workers=2) as generator:
        processes = family(generator.pid, 3)
        assert {tuple(process.cpu_affinity()) for process in processes} == {(CORE,)}
        listening = [
            connection.laddr.ip
            for connections in each(processes, lambda process: process.net_connections("inet"))
            for connection in connections
            if connection.status == psutil.CONN_LISTEN
        ]
    assert set(listening) <= {"127.0.0.1"}
    assert ended(processes)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_harness_leaves_no_generator(
    booted: Callable[..., Generator], tmp_path: Path, workers: int
) -> None:
    script = f"""
import sys, time
from pathlib import Path
from harness.drive import boot
folder = Path({str(tmp_path)!r})
generator = boot(plan=folder / "plan.parquet", payloads=folder / "payloads.parquet",
    url={NOBODY!r}, directory=folder, cores=[{CORE}], workers={workers})
sys.stdout.write(f"{{generator.pid}}\\n"); sys.stdout.flush()
time.sleep(100)
"""
    harness = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert harness.stdout is not None
    processes = family(int(harness.stdout.readline()), 1 if workers == 1 else 1 + workers)
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    harness.stdout.close()
    assert ended(processes)


def test_a_worker_that_dies_fails_the_trial(
    booted: Callable[..., Generator], tmp_path: Path
) -> None:
    """Its half of the plan is missing: the other half must not pass for a measurement."""
    header = PlanHeader("constant", ("tag",), 10, 0.0, 60.0, 1)
    write_plan(tmp_path / "long.parquet", build_plan(header, 1))
    killed: list[int] = []

    def kill_one(_share: float) -> None:
        if not killed:
            killed.append(psutil.Process(generator.pid).children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with (
        booted(plan=tmp_path / "long.parquet", workers=2) as generator,
        pytest.raises(DriveError, match="a worker of the load generator died"),
    ):
        generator.play(kill_one)
