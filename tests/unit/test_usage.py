"""Usage read from real processes, against what those processes say they used."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.kept_open import MOST, KeptOpen
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


FAMILY = """
import subprocess, sys
program = '''
import threading, time
for _ in range(29): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("up", flush=True)
time.sleep(600)
'''
started = [subprocess.Popen([sys.executable, "-c", program], stdout=-1) for _ in range(12)]
for process in started:
    process.stdout.readline()
print("done", flush=True)
sys.stdin.read()
for process in started:
    process.kill()
    process.wait()
"""


def test_reading_a_family_as_large_as_rays_costs_about_a_hundredth_of_a_core() -> None:
    with running(FAMILY) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started_ns = time.monotonic_ns()
        with watch((Target({"part": process.pid}),)) as usage:
            time.sleep(6.0)
        elapsed_s = (time.monotonic_ns() - started_ns) / 1e9
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
    rows = usage.table().to_pylist()
    assert rows[-1]["threads"] >= 12 * 29
    # Of so short a time the first and the last reading, of everything, are half of the cost.
    assert usage.cost_s / elapsed_s < 0.03
    assert len(usage.host) / elapsed_s > 1.0


SWITCHER = """
import sys, threading, time
def work(sleeps):
    for _ in range(sleeps): time.sleep(0.0005)
def many(sleeps):
    threads = [threading.Thread(target=work, args=(sleeps,)) for _ in range(4)]
    for thread in threads: thread.start()
    return threads
lasting = many(100)
ready, stay = threading.Event(), threading.Event()
keep = threading.Thread(target=lambda: (work(500), ready.set(), stay.wait()))
keep.start()
ready.wait()
for thread in lasting: thread.join()
print("done", flush=True)
sys.stdin.readline()
stay.set()
keep.join()
print("ended", flush=True)
sys.stdin.read()
"""


def test_switches_of_every_thread_and_of_those_that_ended_after_they_were_seen() -> None:
    with running(SWITCHER) as process:
        assert process.stdout is not None
        process.stdout.readline()
        usage = Usage((Target({"part": process.pid}),))
        usage.read(whole=True)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        usage.read(whole=True)
        usage.close()
    first, last = usage.table()["voluntary_switches"].to_pylist()
    assert first >= 500  # each sleep of the thread that lasts, which is not the main one
    assert last >= first


WRITER = """
import os, sys, tempfile
def write(bytes_):
    with tempfile.TemporaryFile(dir=sys.argv[1]) as file:
        file.write(os.urandom(bytes_)); file.flush(); os.fsync(file.fileno())
def forked(bytes_):
    pid = os.fork()
    if pid == 0:
        write(bytes_); os._exit(0)
    os.waitpid(pid, 0)
print("up", flush=True)
sys.stdin.readline()
write(1 << 20)
pid = os.fork()
if pid == 0:
    write(1 << 21)
    print("done", flush=True)
    sys.stdin.readline(); os._exit(0)
os.waitpid(pid, 0)
forked(1 << 22)
print("done", flush=True)
sys.stdin.readline()
"""


def test_storage_bytes_of_a_tree_count_once(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        usage = Usage((Target({"part": process.pid}),))
        try:
            for _ in range(3):
                process.stdout.readline()
                usage.read(whole=True)
                process.stdin.write(b"\n")
        finally:
            process.kill()
            usage.close()
    totals: dict[int, int] = {}
    for row in usage.table().to_pylist():
        totals[row["t_ns"]] = totals.get(row["t_ns"], 0) + row["written_bytes"]
    nothing, seen, collected = totals.values()
    if seen == nothing:
        pytest.skip("the file system of this folder writes to no storage")
    # Its own megabyte and its child's two; then, of the child that was never seen, four more.
    pages = 16 * os.sysconf("SC_PAGE_SIZE")
    assert 3 * 2**20 <= seen - nothing <= 3 * 2**20 + pages
    assert 4 * 2**20 <= collected - seen <= 4 * 2**20 + pages


def test_a_file_kept_open_is_read_anew_and_never_another_processs() -> None:
    files = KeptOpen()
    with subprocess.Popen(["sleep", "60"]) as process:  # noqa: S607
        path = f"/proc/{process.pid}/stat"
        assert files.read(path).startswith(f"{process.pid} ".encode())
        process.kill()
        process.wait()
        assert files.read(path) == b""
    before = files.read("/proc/uptime")
    time.sleep(0.05)
    assert files.read("/proc/uptime") > before > b"0"
    files.close()


def test_descriptors_kept_open_are_bounded_and_given_back() -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    files, before = KeptOpen(), descriptors()
    for number in range(MOST + 20):
        assert files.read(f"/proc/{'./' * number}uptime")
    assert descriptors() - before == MOST
    files.close()
    assert descriptors() == before


def test_rows_of_another_source_count_like_our_own() -> None:
    usage = Usage(())
    usage.add_rows(
        {"t_ns": t_s * 10**9, "component": name, "cpu_s": t_s * cores, "pss_bytes": t_s * size}
        for t_s in (0, 2, 4)
        for name, cores, size in (("remote", 0.5, 100), ("remote/other", 0.25, 10))
    )
    assert usage.cpu_s((10**9, 3 * 10**9), generator=False) == pytest.approx(1.5)
    assert usage.cpu_s((10**9, 3 * 10**9), generator=True) == 0.0
    assert usage.peak_pss_bytes() == 440
    rows = usage.table().to_pylist()
    assert [row["component"] for row in rows[:2]] == ["remote", "remote/other"]
    assert rows[0]["threads"] is None


@pytest.mark.parametrize("wrong", [{"cpu": 1.0}, {"t_ns": 5}])
def test_a_row_that_is_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a usage row has the columns of"):
        Usage(()).add_rows([wrong])


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
