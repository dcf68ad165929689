"""The gateway's side of a hop: one stage of a service, over connections that stay open.

Calls that wait for the same stage travel in one message, and wait here until the service is free
(late binding): a batch then closes as late as it can, what is cancelled before costs the service
nothing, and the price of an HTTP exchange is shared by a batch.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter_ns
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from architectures import wire
from architectures.contract import MAX_TIMEOUT_S, READY_PATH, Problem
from architectures.graph import Inputs, StageResult
from architectures.spec import ServingPolicy

_LOG = logging.getLogger("servebench.gateway")
_HEADERS: Final = {"Content-Type": wire.CONTENT_TYPE}
_READ_BUFFER_BYTES: Final = 4 * 1024 * 1024  # a reply of tensors in few reads, without pausing
_QUOTED: Final = 200
_PROBE_S: Final = 0.1


def open_session(policy: ServingPolicy) -> ClientSession:
    """A session that does for a hop what a hop needs and nothing else.

    It drops an idle connection before the service would, or a call could meet a closing one.
    """
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=policy.keep_alive_s / 2),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        read_bufsize=_READ_BUFFER_BYTES,
        timeout=ClientTimeout(total=MAX_TIMEOUT_S),
    )


async def until_ready(session: ClientSession, url: str) -> None:
    """Wait for a service to say that its stages are loaded."""
    while True:
        with suppress(ClientError):
            async with session.get(url + READY_PATH) as response:
                if response.status == HTTPStatus.OK:
                    return
        await asyncio.sleep(_PROBE_S)


@dataclass(frozen=True, slots=True)
class Pace:
    """How calls are put into messages.

    Attributes:
        members: most calls of one message.
        in_flight: most messages at once to one stage.
        wait_s: how long the first call waits for others once a message may go.
    """

    members: int
    in_flight: int
    wait_s: float


@dataclass(slots=True)
class _Waiting:
    inputs: Inputs
    future: "asyncio.Future[StageResult]"
    since_ns: int


class Hop:
    """Calls of one stage on their way to the service that hosts it.

    Args:
        stage: as the service knows it.
        url: where the service takes this stage's messages.
        session: shared by all hops of the process.
        pace: how calls are put into messages.
    """

    def __init__(self, stage: str, url: str, session: ClientSession, pace: Pace) -> None:
        self._stage = stage
        self._url = url
        self._session = session
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._messages: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Handle | None = None

    def call(self, inputs: Inputs) -> "asyncio.Future[StageResult]":
        """Send one member's inputs; cancelling the future drops it, waiting or on its way."""
        future: asyncio.Future[StageResult] = self._loop.create_future()
        self._waiting.append(_Waiting(inputs, future, perf_counter_ns()))
        self._plan()
        return future

    def _plan(self) -> None:
        """Arrange the next message, once what else is due in this turn of the loop has called."""
        if self._timer is not None or len(self._messages) >= self._pace.in_flight:
            return
        if self._waiting:
            full = len(self._waiting) >= self._pace.members
            wait_s = 0.0 if full else self._pace.wait_s
            self._timer = (
                self._loop.call_later(wait_s, self._send)
                if wait_s
                else self._loop.call_soon(self._send)
            )

    def _send(self) -> None:
        self._timer = None
        members = self._take()
        if members:
            message = self._loop.create_task(self._exchange(members))
            self._messages.add(message)
            message.add_done_callback(self._returned)
            _cancel_with_all(message, members)
            self._plan()

    def _take(self) -> list[_Waiting]:
        members: list[_Waiting] = []
        while self._waiting and len(members) < self._pace.members:
            member = self._waiting.popleft()
            if not member.future.cancelled():
                members.append(member)
        return members

    def _returned(self, message: "asyncio.Task[None]") -> None:
        self._messages.discard(message)
        self._plan()

    async def _exchange(self, members: Sequence[_Waiting]) -> None:
        sent_ns = perf_counter_ns()
        try:
            replies = await self._post(wire.encode_calls([member.inputs for member in members]))
        except (ClientError, TimeoutError, wire.WireError) as error:
            replies = [self._unavailable(error)] * len(members)
        except Problem as problem:
            replies = [problem] * len(members)
        for member, reply in zip(members, replies, strict=True):
            _settle(member, reply, sent_ns)

    async def _post(self, message: bytearray) -> Sequence[StageResult | Problem]:
        async with self._session.post(self._url, data=message, headers=_HEADERS) as response:
            body = await response.read()
            if response.status == HTTPStatus.OK:
                return wire.decode_replies(body)
            raise wire.WireError(
                f"it answered {response.status} {body[:_QUOTED].decode(errors='replace')}"
            )

    def _unavailable(self, error: Exception) -> Problem:
        _LOG.error("the hop to %s failed: %s: %s", self._url, type(error).__name__, error)
        return Problem(
            "stage-unavailable",
            503,
            f"Stage {self._stage} cannot be reached now; try again, and see the gateway's log.",
        )


def _settle(member: _Waiting, reply: StageResult | Problem, sent_ns: int) -> None:
    """Hand over a reply; the wait at this side is queueing too, not the price of the hop."""
    if member.future.done():
        return
    if isinstance(reply, Problem):
        member.future.set_exception(reply)
        return
    queue_ns = sent_ns - member.since_ns + reply.queue_ns
    member.future.set_result(
        StageResult(reply.outputs, queue_ns, reply.compute_ns, reply.batch_size)
    )


def _cancel_with_all(message: "asyncio.Task[None]", members: Sequence[_Waiting]) -> None:
    """Give a message up, and so close its connection, once nobody waits for any of its members."""
    wanted = len(members)

    def settled(future: "asyncio.Future[StageResult]") -> None:
        nonlocal wanted
        wanted -= future.cancelled()
        if not wanted:
            message.cancel()

    for member in members:
        member.future.add_done_callback(settled)
