"""Calls of stages in this process: those that compute, in batches; those that wait, beside them."""

import asyncio
from functools import partial
from time import perf_counter_ns

from architectures.contract import Problem
from architectures.graph import Inputs, IoStage
from architectures.microbatch import StageExecutor
from architectures.plugin import Loaded
from architectures.spec import ServingPolicy
from architectures.walk import Call, StageResult


class StageCalls:
    """Runs loaded stages for callers on one event loop.

    Args:
        loaded: the stages.
        policy: how those that compute are put into batches.
        threads: most batches that run at once.
    """

    def __init__(self, loaded: Loaded, policy: ServingPolicy, threads: int = 1) -> None:
        self._executor = StageExecutor(loaded.compute, policy, threads)
        self._io = loaded.io

    def admit(self, *, late: bool = False) -> Call:
        """A call for one request's whole walk; ``late`` is a place behind everybody else's."""
        compute = self._executor.admit(late=late)
        return partial(self._call, compute) if self._io else compute

    def call(self, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        """Run one member through one stage, in line from now. Cancel the future to drop it."""
        return self._call(self._executor.call, stage, inputs)

    async def close(self) -> None:
        """Let running batches end and close what waiting stages opened; nothing more is called."""
        for stage in self._io.values():
            await stage.close()
        self._executor.close()

    def _call(self, compute: Call, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        waits = self._io.get(stage)
        return compute(stage, inputs) if waits is None else start_io(waits, inputs)


def start_io(stage: IoStage, inputs: Inputs) -> "asyncio.Task[StageResult]":
    """Run one member through a stage that waits."""
    return asyncio.get_running_loop().create_task(_awaited(stage, inputs))


async def _awaited(stage: IoStage, inputs: Inputs) -> StageResult:
    started_ns = perf_counter_ns()
    outputs = await stage(inputs)
    if isinstance(outputs, Problem):
        raise outputs
    return StageResult(outputs, 0, perf_counter_ns() - started_ns, 0)
