"""Context switches of processes, all their threads together."""

import os
from collections.abc import Iterable
from contextlib import suppress

from harness.processes import read_file

_VOLUNTARY = b"\nvoluntary_ctxt_switches:"
_INVOLUNTARY = b"\nnonvoluntary_ctxt_switches:"


class Switches:
    """Running accounts: what a thread had when last seen stays after its end.

    The kernel shows a living thread's own count only, so that what a thread did after its last
    reading is lost: a lower bound.
    """

    def __init__(self) -> None:
        self._living: dict[int, dict[int, tuple[int, int]]] = {}
        self._ended: dict[int, tuple[int, int]] = {}

    def read(self, alive: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Process -> voluntary and involuntary switches so far, ended processes included."""
        for pid in alive:
            threads = read_thread_switches(pid)
            for thread, before in self._living.get(pid, {}).items():
                # A number given to a new thread starts again from nothing.
                if sum(threads.get(thread, (0, 0))) < sum(before):
                    ended = self._ended.get(pid, (0, 0))
                    self._ended[pid] = (ended[0] + before[0], ended[1] + before[1])
            self._living[pid] = threads
        return {pid: self._total(pid) for pid in self._living}

    def _total(self, pid: int) -> tuple[int, int]:
        voluntary, involuntary = self._ended.get(pid, (0, 0))
        for one, other in self._living[pid].values():
            voluntary += one
            involuntary += other
        return voluntary, involuntary


def read_thread_switches(pid: int) -> dict[int, tuple[int, int]]:
    """Thread -> its voluntary and involuntary switches; empty if the process is gone."""
    found = {}
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - cheaper, under load
            content = read_file(f"/proc/{pid}/task/{thread}/status")
            voluntary = content.partition(_VOLUNTARY)[2].split(None, 1)
            involuntary = content.partition(_INVOLUNTARY)[2].split(None, 1)
            if voluntary and involuntary:
                found[int(thread)] = (int(voluntary[0]), int(involuntary[0]))
    return found
