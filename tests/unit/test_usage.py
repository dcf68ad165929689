"""Usage read from real processes, against what those processes say they used."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.pressure import HostReading, host_pressure, read_host
from harness.processes import role
from harness.record import USAGE_COLUMNS
from harness.usage import SCHEMA, Target, Usage, watch, write_usage

BURN = """
import os, resource, sys, time, json
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
def forked(work):
    pid = os.fork()
    if pid == 0:
        work(); os._exit(0)
    return pid
"""

PARENT = (
    BURN
    + """
lasting = forked(lambda: (burn(0.4), time.sleep(60)))
for _ in range(8):
    os.waitpid(forked(lambda: burn(0.05)), 0)      # each shorter than a reading's period
os.waitpid(forked(lambda: burn(0.5)), 0)
burn(0.3)
print("done", flush=True)
sys.stdin.read()
os.kill(lasting, 9)
"""
)

ORPHANS = (
    BURN
    + """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        burn(0.4)
        print("done", flush=True)
        time.sleep(60)
    time.sleep(0.5)
    os._exit(0)
os.wait()
sys.stdin.read()
"""
)


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_until_done(process: subprocess.Popen[bytes], usage: Usage) -> None:
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)


def test_cpu_of_a_tree_ended_children_included() -> None:
    with running(PARENT) as process:
        start_ns = time.monotonic_ns()
        with watch((Target({"part": process.pid}),)) as usage:
            _read_until_done(process, usage)
        spent_s = usage.cpu_s((start_ns, time.monotonic_ns()), generator=False)
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
    # 0.4 + 8 * 0.05 + 0.5 + 0.3, and what starting takes; ticks are of 10 ms.
    assert spent_s == pytest.approx(1.6, abs=0.15)
    table = usage.table().to_pandas()
    last = table.groupby("component")["cpu_s"].last()
    assert {"part", "part/worker-1"} <= set(last.index)
    assert last.sum() == pytest.approx(1.6, abs=0.15)
    assert (table.groupby("component")["cpu_s"].diff().dropna() >= 0).all()


def test_orphans_count_for_their_component_through_the_keeper() -> None:
    keeper = (
        BURN
        + f"""
import ctypes, subprocess
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
child = subprocess.Popen([sys.executable, "-c", {ORPHANS!r}], stdin=sys.stdin)
print(child.pid, flush=True)
child.wait()
sys.stdin.read()
os.system("kill -9 " + " ".join(open(f"/proc/self/task/{{os.getpid()}}/children").read().split()))
"""
    )
    with running(keeper) as process:
        assert process.stdout is not None
        part = int(process.stdout.readline())
        with watch((Target({"part": part}, keeper=process.pid),)) as usage:
            _read_until_done(process, usage)
            time.sleep(0.5)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
    assert usage.table().to_pandas().groupby("component")["cpu_s"].last().sum() == pytest.approx(
        0.4, abs=0.15
    )


def test_rows_have_every_component_in_every_reading_and_survive_the_disk(tmp_path: Path) -> None:
    with running(PARENT) as process, running(PARENT) as other:
        with watch((Target({"generator": other.pid}), Target({"part": process.pid}))) as usage:
            time.sleep(1.5)
        table = usage.table()
    assert tuple(SCHEMA.names) == USAGE_COLUMNS
    write_usage(tmp_path / "usage.parquet", table)
    frame = pq.read_table(tmp_path / "usage.parquet").to_pandas()
    assert not list(tmp_path.glob("*.partial"))
    assert frame.groupby("t_ns")["component"].nunique().nunique() == 1
    with_pss = frame.dropna(subset="pss_bytes")
    assert with_pss["t_ns"].nunique() >= 2
    assert with_pss.groupby("component")["pss_bytes"].max().loc["part"] > 1e6
    # Peaks, not each reading: the two are read an instant apart, while the process still grows.
    peaks = frame.groupby("component")[["pss_bytes", "rss_bytes"]].max()
    assert (peaks["pss_bytes"] <= peaks["rss_bytes"] * 1.05).all()
    # What the generator starts is the generator.
    assert [name for name in set(frame["component"]) if "generator" in name] == ["generator"]


def test_reading_costs_under_a_hundredth_of_a_core() -> None:
    with running(PARENT) as process:
        started_ns = time.monotonic_ns()
        with watch((Target({"part": process.pid}),)) as usage:
            time.sleep(4.0)
        elapsed_s = (time.monotonic_ns() - started_ns) / 1e9
    assert usage.cost_s / elapsed_s < 0.01


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("ray::ServeReplica:default:Tag.handle_request",), "ServeReplica:default:Tag"),
        (("ray::ProxyActor",), "ProxyActor"),
        (("/x/ray/core/src/ray/raylet/raylet", "--a=b"), "raylet"),
        (("/usr/bin/haproxy", "-f", "/x/cfg"), "haproxy"),
        (("python3.11", "-u", "/x/ray/dashboard/agent.py"), "agent"),
        (("/usr/bin/python", "-m", "ray._private.log_monitor"), "log_monitor"),
        (("python", "/x/ray/runtime_env/agent/main.py"), "agent"),
        (("python", "-c", "from multiprocessing import x"), "python"),
        ((), "unknown"),
    ],
)
def test_role(command: tuple[str, ...], name: str) -> None:
    assert role(command) == name


def _host(t_s: float, idle_s: float, stolen_s: float = 0.0, stalled_s: float = 0.0) -> HostReading:
    return HostReading(
        int(t_s * 1e9),
        {0: t_s, 1: idle_s},
        {0: 0.0, 1: 0.0},
        {0: 0.0, 1: stolen_s},
        {"memory": stalled_s},
    )


def test_pressure_is_what_is_left_of_the_core_after_idling_and_our_own_use() -> None:
    readings = [_host(0, 0), _host(4, 1.0, 0.2, 0.4), _host(10, 3.0, 0.5, 1.0)]
    seen = host_pressure(readings, (0, 10 * 10**9), ((1,), 5.0), ((0,), 0.0))
    assert seen == {
        "memory_stall_share": 0.1,
        "outside_generator_cores": 0.0,
        "outside_sut_cores": 0.15,
        "stolen_cores": 0.05,
    }


def test_pressure_without_two_readings_is_unknown() -> None:
    assert host_pressure([_host(0, 0)], (0, 10**9), ((1,), 0.0), ((0,), 0.0)) == {}


def test_this_machine_can_be_read() -> None:
    reading = read_host()
    assert set(os.sched_getaffinity(0)) <= set(reading.idle_s)
    assert json.dumps(reading.stalled_s)
