"""Walks that nobody waits for: begun when the answer is sent, bounded, and shed first."""

import asyncio
import logging
from functools import partial

from architectures.front.metrics import FrontMetrics
from architectures.walk import After

_LOG = logging.getLogger("servebench.aside")


class Aside:
    """What one door does besides answering.

    Args:
        bound: most walks at once; the next one is shed, so that they never grow into a queue.
        metrics: counts how each ended.
    """

    def __init__(self, bound: int, metrics: FrontMetrics) -> None:
        self._bound = bound
        self._metrics = metrics
        self._walks: set[asyncio.Task[None]] = set()

    def start(self, graph: str, after: After) -> None:
        """Begin a walk, or shed it where too many are on their way."""
        if len(self._walks) >= self._bound:
            self._metrics.detached(graph, "shed")
            return
        walk = asyncio.get_running_loop().create_task(_run(after))
        self._walks.add(walk)
        walk.add_done_callback(partial(self._end, graph))

    async def close(self) -> None:
        """Cancel what is on its way, and wait until nothing is."""
        walks = tuple(self._walks)
        for walk in walks:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=True)

    def _end(self, graph: str, walk: "asyncio.Task[None]") -> None:
        self._walks.discard(walk)
        if walk.cancelled():
            self._metrics.detached(graph, "cancelled")
            return
        error = walk.exception()
        if error is not None:
            _LOG.error("a detached walk of %s failed", graph, exc_info=error)
        self._metrics.detached(graph, "failed" if error else "done")


async def _run(after: After) -> None:
    await after()
