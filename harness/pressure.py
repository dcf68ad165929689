"""What the host did besides: CPU taken on each core, stolen time, and the kernel's pressure."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic_ns

from harness.processes import read_file

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_RESOURCES = ("cpu", "memory", "io")


@dataclass(frozen=True, slots=True)
class HostReading:
    """Cumulative seconds since boot.

    Attributes:
        idle_s: core -> seconds without work. The kernel keeps idle time exactly, while it only
            samples the kinds of busy time at its ticks.
        interrupts_s: core -> seconds in interrupts, which belong to no process.
        stolen_s: core -> seconds the hypervisor gave to others.
        stalled_s: resource -> seconds in which some task waited for it.
    """

    t_ns: int
    idle_s: dict[int, float]
    interrupts_s: dict[int, float]
    stolen_s: dict[int, float]
    stalled_s: dict[str, float]


def read_host() -> HostReading:
    """Read /proc/stat and /proc/pressure."""
    idle: dict[int, float] = {}
    interrupts: dict[int, float] = {}
    stolen: dict[int, float] = {}
    for line in read_file("/proc/stat").splitlines():
        name, *values = line.split()
        core = name.removeprefix(b"cpu")
        if name.startswith(b"cpu") and core:
            ticks = [int(value) * _TICK_S for value in values]
            idle[int(core)] = ticks[3] + ticks[4]
            interrupts[int(core)] = ticks[5] + ticks[6]
            stolen[int(core)] = ticks[7]
    return HostReading(monotonic_ns(), idle, interrupts, stolen, _read_stalls())


def _read_stalls() -> dict[str, float]:
    stalls = {}
    for resource in _RESOURCES:
        some = read_file(f"/proc/pressure/{resource}").partition(b"total=")[2].split()
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
        of the machine, the SUT's included, waited. Empty without two readings in the window.
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
    }
    for name, (cores, ours_s) in (("sut", sut), ("generator", generator)):
        busy = sum(_busy_s(first, last, core) for core in cores) / elapsed_s
        shares[f"outside_{name}_cores"] = max(0.0, busy - ours_s / window_s)
    return {name: round(share, 4) for name, share in sorted(shares.items())}


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
