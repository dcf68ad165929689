"""A process's own copy of sums that others add to, a little behind and never waited for."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Generic, TypeVar

from architectures.backends import BackendError
from architectures.patterns.sums import Observed, Sums
from architectures.state import Store

_LOG = logging.getLogger("servebench.state")

STALE_NS = 20_000_000
"""Oldest a copy may be when it is used, but for the reading under way."""

Learnt = TypeVar("Learnt")


class SharedSums(Generic[Learnt]):
    """What a learner learnt, solved anew whenever others' additions come in.

    A decision takes the copy at hand. Where that is old, a reading starts beside it, so that no
    decision but the first waits for the store. Where the store is away, what was known stays.

    Args:
        store: keeps the sums.
        key: they lie under.
        empty: where nothing was kept.
        solve: from sums to what decisions are made with.
    """

    def __init__(
        self, store: Store, key: str, empty: Sums, solve: Callable[[Sums], Learnt]
    ) -> None:
        self._store = store
        self._key = key
        self._empty = empty
        self._solve = solve
        self._blob: bytes | None = None
        self._read_ns: int | None = None
        self._reading: asyncio.Task[None] | None = None
        self._away = False
        self.learnt = solve(empty)

    async def current(self) -> Learnt:
        """What decisions are made with, no older than ``STALE_NS`` and a reading."""
        if self._read_ns is None or perf_counter_ns() - self._read_ns > STALE_NS:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.get_running_loop().create_task(self._read())
            if self._read_ns is None:
                await asyncio.shield(self._reading)
        return self.learnt

    async def close(self) -> None:
        """Let a reading end."""
        if self._reading is not None:
            await self._reading

    async def _read(self) -> None:
        try:
            blob = await asyncio.to_thread(self._store.get, self._key)
        except BackendError as error:
            if not self._away:
                _LOG.warning("%s is learnt from no further for now: %s", self._key, error)
            self._away = True
            self._read_ns = perf_counter_ns()
            return
        self._away = False
        self._read_ns = perf_counter_ns()
        if blob is not None and blob != self._blob:
            self._blob = blob
            self.learnt = self._solve(Sums.read(blob, *self._empty.moment.shape))


async def add(store: Store, key: str, empty: Sums, examples: Sequence[Observed]) -> None:
    """Add examples to shared sums, with nobody in between.

    Raises:
        BackendError: the store is away; nothing was added.
    """

    def change(blob: bytes | None) -> bytes:
        known = empty if blob is None else Sums.read(blob, *empty.moment.shape)
        return known.plus(examples).write()

    await asyncio.to_thread(store.update, key, change)
