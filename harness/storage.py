"""Bytes that processes had storage read and write; the page cache's hits are none."""

from collections.abc import Iterable

from harness.processes import read_file


class Storage:
    """Running accounts of ``/proc/<pid>/io``, ended processes included.

    The kernel adds an ended child's bytes to the parent that collects it; here they are counted
    once, in the child's account as far as they were seen, the rest in the parent's.
    """

    def __init__(self) -> None:
        self._raw: dict[int, tuple[int, int]] = {}
        self._credited: dict[int, tuple[int, int]] = {}
        self._totals: dict[int, tuple[int, int]] = {}

    def read(self, alive: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Process -> bytes read and written so far; without processes that are not ours to see."""
        for pid in alive:
            raw = read_storage_bytes(pid)
            if raw is not None:
                self._raw[pid] = raw
                credited = self._credited.get(pid, (0, 0))
                before = self._totals.get(pid, (0, 0))
                # A child may be missed a moment before its parent collected it.
                self._totals[pid] = (
                    max(before[0], raw[0] - credited[0]),
                    max(before[1], raw[1] - credited[1]),
                )
        return dict(self._totals)

    def end(self, pid: int, heir: int) -> None:
        """Note that a process ended, and which will have collected it."""
        raw, before = self._raw.get(pid, (0, 0)), self._credited.get(heir, (0, 0))
        self._credited[heir] = (before[0] + raw[0], before[1] + raw[1])


def read_storage_bytes(pid: int) -> tuple[int, int] | None:
    """Bytes read and written, collected children's included; None if gone or not ours to see.

    Written are pages made dirty, less none that were dropped before they reached storage.
    """
    fields = dict(
        line.split(b": ") for line in read_file(f"/proc/{pid}/io").splitlines() if b": " in line
    )
    if b"read_bytes" not in fields:
        return None
    return int(fields[b"read_bytes"]), int(fields[b"write_bytes"])
