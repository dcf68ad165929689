"""Room on disk: what a run needs, a reserve for its last records, a full disk in words."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.record import Step
from harness.scenario import Scenario

SAMPLE_BYTES = 100
"""Of one recorded request, compressed, answers kept for checking included (80 were seen)."""

TRIAL_BYTES = 400_000
"""Of one trial besides its samples: usage, reports and logs."""

PAYLOAD_BYTES = 50_000
"""Of one payload and its reference answer, where they are images."""

RESERVE_BYTES = 1 << 20
"""Given back so that the last records can be written when nothing else can."""

_MIB = 2**20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_GUESS_RPS = 100.0
_PROBES = 12


class DiskFullError(Exception):
    """There is no room for what a run records; the message says how much it needs."""


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room."""
    return error.errno in _FULL


def payload_bytes(scenario: Scenario) -> int:
    """About how much is written before the first trial."""
    return RESERVE_BYTES + scenario.load.payloads * PAYLOAD_BYTES


def trial_bytes(
    scenario: Scenario, steps: Sequence[Step], ceiling_rps: float | None, turns: int
) -> int:
    """About how much so many turns record.

    Args:
        scenario: what is run.
        steps: its load steps.
        ceiling_rps: stands for the rate of what has none of its own: a closed loop, a search.
        turns: SUTs times blocks, as many as remain.
    """
    load, guess_rps = scenario.load, ceiling_rps or _GUESS_RPS
    requests = sum(step.offered_rps or guess_rps for step in steps) * load.steady_s
    trials = len(steps)
    if scenario.capacity is not None:
        trials += _PROBES
        requests += _PROBES * guess_rps * scenario.capacity.most_probe_s
    warm_up = 1 + load.warm_up_s / load.steady_s
    return RESERVE_BYTES + turns * int(requests * warm_up * SAMPLE_BYTES + trials * TRIAL_BYTES)


def require(folder: Path, needed_bytes: int) -> None:
    """See that there is room.

    Raises:
        DiskFullError: there is less.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise DiskFullError(
            f"{folder} has {free / _MIB:.1f} MiB free, and {_needs(needed_bytes)}; "
            "make room there, or give a new run another folder with --out"
        )


@contextmanager
def full_in_words(folder: Path, needed_bytes: Callable[[], int]) -> Iterator[None]:
    """Put a full disk in words, where nothing more can be recorded.

    Args:
        folder: of the run.
        needed_bytes: what remains of it needs.

    Raises:
        DiskFullError: the block met a full disk.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise DiskFullError(
            f"{folder} is on a full disk ({error}), and {_needs(needed_bytes())}; make room there"
        ) from error


def _needs(needed_bytes: int) -> str:
    return f"what remains of this run records about {needed_bytes / _MIB:.1f} MiB"


def reserve(path: Path) -> None:
    """Take the reserve, or take it again.

    Raises:
        OSError: there is not even that.
    """
    with path.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def give_back(path: Path) -> None:
    """Give the reserve back; the file stays, empty."""
    os.truncate(path, 0)
