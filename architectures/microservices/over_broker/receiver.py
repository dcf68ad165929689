"""The service's end of a hop over the broker: one consumer of its stages' groups.

An entry is acknowledged in the transaction that sends its reply, so one that a consumer took and
did not answer is still pending when it dies, and goes to another consumer, or to the service's
next life. An entry may so be run twice; the gateway hears the first reply only.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic_ns
from typing import Any, Final, TypeAlias

from redis.exceptions import RedisError, ResponseError

from architectures import wire
from architectures.contract import Problem
from architectures.microservices.host import StageHost
from architectures.microservices.over_broker import (
    ANSWERED,
    BEAT_S,
    BLOB,
    BODY,
    BROKER,
    DEAD_AFTER_S,
    ENDS_NS,
    FAILED,
    GROUP,
    ID,
    INLINE_BYTES,
    KEPT,
    REPLY_TO,
    WITHDRAWN,
    alive,
    blob,
    kept_ms,
    open_broker,
    stream,
)
from architectures.server_config import ServerConfig

_LOG = logging.getLogger("servebench.service")
_WAIT_MS: Final = 5000
_AGAIN_S: Final = 0.2
_REPLIES_KEPT_MS: Final = 60_000  # those to a gateway that died

_Reply: TypeAlias = tuple[bytes, bytes | bytearray]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One message, taken from a stream and not yet answered; ``leaving`` once it is withdrawn."""

    stage: str
    key: bytes
    fields: Mapping[bytes, bytes]
    leaving: "asyncio.Future[None]"

    @property
    def ends_ns(self) -> int:
        return int(self.fields[ENDS_NS])


