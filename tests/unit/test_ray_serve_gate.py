import asyncio
from collections.abc import Awaitable, Callable

import pytest

from architectures.ray_serve.gate import Gate
from architectures.spec import ServingPolicy


class Batcher:
    """Runs whoever is inside the gate together, as @serve.batch does, and notes the batches."""

    def __init__(self, **policy: float) -> None:
        self.gate = Gate(ServingPolicy(**policy))  # type: ignore[arg-type]
        self.release = asyncio.Event()
        self.entered: list[int] = []

    async def member(self, key: int) -> int:
        async with self.gate.entered():
            self.entered.append(key)
            await self.release.wait()
        return key


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_members_that_arrive_while_a_batch_runs_form_one_batch() -> None:
    async def scenario() -> None:
        batcher = Batcher(max_batch=4)
        first = asyncio.create_task(batcher.member(0))
        await settle()
        others = [asyncio.create_task(batcher.member(key)) for key in range(1, 7)]
        await settle()
        assert batcher.entered == [0]
        batcher.release.set()
        batcher.release = asyncio.Event()
        await first
        await settle()
        assert batcher.entered == [0, 1, 2, 3, 4]
        batcher.release.set()
        await asyncio.gather(*others)

    asyncio.run(scenario())


def test_a_lone_member_enters_at_once_when_nothing_waits() -> None:
    async def scenario() -> None:
        batcher = Batcher(max_batch=4)
        task = asyncio.create_task(batcher.member(0))
        await settle()
        assert batcher.entered == [0]
        batcher.release.set()
        assert await task == 0

    asyncio.run(scenario())


def test_the_first_member_waits_for_others_no_longer_than_the_policy_says() -> None:
    async def scenario() -> None:
        batcher = Batcher(max_batch=3, batch_wait_s=0.05)
        batcher.release.set()
        task = asyncio.create_task(batcher.member(0))
        await settle()
        assert batcher.entered == []
        assert await asyncio.wait_for(task, 5.0) == 0

    asyncio.run(scenario())


def test_a_full_batch_does_not_wait() -> None:
    async def scenario() -> None:
        batcher = Batcher(max_batch=3, batch_wait_s=60.0)
        batcher.release.set()
        tasks = [asyncio.create_task(batcher.member(key)) for key in range(3)]
        assert await asyncio.wait_for(asyncio.gather(*tasks), 5.0) == [0, 1, 2]

    asyncio.run(scenario())


def test_a_batch_that_fills_while_it_waits_enters_at_once() -> None:
    async def scenario() -> None:
        batcher = Batcher(max_batch=2, batch_wait_s=60.0)
        batcher.release.set()
        first = asyncio.create_task(batcher.member(0))
        await settle()
        second = asyncio.create_task(batcher.member(1))
        assert await asyncio.wait_for(asyncio.gather(first, second), 5.0) == [0, 1]

    asyncio.run(scenario())


def test_as_many_batches_are_inside_as_there_are_lanes() -> None:
    async def scenario() -> None:
        batcher = Batcher(max_batch=1)
        batcher.gate = Gate(ServingPolicy(max_batch=1), lanes=2)
        tasks = [asyncio.create_task(batcher.member(key)) for key in range(3)]
        await settle()
        assert batcher.entered == [0, 1]
        batcher.release.set()
        await asyncio.gather(*tasks)

    asyncio.run(scenario())


async def _cancelled_while_waiting(batcher: Batcher) -> None:
    running = asyncio.create_task(batcher.member(0))
    await settle()
    leaver = asyncio.create_task(batcher.member(1))
    await settle()
    leaver.cancel()
    stayer = asyncio.create_task(batcher.member(2))
    batcher.release.set()
    await asyncio.gather(running, stayer)
    assert batcher.entered == [0, 2]


async def _cancelled_while_inside(batcher: Batcher) -> None:
    leaver = asyncio.create_task(batcher.member(0))
    await settle()
    leaver.cancel()
    await settle()
    stayer = asyncio.create_task(batcher.member(1))
    await settle()
    assert batcher.entered == [0, 1]
    batcher.release.set()
    await stayer


async def _cancelled_between_turn_and_entry(batcher: Batcher) -> None:
    leaver = asyncio.create_task(batcher.member(0))
    await asyncio.sleep(0)  # it waits for its turn
    await asyncio.sleep(0)  # its turn has come, it has not run yet
    leaver.cancel()
    stayer = asyncio.create_task(batcher.member(1))
    await settle()
    assert batcher.entered == [1]
    batcher.release.set()
    await stayer


@pytest.mark.parametrize(
    "scenario",
    [_cancelled_while_waiting, _cancelled_while_inside, _cancelled_between_turn_and_entry],
)
def test_a_member_that_leaves_holds_nobody_up(
    scenario: Callable[[Batcher], Awaitable[None]],
) -> None:
    async def run() -> None:
        await asyncio.wait_for(scenario(Batcher(max_batch=2)), 5.0)

    asyncio.run(run())
