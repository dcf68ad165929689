"""One gateway's messages on their way through the broker, and the list their replies come to."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from time import monotonic_ns
from typing import Any, Final

from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import OutOfMemoryError, RedisError

from architectures.contract import Problem
from architectures.microservices.hop import Unreachable
from architectures.microservices.over_broker import (
    BLOB,
    BODY,
    ENDS_NS,
    GRACE_S,
    ID,
    ID_BYTES,
    INLINE_BYTES,
    REPLY_TO,
    WITHDRAWN,
    blob,
    kept_ms,
    open_broker,
    stream,
)

_LOG = logging.getLogger("servebench.gateway")
_WAIT_S: Final = 5.0
_AT_ONCE: Final = 64
_AGAIN_S: Final = 0.2


@asynccontextmanager
async def open_mailbox(url: str, queue_bound: int) -> AsyncIterator["Mailbox"]:
    """A mailbox at the broker at ``redis://...``, read until the block ends."""
    mailbox = Mailbox(open_broker(url), queue_bound)
    listening = asyncio.create_task(mailbox.listen())
    try:
        yield mailbox
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        await mailbox.close()


class Mailbox:
    """Sends messages and hands out replies by correlation id.

    Args:
        redis: a client of the broker; closed with the mailbox.
        queue_bound: most requests in the SUT, which bounds what can wait; a stream is trimmed far
            beyond that, in case something else fills it.
    """

    def __init__(self, redis: Any, queue_bound: int) -> None:
        self.redis = redis
        self._replies = f"replies:{secrets.token_hex(8)}"
        self._most = 16 * queue_bound + 1024
        self._waiting: dict[bytes, asyncio.Future[tuple[bytes, bytes]]] = {}
        self._asides: set[asyncio.Task[Any]] = set()

    async def send(self, stage: str, message: bytearray, ends_ns: int) -> tuple[bytes, bytes]:
        """Send one message and wait for what comes back: its kind, and the rest.

        Cancelling withdraws the message.

        Raises:
            Problem: the broker is full.
            Unreachable: it is gone, or no reply came in time.
        """
        name = secrets.token_bytes(ID_BYTES)
        reply: asyncio.Future[tuple[bytes, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[name] = reply
        adding = self._aside(self._add(stage, name, message, ends_ns))
        try:
            async with asyncio.timeout((ends_ns - monotonic_ns()) / 1e9 + GRACE_S):
                await asyncio.shield(adding)
                return await reply
        except TimeoutError as error:
            raise Unreachable(f"no reply to a message of {stage} in time") from error
        except OutOfMemoryError as error:
            raise Problem("overloaded", 503, "The broker's memory is full; try later.") from error
        except (RedisError, OSError) as error:
            raise Unreachable(f"the broker failed: {error!r}") from error
        finally:
            del self._waiting[name]
            if not reply.done() or reply.cancelled() or reply.exception():
                _ = self._aside(self._withdraw(stage, name, adding))

    async def listen(self) -> None:
        """Hand out replies until cancelled. One that nobody waits for any more is let go."""
        while True:
            try:
                found = await self.redis.blmpop(
                    _WAIT_S, 1, self._replies, direction="LEFT", count=_AT_ONCE
                )
            except (RedisError, OSError) as error:
                self._fail(error)
                await asyncio.sleep(_AGAIN_S)
                continue
            for reply in found[1] if found else ():
                self._hand_out(reply)

    async def close(self) -> None:
        """Close the connections; what is being withdrawn is withdrawn first."""
        if self._asides:
            await asyncio.wait(self._asides)
        await self.redis.aclose()

    def _hand_out(self, reply: bytes) -> None:
        future = self._waiting.get(reply[:ID_BYTES])
        if future is not None and not future.done():
            # The rest is a copy, and so lies aligned, as arrays must.
            future.set_result((reply[ID_BYTES : ID_BYTES + 1], reply[ID_BYTES + 1 :]))

    async def _add(self, stage: str, name: bytes, message: bytearray, ends_ns: int) -> bytes:
        fields: dict[bytes, Any] = {ID: name, REPLY_TO: self._replies, ENDS_NS: ends_ns}
        async with self.redis.pipeline(transaction=False) as pipe:
            if len(message) > INLINE_BYTES:
                fields[BLOB] = blob(name)
                pipe.set(blob(name), memoryview(message), px=kept_ms(ends_ns))
            else:
                fields[BODY] = memoryview(message)
            pipe.xadd(stream(stage), fields, maxlen=self._most, approximate=True)
            entry: bytes = (await pipe.execute())[-1]
        return entry

    async def _withdraw(self, stage: str, name: bytes, adding: "asyncio.Task[bytes]") -> None:
        """Take back what nobody waits for: none will take it, and who did may drop it."""
        await asyncio.wait([adding])
        with suppress(RedisError, OSError):
            async with self.redis.pipeline(transaction=False) as pipe:
                if adding.exception() is None:
                    pipe.xdel(stream(stage), adding.result())
                pipe.unlink(blob(name))
                pipe.publish(WITHDRAWN, name)
                await pipe.execute()

    def _aside(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(work)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)
        return task

    def _fail(self, error: Exception) -> None:
        """The list of replies cannot be read: what is on its way is not waited for any more."""
        _LOG.error("the broker cannot be read: %r", error)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(NoConnection(str(error)))
