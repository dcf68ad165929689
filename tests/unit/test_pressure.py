"""What the host did, and what it kept from us: the arithmetic, and this machine's own counters."""

import json
import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.pressure import HostReading, host_pressure, read_host
from harness.processes import read_waited_s
from harness.throttling import read_throttled_s, stat_files


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


def _pressed(*readings: HostReading) -> dict[str, float]:
    return host_pressure(readings, (0, 10 * 10**9), ((1,), 0.0), ((0,), 0.0))


def test_what_the_kernel_does_not_tell_is_absent_and_not_nothing() -> None:
    keys = {"throttled_share", "thermal_throttles", "generator_wait_share", "loopback_bytes_per_s"}
    assert not keys & _pressed(_host(0, 0), _host(10, 10)).keys()


def test_throttling_is_a_share_of_the_time_and_heat_a_count() -> None:
    first = replace(_host(0, 0), throttled_s=3.0, thermal_throttles=7, loopback_bytes=100)
    without = _host(5, 5)
    last = replace(_host(10, 10), throttled_s=3.5, thermal_throttles=9, loopback_bytes=1100)
    seen = _pressed(first, without, last)
    assert seen["throttled_share"] == 0.05
    assert seen["thermal_throttles"] == 2
    assert seen["loopback_bytes_per_s"] == 100.0
    assert _pressed(first, replace(last, throttled_s=90.0))["throttled_share"] == 1.0


def test_the_generators_worst_process_is_told() -> None:
    first = replace(_host(0, 0), waited_s={7: 1.0, 8: 0.0})
    last = replace(_host(10, 10), waited_s={7: 1.5, 8: 3.0, 9: 50.0})
    # Process 9 began in between: by how much it grew is not known.
    assert _pressed(first, last)["generator_wait_share"] == 0.3


def _burn() -> None:
    while True:
        pass


@pytest.mark.skipif(read_waited_s(os.getpid()) is None, reason="the kernel counts no waiting")
def test_a_starved_process_is_seen_to_wait() -> None:
    core = min(os.sched_getaffinity(0))
    burning = [multiprocessing.Process(target=_burn, daemon=True) for _ in range(3)]
    for process in burning:
        process.start()
        assert process.pid is not None
        os.sched_setaffinity(process.pid, {core})
    pids = [process.pid for process in burning if process.pid is not None]
    time.sleep(0.3)
    first = read_host(pids)
    time.sleep(1.2)
    last = read_host(pids)
    for process in burning:
        process.kill()
        process.join()
    window_ns = (first.t_ns, last.t_ns)
    seen = host_pressure([first, last], window_ns, ((core,), 0.0), ((core,), 0.0))
    # Three share one core: each waits for two thirds of the time. The clock and the counters are
    # not read at one instant, and this reader may itself be kept waiting in between.
    assert 0.25 < seen["generator_wait_share"] <= 1.0


def test_the_group_of_either_version_and_those_around_it(tmp_path: Path) -> None:
    for folder in ("two/inner", "cpu/one"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("two/cpu.stat", "two/inner/cpu.stat", "cpu/cpu.stat"):
        (tmp_path / file).write_text("")
    membership = "3:cpuset:/two\n1:cpu:/one\n0::/two/inner\n"
    assert stat_files(membership, tmp_path) == (
        str(tmp_path / "cpu/cpu.stat"),
        str(tmp_path / "two/inner/cpu.stat"),
        str(tmp_path / "two/cpu.stat"),
    )


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        ("nr_periods 9\nnr_throttled 2\nthrottled_time 1500000000\n", 1.5),
        ("usage_usec 5\nnr_throttled 2\nthrottled_usec 2500000\n", 2.5),
        ("usage_usec 5\n", None),
    ],
)
def test_throttled_seconds_of_either_version(
    content: str, seconds: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpu.stat"
    file.write_text(content)
    monkeypatch.setattr("harness.throttling._stat_files", lambda: (str(file),))
    assert read_throttled_s() == seconds
