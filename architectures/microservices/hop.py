"""The gateway's side of a hop: the calls of one stage on their way to its service.

Calls that wait for a stage travel in one message, and wait here until its service is free. A batch
then closes as late as it can, a call cancelled before costs the service nothing, and the price of
an exchange is shared by a batch. What carries the messages is a :class:`Transport`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter_ns
from typing import Protocol, TypeAlias

from architectures import deadline
from architectures.contract import Problem
from architectures.graph import Inputs
from architectures.walk import StageResult

_LOG = logging.getLogger("servebench.gateway")

Reply: TypeAlias = StageResult | Problem
"""What became of one member of a message."""


class Unreachable(Exception):  # noqa: N818 - what happened, in the transport's words
    """A service did not answer: gone, not there yet, or too late."""


class Transport(Protocol):
    """How messages get to one service and their replies back."""

    async def exchange(self, stage: str, calls: Sequence[Inputs], ends_ns: int) -> Sequence[Reply]:
        """Have one message answered, a reply a call. Cancelled once nobody waits for it.

        Args:
            stage: whose calls they are.
            calls: of one message.
            ends_ns: CLOCK_MONOTONIC after which nobody waits for any of them.

        Raises:
            Problem: the service refused all of them.
            Unreachable: nobody answered.
            Exception: anything else is the server's own fault.
        """
        ...

    async def is_ready(self) -> bool:
        """Whether the service says that it can answer."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How calls are put into messages.

    Attributes:
        members: most calls of one message.
        in_flight: most messages at once to one stage.
        wait_s: how long a first call waits for others while a message could go.
    """

    members: int
    in_flight: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    inputs: Inputs
    future: "asyncio.Future[StageResult]"
    since_ns: int
    ends_ns: int


_Message: TypeAlias = "asyncio.Task[Sequence[Reply]]"


class Hop:
    """Calls of one stage.

    Args:
        stage: as the service knows it.
        transport: to its service.
        pace: how calls are put into messages.
    """

    def __init__(self, stage: str, transport: Transport, pace: Pace) -> None:
        self._stage = stage
        self._transport = transport
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._messages: set[_Message] = set()
        self._departure: asyncio.Handle | None = None

    def call(self, inputs: Inputs) -> "asyncio.Future[StageResult]":
        """Send one member's inputs. Cancel the future to drop it.

        The future raises the stage's Problem, or 503 where the service cannot be reached.
        """
        future: asyncio.Future[StageResult] = self._loop.create_future()
        self._waiting.append(_Waiting(inputs, future, perf_counter_ns(), deadline.ends_ns()))
        self._plan()
        return future

    def _plan(self) -> None:
        """Arrange the next message, to leave after whatever else this turn of the loop brings."""
        if not self._waiting or len(self._messages) >= self._pace.in_flight:
            return
        full = len(self._waiting) >= self._pace.members
        if self._departure is None:
            if full or not self._pace.wait_s:
                self._departure = self._loop.call_soon(self._depart)
            else:
                self._departure = self._loop.call_later(self._pace.wait_s, self._depart)
        elif full and isinstance(self._departure, asyncio.TimerHandle):
            self._departure.cancel()
            self._departure = self._loop.call_soon(self._depart)

    def _depart(self) -> None:
        self._departure = None
        members = self._take()
        if members:
            calls, ends_ns = [m.inputs for m in members], max(m.ends_ns for m in members)
            message = self._loop.create_task(self._exchange(calls, ends_ns))
            self._messages.add(message)
            message.add_done_callback(partial(self._arrive, members, perf_counter_ns()))
            _end_with_all(message, members)
        self._plan()

    def _take(self) -> list[_Waiting]:
        members: list[_Waiting] = []
        while self._waiting and len(members) < self._pace.members:
            member = self._waiting.popleft()
            if not member.future.cancelled():
                members.append(member)
        return members

    async def _exchange(self, calls: Sequence[Inputs], ends_ns: int) -> Sequence[Reply]:
        replies = await self._transport.exchange(self._stage, calls, ends_ns)
        if len(replies) != len(calls):
            raise ValueError(f"{len(replies)} replies to {len(calls)} calls")
        return replies

    def _arrive(self, members: Sequence[_Waiting], sent_ns: int, message: _Message) -> None:
        self._messages.discard(message)
        self._plan()
        if message.cancelled():
            return
        error = message.exception()
        replies = message.result() if error is None else [self._failure(error)] * len(members)
        for member, reply in zip(members, replies, strict=True):
            _settle(member, reply, sent_ns)

    def _failure(self, error: BaseException) -> Problem:
        if isinstance(error, Problem):
            return error
        if isinstance(error, Unreachable):
            _LOG.error("stage %s: %s", self._stage, error)
            text = f"The service of stage {self._stage} cannot be reached; try again."
            return Problem("stage-unavailable", 503, text)
        _LOG.error("a message to stage %s failed", self._stage, exc_info=error)
        text = f"Stage {self._stage} could not be called; the gateway's log says why."
        return Problem("stage-failed", 500, text)


def _settle(member: _Waiting, reply: Reply, sent_ns: int) -> None:
    """Hand over a reply. The wait at this side was for the batch too, not the price of the hop."""
    if member.future.done():
        return
    if isinstance(reply, Problem):
        member.future.set_exception(reply)
        return
    queue_ns = sent_ns - member.since_ns + reply.queue_ns
    member.future.set_result(
        StageResult(reply.outputs, queue_ns, reply.compute_ns, reply.batch_size)
    )


def _end_with_all(message: _Message, members: Sequence[_Waiting]) -> None:
    """Give a message up once nobody waits for any member of it."""
    wanted = len(members)

    def left(future: "asyncio.Future[StageResult]") -> None:
        nonlocal wanted
        wanted -= future.cancelled()
        if not wanted:
            message.cancel()

    for member in members:
        member.future.add_done_callback(left)
