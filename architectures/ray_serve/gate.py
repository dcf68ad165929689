"""The gate in front of ``@serve.batch``: a batch is bound when a thread is free, not before.

Serve starts a batch's clock at its first member's arrival and dequeues while a batch still runs, so
under open-loop load the members waiting for the thread form many small batches that can no longer
grow. Held at a gate until the thread is free, they enter as one full batch. The rule is the one of
``architectures.microbatch``: same batch size, same wait in every architecture.
"""

import asyncio
from collections import deque
from time import perf_counter_ns
from types import TracebackType

from architectures.spec import ServingPolicy

_NS = 1_000_000_000


class Gate:
    """Lets members in a batch at a time: ``async with gate: await batched(member)``."""

    def __init__(self, policy: ServingPolicy) -> None:
        self._max_batch = policy.max_batch
        self._wait_ns = round(policy.batch_wait_s * _NS)
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._inside = 0
        self._opening: asyncio.Handle | None = None

    async def __aenter__(self) -> None:
        """Wait for a place in the next batch."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((perf_counter_ns(), turn))
        self._schedule()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave; the last of a batch lets the next one in."""
        self._leave()

    def _leave(self) -> None:
        self._inside -= 1
        self._schedule()

    def _schedule(self) -> None:
        """Open after the callbacks already due: they may bring more members to the batch."""
        if not self._inside and self._opening is None:
            self._opening = asyncio.get_running_loop().call_soon(self._open)

    def _open(self) -> None:
        self._opening = None
        while self._waiting and self._waiting[0][1].cancelled():
            self._waiting.popleft()
        if self._inside or not self._waiting:
            return
        left_ns = self._waiting[0][0] + self._wait_ns - perf_counter_ns()
        if left_ns > 0 and len(self._waiting) < self._max_batch:
            self._opening = asyncio.get_running_loop().call_later(left_ns / _NS, self._open)
            return
        while self._waiting and self._inside < self._max_batch:
            turn = self._waiting.popleft()[1]
            if not turn.cancelled():
                turn.set_result(None)
                self._inside += 1
