"""What the host did besides: CPU taken on each core, stolen time, pressure, throttling, waiting."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic_ns

from harness.kept_open import KeptOpen
from harness.processes import read_waited_s
from harness.throttling import read_thermal_throttles, read_throttled_s

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_FILES = KeptOpen()
_RESOURCES = ("cpu", "memory", "io")


@dataclass(frozen=True, slots=True)
class HostReading:
    """Counters since boot. The three that may be None are so too where they were not read.

    Attributes:
        idle_s: core -> seconds without work. The kernel keeps idle time exactly, while it only
            samples the kinds of busy time at its ticks.
        interrupts_s: core -> seconds in interrupts, which belong to no process.
        stolen_s: core -> seconds the hypervisor gave to others.
        stalled_s: resource -> seconds in which some task waited for it.
        throttled_s: core-seconds for which a quota kept our control group waiting; None where
            there is no quota to read.
        thermal_throttles: how often heat slowed a core; None where the kernel does not count.
        loopback_bytes: that passed through ``lo`` with all headers; None without one.
        waited_s: process of the load generator -> seconds in which its main thread, which sends,
            was ready to run and did not.
    """

    t_ns: int
    idle_s: dict[int, float]
    interrupts_s: dict[int, float]
    stolen_s: dict[int, float]
    stalled_s: dict[str, float]
    throttled_s: float | None = None
    thermal_throttles: int | None = None
    loopback_bytes: int | None = None
    waited_s: Mapping[int, float] = field(default_factory=dict)


def read_host(generator: Iterable[int] = (), *, whole: bool = True) -> HostReading:
    """Read the machine's counters.

    Args:
        generator: the load generator's processes.
        whole: read also what a longer time tells as well: throttling, heat and the loopback.
    """
    idle: dict[int, float] = {}
    interrupts: dict[int, float] = {}
    stolen: dict[int, float] = {}
    for line in _FILES.read("/proc/stat").splitlines():
        name, *values = line.split()
        core = name.removeprefix(b"cpu")
        if name.startswith(b"cpu") and core:
            ticks = [int(value) * _TICK_S for value in values]
            idle[int(core)] = ticks[3] + ticks[4]
            interrupts[int(core)] = ticks[5] + ticks[6]
            stolen[int(core)] = ticks[7]
    return HostReading(
        monotonic_ns(),
        idle,
        interrupts,
        stolen,
        _read_stalls(),
        throttled_s=read_throttled_s() if whole else None,
        thermal_throttles=read_thermal_throttles() if whole else None,
        loopback_bytes=_read_loopback() if whole else None,
        waited_s={pid: s for pid in generator if (s := read_waited_s(pid)) is not None},
    )


def _read_loopback() -> int | None:
    """What came in by ``lo``; what went out is the same."""
    values = _FILES.read("/proc/net/dev").partition(b" lo:")[2].split()
    return int(values[0]) if values else None


def _read_stalls() -> dict[str, float]:
    stalls = {}
    for resource in _RESOURCES:
        some = _FILES.read(f"/proc/pressure/{resource}").partition(b"total=")[2].split()
        if some:
            stalls[resource] = int(some[0]) / 1e6
    return stalls


def host_pressure(
    readings: Sequence[HostReading],
    window_ns: tuple[int, int],
    sut: tuple[Iterable[int], float],
    generator: tuple[Iterable[int], float],
) -> dict[str, float]:
    """What others took from a trial, as shares of the window.

    Args:
        readings: in time order.
        window_ns: start and end of the steady state.
        sut: the SUT's cores, and the CPU-seconds its processes used in the window.
        generator: the same of the generator and the harness.

    Returns:
        ``outside_sut_cores`` and ``outside_generator_cores``: cores in use there by nobody of
        ours; ``stolen_cores``; ``<resource>_stall_share``: share of the time in which some task
        of the machine, the SUT's included, waited. Where the kernel tells them also
        ``throttled_share``: share of the time for which a quota held our control group back, all
        of its cores added up, at most 1; ``thermal_throttles``: how often heat slowed a core in
        the window; ``generator_wait_share``: share of the time in which the load generator's
        worst process was ready to run and did not; ``loopback_bytes_per_s``: of the whole
        machine, headers included. Empty without two readings in the window.
    """
    inside = [r for r in readings if window_ns[0] <= r.t_ns <= window_ns[1]]
    if len(inside) < 2:  # noqa: PLR2004 - a difference needs two
        return {}
    first, last = inside[0], inside[-1]
    elapsed_s = (last.t_ns - first.t_ns) / 1e9
    window_s = (window_ns[1] - window_ns[0]) / 1e9
    shares = {
        "stolen_cores": _grown(first.stolen_s, last.stolen_s) / elapsed_s,
        **{
            f"{name}_stall_share": (last.stalled_s[name] - value) / elapsed_s
            for name, value in first.stalled_s.items()
        },
        **_held_back(inside),
    }
    for name, (cores, ours_s) in (("sut", sut), ("generator", generator)):
        busy = sum(_busy_s(first, last, core) for core in cores) / elapsed_s
        shares[f"outside_{name}_cores"] = max(0.0, busy - ours_s / window_s)
    return {name: round(share, 4) for name, share in sorted(shares.items())}


def _held_back(inside: Sequence[HostReading]) -> dict[str, float]:
    """What not every kernel tells; nothing of what it does not."""
    elapsed_s = (inside[-1].t_ns - inside[0].t_ns) / 1e9
    found: dict[str, float] = {}
    throttled_s = _difference([r.throttled_s for r in inside])
    if throttled_s is not None:
        found["throttled_share"] = min(1.0, throttled_s / elapsed_s)
    throttles = _difference([r.thermal_throttles for r in inside])
    if throttles is not None:
        found["thermal_throttles"] = throttles
    carried = _difference([r.loopback_bytes for r in inside])
    if carried is not None:
        found["loopback_bytes_per_s"] = carried / elapsed_s
    pids = {pid for reading in inside for pid in reading.waited_s}
    waits = [_difference([r.waited_s.get(pid) for r in inside]) for pid in pids]
    # A reading takes a moment: a share may come out a little above 1.
    known = [min(1.0, wait / elapsed_s) for wait in waits if wait is not None]
    return found | ({"generator_wait_share": max(known)} if known else {})


def _difference(values: Sequence[float | None]) -> float | None:
    """By how much a counter grew between the first and the last reading that has it."""
    known = [value for value in values if value is not None]
    return known[-1] - known[0] if len(known) > 1 else None


def _busy_s(first: HostReading, last: HostReading, core: int) -> float:
    elapsed_s = (last.t_ns - first.t_ns) / 1e9
    return elapsed_s - sum(
        after[core] - before[core]
        for before, after in (
            (first.idle_s, last.idle_s),
            (first.interrupts_s, last.interrupts_s),
            (first.stolen_s, last.stolen_s),
        )
    )


def _grown(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(after[core] - value for core, value in before.items())
