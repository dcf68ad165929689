"""The gate in front of ``@serve.batch``: a batch is bound when it can run, not before.

Serve starts a batch's clock at its first member's arrival and dequeues while a batch still runs, so
under open-loop load the members waiting for the thread form many small batches that can no longer
grow. Held at a gate until the thread is free, they enter as one full batch. The rule is the one of
``architectures.microbatch``: same batch size, same wait in every architecture.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter_ns

from architectures.spec import ServingPolicy

_NS = 1_000_000_000


@dataclass(slots=True)
class _Batch:
    inside: int = 0


class Gate:
    """Lets members in a batch at a time: ``async with gate.entered(): await batched(member)``.

    Args:
        policy: the batch size, and how long a batch's first member waits for others.
        lanes: most batches inside at once.
    """

    def __init__(self, policy: ServingPolicy, lanes: int = 1) -> None:
        self._max_batch = policy.max_batch
        self._wait_ns = round(policy.batch_wait_s * _NS)
        self._free_lanes = lanes
        self._waiting: deque[tuple[int, asyncio.Future[_Batch]]] = deque()
        self._opening: asyncio.Handle | None = None

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Wait for a place in the next batch, hold it, and give it back."""
        turn: asyncio.Future[_Batch] = asyncio.get_running_loop().create_future()
        self._waiting.append((perf_counter_ns(), turn))
        self._schedule()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._leave(turn.result())

    def _leave(self, batch: _Batch) -> None:
        batch.inside -= 1
        if not batch.inside:
            self._free_lanes += 1
            self._schedule()

    def _schedule(self) -> None:
        """Open after the callbacks already due: they may bring more members to the batch."""
        if isinstance(self._opening, asyncio.TimerHandle) and len(self._waiting) >= self._max_batch:
            self._opening.cancel()
            self._opening = None
        if self._free_lanes and self._opening is None:
            self._opening = asyncio.get_running_loop().call_soon(self._open)

    def _open(self) -> None:
        self._opening = None
        while self._free_lanes:
            while self._waiting and self._waiting[0][1].cancelled():
                self._waiting.popleft()
            if not self._waiting:
                return
            left_ns = self._waiting[0][0] + self._wait_ns - perf_counter_ns()
            if left_ns > 0 and len(self._waiting) < self._max_batch:
                loop = asyncio.get_running_loop()
                self._opening = loop.call_later(left_ns / _NS, self._open)
                return
            self._let_in()

    def _let_in(self) -> None:
        batch = _Batch()
        while self._waiting and batch.inside < self._max_batch:
            turn = self._waiting.popleft()[1]
            if not turn.cancelled():
                turn.set_result(batch)
                batch.inside += 1
        self._free_lanes -= 1
