"""Work on many members at once, collected by ``@serve.batch``, with each member's times."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Generic, TypeAlias, TypeVar

from ray import serve

from architectures.graph import Inputs
from architectures.ray_serve.gate import Gate
from architectures.spec import ServingPolicy

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Worked(Generic[Result]):
    """What a batch came to: one result a member, and the time it waited and ran."""

    results: Sequence[Result]
    queue_ns: int
    compute_ns: int


@dataclass(frozen=True, slots=True)
class Ran(Generic[Result]):
    """One member's result, and where its time went."""

    result: Result
    queue_ns: int
    compute_ns: int
    batch_size: int


Work: TypeAlias = Callable[[Sequence[Inputs]], Awaitable[Worked[Result]]]
"""Runs a batch somewhere: on a thread, or in another deployment's replica."""


def on_thread(
    function: Callable[[Sequence[Inputs]], Sequence[Result]], executor: ThreadPoolExecutor
) -> Work[Result]:
    """Work done by ``function`` on a thread of ``executor``, off the event loop."""

    def run(members: Sequence[Inputs], called_ns: int) -> Worked[Result]:
        started_ns = perf_counter_ns()
        results = function(members)
        return Worked(results, started_ns - called_ns, perf_counter_ns() - started_ns)

    async def work(members: Sequence[Inputs]) -> Worked[Result]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, run, members, perf_counter_ns())

    return work


@dataclass(frozen=True, slots=True)
class _Member:
    inputs: Inputs
    entered_ns: int


class Batches(Generic[Result]):
    """Collects members into batches and has each worked on.

    Args:
        work: batch in, results out, same length and order.
        policy: the batch size, and how long a batch's first member waits for others.
        lanes: most batches worked on at once.
    """

    def __init__(self, work: Work[Result], policy: ServingPolicy, lanes: int = 1) -> None:
        self._gate = Gate(policy, lanes)

        # The gate has already waited for the policy's time.
        @serve.batch(
            max_batch_size=policy.max_batch, batch_wait_timeout_s=0.0, max_concurrent_batches=lanes
        )
        async def batched(members: list[_Member]) -> list[Ran[Result]]:
            called_ns = perf_counter_ns()
            worked = await work([member.inputs for member in members])
            return [
                Ran(
                    result,
                    called_ns - member.entered_ns + worked.queue_ns,
                    worked.compute_ns,
                    len(members),
                )
                for member, result in zip(members, worked.results, strict=True)
            ]

        self._batched = batched

    async def run(self, inputs: Inputs) -> Ran[Result]:
        """Run one member in some batch. Cancelled before its batch starts, it is dropped."""
        member = _Member(inputs, perf_counter_ns())
        async with self._gate.entered():
            ran: Ran[Result] = await self._batched(member)
            return ran
