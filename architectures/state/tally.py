"""Counting on a serving path without waiting for the store."""

import logging
import os
from collections.abc import Mapping
from threading import Event, Lock, Thread

from architectures.backends import BackendError
from architectures.state.store import Store

_LOG = logging.getLogger("servebench.state")


class Tally:
    """Adds up in this process, and hands the sums to the store's counters a few times a second.

    While the store is away the sums wait here. What a process has not handed over when it is
    killed is lost: a tenth of a second's counts.

    Args:
        store: whose counters they are.
        every_s: between two hand-overs.
    """

    def __init__(self, store: Store, every_s: float = 0.1) -> None:
        self._store = store
        self._every_s = every_s
        self._lock = Lock()
        self._pid = 0
        self._sums: dict[str, float] = {}
        self._away = False
        self._closed = Event()

    def add(self, additions: Mapping[str, float]) -> None:
        """Add to counters; the thread that hands over begins here, once a process."""
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                self._sums.clear()  # those of the process that forked are its own to hand over
                Thread(target=self._run, name="tally", daemon=True).start()
            self._keep(additions)

    def close(self) -> None:
        """Hand over what is left, and end the thread."""
        self._closed.set()
        self._hand_over()

    def _run(self) -> None:
        while not self._closed.wait(self._every_s):
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            sums, self._sums = self._sums, {}
        if not sums:
            return
        try:
            self._store.count(sums)
            self._away = False
        except BackendError as error:
            with self._lock:
                self._keep(sums)
            if not self._away:
                _LOG.warning("counts wait until the store is back: %s", error)
            self._away = True

    def _keep(self, additions: Mapping[str, float]) -> None:
        for name, addition in additions.items():
            self._sums[name] = self._sums.get(name, 0) + addition