class BrokerReceiver:
    """Answers the messages of one service.

    Args:
        host: what runs them.
        config: of this process; ``peers`` has the broker's URL.
    """

    def __init__(self, host: StageHost, config: ServerConfig) -> None:
        self._host = host
        self._url = config.peers[BROKER]
        self._streams = {stream(stage).encode(): stage for stage in host.stages}
        self._name = f"{config.role}-{secrets.token_hex(4)}"
        whole_batches = config.options["message"] == "batch" and not host.waits
        self._count = 1 if whole_batches else config.policy.max_batch
        self._most = 2 if whole_batches else config.policy.queue_bound
        self._inside: dict[tuple[str, bytes], asyncio.Task[None]] = {}
        self._leaving: dict[bytes, asyncio.Future[None]] = {}
        self._room = asyncio.Event()
        self._life: list[asyncio.Task[None]] = []
        self._redis: Any = None

    async def start(self) -> None:
        """Join the groups of the stages, and begin to take their messages."""
        self._redis = open_broker(self._url)
        for name in self._streams:
            try:
                await self._redis.xgroup_create(name, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
        await self._beat()
        self._life = [
            asyncio.create_task(work) for work in (self._read(), self._hear(), self._live())
        ]

    async def stop(self) -> None:
        """Take no more messages; those inside are answered first."""
        for task in self._life:
            task.cancel()
        await asyncio.wait(self._life)
        if self._inside:
            await asyncio.wait(self._inside.values())
        await self._redis.aclose()

    async def _read(self) -> None:
        """Take messages as long as there is room: of batches one runs, and one lies ready."""
        wanted = dict.fromkeys(self._streams, ">")
        while True:
            while len(self._inside) >= self._most:
                self._room.clear()
                await self._room.wait()
            try:
                found = await self._redis.xreadgroup(
                    GROUP, self._name, wanted, count=self._count, block=_WAIT_MS
                )
            except (RedisError, OSError) as error:
                _LOG.error("the broker cannot be read: %r", error)
                await asyncio.sleep(_AGAIN_S)
                continue
            for name, entries in found or ():
                self._take(self._streams[name], entries)

    def _take(self, stage: str, entries: Any) -> None:
        for key, fields in entries:
            place = (stage, key)
            if place in self._inside or not fields:
                continue  # ours already; or withdrawn, and nobody waits for it
            loop = asyncio.get_running_loop()
            leaving = self._leaving[fields[ID]] = loop.create_future()
            task = loop.create_task(self._serve(_Entry(stage, key, fields, leaving)))
            self._inside[place] = task
            task.add_done_callback(partial(self._leave, place, fields[ID]))

    def _leave(self, place: tuple[str, bytes], name: bytes, _: "asyncio.Task[None]") -> None:
        del self._inside[place]
        self._leaving.pop(name, None)
        self._room.set()

    async def _hear(self) -> None:
        """Drop what its gateway withdraws, as far as it has not begun."""
        async with self._redis.pubsub(ignore_subscribe_messages=True) as withdrawn:
            while True:
                try:
                    await withdrawn.subscribe(WITHDRAWN)
                    async for told in withdrawn.listen():
                        leaving = self._leaving.pop(told["data"], None)
                        if leaving is not None:
                            leaving.set_result(None)
                except (RedisError, OSError):
                    await asyncio.sleep(_AGAIN_S)

    async def _serve(self, entry: _Entry) -> None:
        """Answer one message, unless nobody can be waiting for it any more."""
        try:
            await self._finish(entry, await self._answer(entry))
        except (RedisError, OSError) as error:
            _LOG.error("a message of %s stays unanswered: %r", entry.stage, error)

    async def _answer(self, entry: _Entry) -> _Reply | None:
        body = await self._body(entry) if entry.ends_ns > monotonic_ns() else None
        if body is None:
            return None
        try:
            calls = wire.decode_calls(body)
            return ANSWERED, wire.encode_replies(await self._run(entry, calls))
        except asyncio.CancelledError:
            if not entry.leaving.done():
                raise
            return None
        except Exception:  # noqa: BLE001 - the caller is told, whatever it was
            _LOG.exception("a message of %s failed", entry.stage)
            return FAILED, b"it failed on the message; its log says why"

    async def _body(self, entry: _Entry) -> bytes | None:
        """What was sent; None where it has expired or was withdrawn."""
        body = entry.fields.get(BODY)
        if body is None:
            body = await self._redis.get(entry.fields[BLOB])
        return body

    async def _run(self, entry: _Entry, calls: list[dict[str, Any]]) -> list[Any]:
        try:
            return await self._host.run(entry.stage, calls, entry.leaving)
        except Problem as problem:
            return [problem] * len(calls)

    async def _finish(self, entry: _Entry, reply: _Reply | None) -> None:
        """Reply and acknowledge at once, or neither."""
        fields, name = entry.fields, stream(entry.stage)
        async with self._redis.pipeline(transaction=True) as pipe:
            if reply is not None:
                kind, content = reply
                if len(content) > INLINE_BYTES:
                    kept = blob(fields[ID], ":reply")
                    pipe.set(kept, memoryview(content), px=kept_ms(entry.ends_ns))
                    kind, content = KEPT, kept.encode()
                pipe.rpush(fields[REPLY_TO], b"".join((fields[ID], kind, content)))
                pipe.pexpire(fields[REPLY_TO], _REPLIES_KEPT_MS)
            if BLOB in fields:
                pipe.unlink(fields[BLOB])
            pipe.xack(name, GROUP, entry.key)
            pipe.xdel(name, entry.key)
            await pipe.execute()

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            with suppress(RedisError, OSError):
                await self._beat()

    async def _beat(self) -> None:
        """Say that this consumer lives and what it still works on, and take dead ones' work."""
        dead_ms = round(DEAD_AFTER_S * 1e3)
        async with self._redis.pipeline(transaction=False) as pipe:
            for stage in self._streams.values():
                pipe.set(alive(stage), 1, px=dead_ms)
            for stage, key in self._inside:
                pipe.xclaim(stream(stage), GROUP, self._name, 0, [key], justid=True)
            for name in self._streams:
                pipe.xautoclaim(name, GROUP, self._name, dead_ms, count=self._count)
            answers = await pipe.execute()
        claims = answers[-len(self._streams) :]
        for stage, claimed in zip(self._streams.values(), claims, strict=True):
            self._take(stage, claimed[1])
