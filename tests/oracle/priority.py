"""Where we may, our processes before the machine's other work: its noise is not what is tested."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MOST_WITHOUT_WAITING_US = 5_000_000


def ahead_of_others(pid: int) -> bool:
    """Run every thread of a process first; whether we may.

    Equals take turns, and one that never waits is ended: it would hold its core from everybody,
    the one that is to end it included.
    """
    try:
        resource.prlimit(pid, resource.RLIMIT_RTTIME, (_MOST_WITHOUT_WAITING_US,) * 2)
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(1))
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        return False
    return True


def children(parent: int, word: str) -> Iterator[int]:
    """Processes that any thread of ``parent`` started and whose command has the word."""
    for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
        listed: list[str] = []
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread of it, or a child, ended
            listed = tasks.read_text().split()
        for pid in map(int, listed):
            with suppress(FileNotFoundError, ProcessLookupError):
                if word in Path(f"/proc/{pid}/cmdline").read_text():
                    yield pid
