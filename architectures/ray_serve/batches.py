"""A function over many members, run through ``@serve.batch`` on one thread, with its times."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Generic, TypeVar

from ray import serve

from architectures.graph import Inputs
from architectures.ray_serve.gate import Gate
from architectures.spec import ServingPolicy

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ran(Generic[Result]):
    """One member's result, and where its time went in this process."""

    result: Result
    queue_ns: int
    compute_ns: int
    batch_size: int


@dataclass(frozen=True, slots=True)
class _Member:
    inputs: Inputs
    entered_ns: int


class Batches(Generic[Result]):
    """Collects members into batches and runs each on ``executor``, off the event loop.

    Args:
        work: batch in, results out, same length and order; runs on the executor's thread.
        policy: the batch size, and how long a batch's first member waits for others.
        executor: one thread; whoever shares it takes turns.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Inputs]], Sequence[Result]],
        policy: ServingPolicy,
        executor: ThreadPoolExecutor,
    ) -> None:
        self._work = work
        self._gate = Gate(policy)

        # The gate has already waited for the policy's time.
        @serve.batch(max_batch_size=policy.max_batch, batch_wait_timeout_s=0.0)
        async def batched(members: list[_Member]) -> list[Ran[Result]]:
            return await asyncio.get_running_loop().run_in_executor(executor, self._run, members)

        self._batched = batched

    async def run(self, inputs: Inputs) -> Ran[Result]:
        """Run one member in some batch. Cancelled before its batch starts, it is dropped."""
        member = _Member(inputs, perf_counter_ns())
        async with self._gate:
            ran: Ran[Result] = await self._batched(member)
            return ran

    def _run(self, members: Sequence[_Member]) -> list[Ran[Result]]:
        started_ns = perf_counter_ns()
        results = self._work([member.inputs for member in members])
        compute_ns = perf_counter_ns() - started_ns
        return [
            Ran(result, started_ns - member.entered_ns, compute_ns, len(members))
            for member, result in zip(members, results, strict=True)
        ]
