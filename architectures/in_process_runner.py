"""A graph run in this thread, with no server and no queue: its answers and its rate."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter_ns, process_time_ns
from typing import Any, TypeVar

from architectures.contract import Problem
from architectures.graph import Graph, Inputs, IoStage, Outputs, Stage
from architectures.plugin import Loaded
from architectures.walk import run_batch

_WARM_UP_BATCHES = 3

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CeilingReading:
    """One batch size. Images and CPU seconds are summed over the processes; wall is the longest."""

    batch_size: int
    images: int
    wall_s: float
    cpu_s: float


class Runner:
    """A loaded graph and its payloads, run in this thread.

    Args:
        graph: the graph.
        stages: every stage of it, loaded.
        payloads: requests, in order.
    """

    def __init__(
        self, graph: Graph, stages: Mapping[str, Stage], payloads: Sequence[Inputs]
    ) -> None:
        self._graph = graph
        self._stages = stages
        self.payloads = payloads

    def references(self) -> Iterator[object]:
        """Each payload's answer document, alone in its batch."""
        for payload in self.payloads:
            (result,) = run_batch(self._graph, self._stages, [payload])
            if isinstance(result, Problem):
                yield {"problem": result.slug}
            else:
                yield result.document

    def warm_up(self, batch_size: int) -> None:
        """Let a batch size's kernels and buffers be made before they are timed."""
        for batch in islice(self._batches(batch_size, 0), _WARM_UP_BATCHES):
            run_batch(self._graph, self._stages, batch)

    def read_ceiling(self, batch_size: int, seconds: float, offset: int) -> CeilingReading:
        """Run whole batches, payloads in a circle from ``offset``, until the time is over."""
        images = 0
        cpu_ns = process_time_ns()
        start_ns = now_ns = perf_counter_ns()
        end_ns = start_ns + round(seconds * 1e9)
        batches = self._batches(batch_size, offset)
        while now_ns < end_ns:
            images += len(run_batch(self._graph, self._stages, next(batches)))
            now_ns = perf_counter_ns()
        cpu_ns = process_time_ns() - cpu_ns
        return CeilingReading(batch_size, images, (now_ns - start_ns) / 1e9, cpu_ns / 1e9)

    def close(self) -> None:
        """Close what waiting stages opened: their threads would keep the process from its end."""
        for stage in self._stages.values():
            if isinstance(stage, _WaitedFor):
                stage.close()

    def _batches(self, batch_size: int, offset: int) -> Iterator[list[Inputs]]:
        circle = islice(cycle(self.payloads), offset, None)
        while True:
            yield list(islice(circle, batch_size))


def in_this_thread(loaded: Loaded) -> dict[str, Stage]:
    """Every stage as one that computes: those that wait are waited for, a batch side by side."""
    loop = _OneLoop()
    waited = {name: _WaitedFor(stage, loop) for name, stage in loaded.io.items()}
    return {**loaded.compute, **waited}


class _OneLoop:
    """The loop of all stages that wait, as in a server: they may share a pool of connections.

    It is made at its first use, so after any fork.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        self._loop = self._loop or asyncio.new_event_loop()
        return self._loop.run_until_complete(work)


class _WaitedFor:
    """A stage that waits, as one that computes."""

    def __init__(self, stage: IoStage, loop: _OneLoop) -> None:
        self._stage = stage
        self._loop = loop
        self._opened = False

    def __call__(self, members: Sequence[Inputs]) -> list[Outputs | Problem]:
        self._opened = True
        return self._loop.run(self._all(members))

    def close(self) -> None:
        """Close the stage on the loop it ran on, if it did; it may be called again."""
        if self._opened:
            self._opened = False
            self._loop.run(self._closed())

    async def _closed(self) -> None:
        await self._stage.close()

    async def _all(self, members: Sequence[Inputs]) -> list[Outputs | Problem]:
        return list(await asyncio.gather(*map(self._stage, members)))


def weighed(readings: Sequence[CeilingReading], shares: Sequence[float]) -> CeilingReading:
    """One reading for a mix: the time of a request is the mean of the graphs' times by share.

    Images are those really run; wall and CPU seconds are what as many would take in these shares.
    """
    if len(readings) == 1:
        return readings[0]
    images = sum(reading.images for reading in readings)
    pairs = list(zip(readings, shares, strict=True))
    wall_s = images * sum(share * one.wall_s / one.images for one, share in pairs)
    cpu_s = images * sum(share * one.cpu_s / one.images for one, share in pairs)
    return CeilingReading(readings[0].batch_size, images, wall_s, cpu_s)


def summed(readings: Sequence[CeilingReading]) -> CeilingReading:
    """One reading for processes that ran at the same time."""
    return CeilingReading(
        readings[0].batch_size,
        sum(reading.images for reading in readings),
        max(reading.wall_s for reading in readings),
        sum(reading.cpu_s for reading in readings),
    )
