"""Waking event-loop futures on time.

Timers of asyncio and of libuv fire on whole milliseconds, too coarse for an oracle of delays of
a few. A thread in a timed wait wakes within a tenth of one.
"""

import asyncio
import heapq
from itertools import count
from threading import Condition, Thread
from time import perf_counter_ns


class Sleeper:
    """Sleeps for callers on one event loop."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._changed = Condition()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._serve, name="sleeper", daemon=True)
        self._thread.start()

    async def until(self, due_ns: int) -> None:
        """Return at that reading of ``perf_counter_ns``, or at once where it has passed."""
        if due_ns <= perf_counter_ns():
            return
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = self._loop.create_future()
        with self._changed:
            heapq.heappush(self._due, (due_ns, next(self._order), future))
            if self._due[0][2] is future:
                self._changed.notify()
        await future

    def close(self) -> None:
        """End the thread; whoever still sleeps is not woken."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _serve(self) -> None:
        with self._changed:
            while not self._closed:
                now_ns = perf_counter_ns()
                while self._due and self._due[0][0] <= now_ns:
                    future = heapq.heappop(self._due)[2]
                    assert self._loop is not None  # noqa: S101 - set before the first is due
                    self._loop.call_soon_threadsafe(_wake, future)
                left_ns = self._due[0][0] - now_ns if self._due else None
                self._changed.wait(None if left_ns is None else left_ns / 1e9)


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
