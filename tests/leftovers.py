"""What a run left behind that it should not have; and asking processes that may end meanwhile."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

Answer = TypeVar("Answer")


def each(
    processes: Iterable[psutil.Process], ask: Callable[[psutil.Process], Answer]
) -> list[Answer]:
    """An answer a process; none of those that ended by themselves, reaped or not."""
    answers = []
    for process in processes:
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            answers.append(ask(process))
    return answers


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; one that nobody has reaped has."""
    states = each(processes, lambda one: (one, one.is_running() and one.status()))
    return [one for one, state in states if state and state != psutil.STATUS_ZOMBIE]


def has_ended(pid: int) -> bool:
    """Whether there is no such process any more, or only what nobody has reaped of it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def left_of(folder: Path) -> list[str]:
    """Processes of a run: whatever has its folder in its command line or its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(folder).encode() in words and state != "Z":
            found.append(f"{process.name} {words[:200]!r}")
    return found
