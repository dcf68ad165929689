"""The gateway's side of a hop: the calls of one stage on their way to its service.

Calls that wait for a stage travel in one message, and wait here until its service is free. A batch
then closes as late as it can, a call cancelled before costs the service nothing, and the price of
an HTTP exchange is shared by a batch.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from time import perf_counter_ns
from typing import Final, TypeAlias

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from architectures import wire
from architectures.contract import MAX_TIMEOUT_S, READY_PATH, Problem
from architectures.graph import Inputs
from architectures.spec import ServingPolicy
from architectures.walk import StageResult

_LOG = logging.getLogger("servebench.gateway")
_HEADERS: Final = {"Content-Type": wire.CONTENT_TYPE}
_READ_BUFFER_BYTES: Final = 4 * 1024 * 1024  # a reply of tensors is read without pausing
_QUOTED_BYTES: Final = 200

_Message: TypeAlias = "asyncio.Task[Sequence[StageResult | Problem]]"


def open_session(policy: ServingPolicy) -> ClientSession:
    """The connections of this process to all services, kept open between calls.

    An idle one is dropped well before the service would drop it: a call that met a closing
    connection would fail for nothing.
    """
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=policy.keep_alive_s / 2),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=_READ_BUFFER_BYTES,
        timeout=ClientTimeout(total=MAX_TIMEOUT_S),
    )


async def is_ready(session: ClientSession, url: str) -> bool:
    """Whether a service says that it can answer."""
    try:
        async with session.get(url + READY_PATH) as response:
            return response.status == HTTPStatus.OK
    except (ClientError, TimeoutError):
        return False


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


class Hop:
    """Calls of one stage.

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
        self._messages: set[_Message] = set()
        self._departure: asyncio.Handle | None = None

    def call(self, inputs: Inputs) -> "asyncio.Future[StageResult]":
        """Send one member's inputs. Cancel the future to drop it.

        The future raises the stage's Problem, or 503 where the service cannot be reached.
        """
        future: asyncio.Future[StageResult] = self._loop.create_future()
        self._waiting.append(_Waiting(inputs, future, perf_counter_ns()))
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
            message = self._loop.create_task(self._exchange([m.inputs for m in members]))
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

    async def _exchange(self, calls: Sequence[Inputs]) -> Sequence[StageResult | Problem]:
        # A view: the client slices its body, and a sliced bytearray is a copy.
        message = memoryview(wire.encode_calls(calls))
        async with self._session.post(self._url, data=message, headers=_HEADERS) as response:
            answer = await response.read()
        if response.status == HTTPStatus.OK:
            replies = wire.decode_replies(answer)
            if len(replies) != len(calls):
                raise wire.WireError(f"{len(replies)} replies to {len(calls)} calls")
            return replies
        said = answer[:_QUOTED_BYTES].decode(errors="replace")
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise Problem("overloaded", 503, said)
        raise wire.WireError(f"it answered {response.status}: {said}")

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
        if isinstance(error, ClientError | TimeoutError):
            _LOG.error("no answer from %s: %r", self._url, error)
            text = f"The service of stage {self._stage} cannot be reached; try again."
            return Problem("stage-unavailable", 503, text)
        _LOG.error("the exchange with %s failed", self._url, exc_info=error)
        text = f"Stage {self._stage} could not be called; the gateway's log says why."
        return Problem("stage-failed", 500, text)


def _settle(member: _Waiting, reply: StageResult | Problem, sent_ns: int) -> None:
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
    """Give a message up, which closes its connection, once nobody waits for any member of it."""
    wanted = len(members)

    def left(future: "asyncio.Future[StageResult]") -> None:
        nonlocal wanted
        wanted -= future.cancelled()
        if not wanted:
            message.cancel()

    for member in members:
        member.future.add_done_callback(left)
