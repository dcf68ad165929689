"""Walks that nobody waits for: begun after the answer, bounded, shed first, counted once each."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from architectures.front.aside import Aside
from architectures.front.metrics import FrontMetrics


def outcomes(metrics: FrontMetrics) -> dict[str, int]:
    pattern = r'servebench_detached_total\{graph="g",outcome="(\w+)"\} (\S+)'
    found = re.findall(pattern, metrics.exposition().decode())
    return {outcome: int(float(count)) for outcome, count in found}


def with_aside(bound: int, play: Callable[[Aside], Awaitable[Any]]) -> dict[str, int]:
    """Let a test play with a room for so many, close it, and say how its walks ended."""
    metrics = FrontMetrics()

    async def whole() -> None:
        aside = Aside(bound, metrics)
        await asyncio.wait_for(play(aside), 20)
        await asyncio.wait_for(aside.close(), 20)

    asyncio.run(whole())
    return outcomes(metrics)


def test_no_more_than_the_bound_walk_at_once_and_the_others_are_shed() -> None:
    gate = asyncio.Event()
    inside, most = 0, 0

    async def walk() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await gate.wait()
        inside -= 1

    async def play(aside: Aside) -> None:
        for _ in range(5):
            aside.start("g", walk)
        await some_turns()
        gate.set()
        await some_turns()
        aside.start("g", walk)  # places are given back
        await some_turns()

    assert with_aside(2, play) == {"done": 3, "shed": 3}
    assert most == 2


async def some_turns() -> None:
    """Of the loop: more than any walk here takes."""
    for _ in range(8):
        await asyncio.sleep(0)


def test_a_walk_that_fails_is_counted_and_logged_and_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> None:
        raise ValueError("the shadow is broken")

    async def works() -> None:
        await asyncio.sleep(0)

    async def play(aside: Aside) -> None:
        aside.start("g", fails)
        aside.start("g", works)
        await some_turns()

    with caplog.at_level(logging.ERROR, "servebench.aside"):
        assert with_aside(4, play) == {"failed": 1, "done": 1}
    assert "the shadow is broken" in caplog.text


def test_closing_cancels_what_is_on_its_way_and_waits_for_its_end() -> None:
    ended: list[str] = []

    async def walk() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("ended")

    async def play(aside: Aside) -> None:
        aside.start("g", walk)
        await asyncio.sleep(0)

    assert with_aside(4, play) == {"cancelled": 1}
    assert ended == ["ended"]
