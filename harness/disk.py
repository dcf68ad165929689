"""Room on disk: what a run needs, a reserve for its last records, a full disk in words."""

import errno
import os
import shutil
from pathlib import Path

from harness.record import Step
from harness.scenario import Scenario

SAMPLE_BYTES = 100
"""Of one recorded request, compressed, answers kept for checking included (80 were seen)."""

TRIAL_BYTES = 400_000
"""Of one trial besides its samples: usage, reports and logs."""

RESERVE_BYTES = 1 << 20
"""Given back so that the last records can be written when nothing else can."""

_MIB = 2**20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFullError(Exception):
    """There is no room for what a run records; the message says how much it needs."""


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room."""
    return error.errno in _FULL


def bytes_needed(scenario: Scenario, steps: tuple[Step, ...], ceiling_rps: float | None) -> int:
    """About how much a run records from here on.

    Args:
        scenario: what is run.
        steps: its load steps.
        ceiling_rps: stands for the rate of what has none of its own: a closed loop, a search.
    """
    load, turns = scenario.load, scenario.load.blocks * len(scenario.suts)
    played_s = load.warm_up_s + load.steady_s
    guess_rps = ceiling_rps or 100.0
    requests = sum((step.offered_rps or guess_rps) * played_s for step in steps)
    trials = len(steps)
    if scenario.capacity is not None:
        probes = 12
        trials += probes
        requests += probes * guess_rps * (load.warm_up_s + scenario.capacity.most_probe_s)
    return RESERVE_BYTES + turns * int(requests * SAMPLE_BYTES + trials * TRIAL_BYTES)


def require(folder: Path, needed: int) -> None:
    """See that there is room.

    Raises:
        DiskFullError: there is less.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(
            f"{folder} has {free / _MIB:.0f} MiB free, and what remains of this run records about "
            f"{needed / _MIB:.0f} MiB; make room there, or choose another folder with --out"
        )


def reserve(path: Path) -> None:
    """Take the reserve, or take it back.

    Raises:
        OSError: there is not even that.
    """
    with path.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def give_back(path: Path) -> None:
    """Give the reserve back; the file stays, empty."""
    os.truncate(path, 0)
