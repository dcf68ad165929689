"""A request's deadline goes with its calls; a message's is the latest of its members'."""

import asyncio
from collections.abc import Sequence
from time import monotonic_ns
from typing import Any

from architectures import deadline
from architectures.contract import MAX_TIMEOUT_S
from architectures.front.leash import Leash
from architectures.graph import Inputs
from architectures.microservices.hop import Hop, Pace
from architectures.walk import StageResult

S = 1_000_000_000


class Recorder:
    """A transport that answers at once and keeps each message's deadline."""

    def __init__(self) -> None:
        self.ends_ns: list[int] = []

    async def exchange(self, _stage: str, calls: Sequence[Inputs], ends_ns: int) -> Any:
        self.ends_ns.append(ends_ns)
        return [StageResult({}, 0, 0, len(calls)) for _ in calls]

    async def is_ready(self) -> bool:
        return True


async def request(hop: Hop, timeout_s: float | None) -> None:
    """A request with two stages, one after the other, as a door and a walk make it."""
    if timeout_s is None:
        await hop.call({})
        return
    with Leash(timeout_s):
        await hop.call({})
        await hop.call({})


def test_a_message_has_the_latest_deadline_of_its_members() -> None:
    async def scene() -> list[int]:
        transport = Recorder()
        hop = Hop("any", transport, Pace(8, 1, 0.0))
        await asyncio.gather(request(hop, 5.0), request(hop, 7.0))
        return transport.ends_ns

    begun_ns = monotonic_ns()
    both = asyncio.run(scene())
    assert len(both) == 2
    assert all(begun_ns + 7 * S <= ends_ns <= monotonic_ns() + 7 * S for ends_ns in both)


def test_after_a_request_and_without_one_there_is_only_the_longest_allowed() -> None:
    async def scene() -> int:
        transport = Recorder()
        hop = Hop("any", transport, Pace(8, 1, 0.0))
        with Leash(1.0):
            inside_ns = deadline.ends_ns()
        await request(hop, None)
        return transport.ends_ns[0] - inside_ns

    assert asyncio.run(scene()) >= (MAX_TIMEOUT_S - 1) * S
