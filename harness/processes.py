"""The processes below a root, read from /proc as cheaply as possible: this runs under load."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath

from harness.kept_open import KeptOpen

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Process:
    """One reading of one process.

    Attributes:
        own_s: CPU-seconds of its own threads, ended ones included.
        reaped_s: CPU-seconds of its ended and collected children, and of theirs.
    """

    pid: int
    parent: int
    threads: int
    own_s: float
    reaped_s: float
    rss_bytes: int


def read_process(pid: int, files: KeptOpen) -> Process | None:
    """Read ``/proc/<pid>/stat``; None if the process is gone."""
    content = files.read(f"/proc/{pid}/stat")
    # The name may hold spaces and brackets; everything after its last bracket is numbers.
    fields = content.rpartition(b")")[2].split()
    if not fields:
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        threads=int(fields[17]),
        own_s=(int(fields[11]) + int(fields[12])) * _TICK_S,
        reaped_s=(int(fields[13]) + int(fields[14])) * _TICK_S,
        rss_bytes=int(fields[21]) * _PAGE_BYTES,
    )


def read_pss_bytes(pid: int) -> int | None:
    """Proportional set size: shared pages divided by how many share them. None if not readable."""
    for line in read_file(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return None


def read_waited_s(pid: int) -> float | None:
    """Seconds in which its main thread was ready to run and did not. None if not readable.

    The second figure of ``/proc/<pid>/schedstat``; other threads have files of their own.
    """
    fields = read_file(f"/proc/{pid}/schedstat").split()
    return int(fields[1]) / 1e9 if fields else None


def read_command(pid: int) -> tuple[str, ...]:
    """The command line, or the title a process gave itself."""
    content = read_file(f"/proc/{pid}/cmdline").decode(errors="replace")
    return tuple(part for part in content.split("\0") if part)


def read_file(path: str) -> bytes:
    """A small file of /proc in one read or a few; empty if it is gone."""
    parts = []
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while part := os.read(descriptor, 65536):
                parts.append(part)
        finally:
            os.close(descriptor)
    return b"".join(parts)


def list_processes() -> set[int]:
    """The number of every process there is."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208


class ProcessList:
    """Every process there is, listed anew only when one began since.

    The last figure of ``/proc/loadavg`` is the number given last, to a process or a thread. An
    ended process may so still be listed: it has no files any more.
    """

    def __init__(self) -> None:
        self._last = b""
        self._listed: set[int] = set()
        self._files = KeptOpen()

    def read(self) -> set[int]:
        """Every process there is, and maybe some that were."""
        last = self._files.read("/proc/loadavg").rpartition(b" ")[2]
        if last != self._last or not last:
            self._listed = list_processes()
            self._last = last
        return self._listed

    def close(self) -> None:
        """Close the file kept open."""
        self._files.close()


class Family:
    """The living descendants of some roots.

    A process is looked at once and, if it is a stranger, never again: it cannot become a
    descendant later. So a reading costs a directory listing and one file a descendant.
    """

    def __init__(self, roots: set[int]) -> None:
        self._roots = roots
        self._strangers: set[int] = set()
        self._files = KeptOpen()

    def close(self) -> None:
        """Close the files kept open."""
        self._files.close()

    def read(self, listed: set[int]) -> dict[int, Process]:
        """Every member alive, roots included, parents before children.

        Args:
            listed: every process there is, by :func:`list_processes`.
        """
        self._strangers &= listed  # a number given to a new process is looked at again
        found = {
            pid: process
            for pid in sorted(listed - self._strangers)
            if (process := read_process(pid, self._files)) is not None
        }
        alive: dict[int, Process] = {}
        for pid in self._from_roots(found):
            alive[pid] = found[pid]
        for pid in found.keys() - alive.keys():
            self._strangers.add(pid)
            self._files.forget(f"/proc/{pid}/stat")
        return alive

    def _from_roots(self, found: dict[int, Process]) -> Iterator[int]:
        children: dict[int, list[int]] = {}
        for process in found.values():
            children.setdefault(process.parent, []).append(process.pid)
        waiting = sorted(self._roots & found.keys())
        seen: set[int] = set()
        while waiting:
            pid = waiting.pop(0)
            if pid not in seen:
                seen.add(pid)
                yield pid
                waiting += children.get(pid, [])


def role(command: tuple[str, ...]) -> str:
    """What a process is, in a word: a Ray actor's title, a program's or a module's name."""
    if not command:
        return "unknown"
    title = command[0]
    if title.startswith("ray::"):
        return title.removeprefix("ray::").partition(".")[0]
    program = PurePath(title.partition(" ")[0].rstrip(":")).name
    if not program.startswith("python"):
        return program
    return _python_role(command[1:]) or program


def _python_role(arguments: tuple[str, ...]) -> str:
    for position, argument in enumerate(arguments):
        if argument == "-m" and position + 1 < len(arguments):
            return arguments[position + 1].rpartition(".")[2]
        if argument.endswith(".py"):
            path = PurePath(argument)
            return path.parent.name if path.stem in ("main", "__main__") else path.stem
    return ""
