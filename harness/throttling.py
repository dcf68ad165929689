"""Cores held back: by our control group's CPU quota, or by heat."""

import re
from functools import cache
from pathlib import Path

from harness.processes import read_file

_MOUNTS = Path("/sys/fs/cgroup")
_NS = 1e9
_US = 1e6


def read_throttled_s() -> float | None:
    """Core-seconds for which a quota kept our control group waiting; None where none can be read.

    Of the group and those around it the one held back longest counts: a quota binds all below it.
    Components run in the harness's group, so that its time is theirs.
    """
    found = [seconds for path in _stat_files() if (seconds := _throttled_s(path)) is not None]
    return max(found, default=None)


def read_thermal_throttles() -> int | None:
    """How often heat slowed a core down, over all cores; None where the kernel does not count.

    A package counts once: each of its cores tells the package's own count again.
    """
    counts = {path: read_file(path).strip() for path in _thermal_files()}
    numbers = {path: int(count) for path, count in counts.items() if count.isdigit()}
    if not numbers:
        return None
    cores = sum(count for path, count in numbers.items() if "core_" in path)
    return cores + max((count for path, count in numbers.items() if "package_" in path), default=0)


def _throttled_s(path: str) -> float | None:
    content = read_file(path)
    for name, unit in ((rb"throttled_usec", _US), (rb"throttled_time", _NS)):
        found = re.search(rb"^%s (\d+)$" % name, content, re.MULTILINE)
        if found:
            return int(found[1]) / unit
    return None


@cache
def _stat_files() -> tuple[str, ...]:
    """``cpu.stat`` of our control group and those around it, of cgroup version 2 or 1.

    A container may name its group as the host does while it sees only what is below: then the
    mount's root is our group.
    """
    return stat_files(Path("/proc/self/cgroup").read_text(), _MOUNTS)


def stat_files(membership: str, mounts: Path) -> tuple[str, ...]:
    """The files of :func:`read_throttled_s`.

    Args:
        membership: the content of ``/proc/self/cgroup``.
        mounts: where control groups are mounted.
    """
    found = []
    for line in membership.splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        roots = (mounts / controllers, mounts / "cpu") if controllers else (mounts,)
        for root in roots:
            below = root / group.lstrip("/")
            places = [below, *(p for p in below.parents if p.is_relative_to(root))]
            found += [str(p / "cpu.stat") for p in places if (p / "cpu.stat").is_file()]
    return tuple(dict.fromkeys(found))


@cache
def _thermal_files() -> tuple[str, ...]:
    cores = Path("/sys/devices/system/cpu")
    return tuple(map(str, sorted(cores.glob("cpu[0-9]*/thermal_throttle/*_throttle_count"))))
