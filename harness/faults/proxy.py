"""A TCP proxy that can be slow, deaf, or not there."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from architectures.server_config import HOST

_CHUNK_BYTES = 64 * 1024


class Faults(BaseModel):
    """What a proxy does to its connections.

    Attributes:
        delay_s: each chunk waits so long, in either direction.
        freeze: nothing passes; connections stay open.
        refuse: new connections are reset.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    delay_s: Annotated[float, Field(ge=0)] = 0.0
    freeze: bool = False
    refuse: bool = False


class Asked(Faults):
    """Changes of faults; ``reset`` is done once: connections that are open are reset."""

    reset: bool = False


class Proxy:
    """Passes bytes between clients and one backend.

    Args:
        host / port: of the backend.
    """

    def __init__(self, host: str, port: int) -> None:
        self._backend = (host, port)
        self._faults = Faults()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._open: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self, port: int) -> asyncio.Server:
        """Listen on a loopback port; 0 takes a free one."""
        return await asyncio.start_server(self._accept, HOST, port)

    async def follow(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change the faults; what is in force then, and how many connections are open.

        Raises:
            ValueError: the changes cannot be meant.
        """
        asked = Asked.model_validate({**self._faults.model_dump(), **changes})
        self._faults = Faults(**asked.model_dump(exclude={"reset"}))
        (self._thawed.clear if asked.freeze else self._thawed.set)()
        if asked.reset:
            await self.reset()
        return {**self._faults.model_dump(), "connections": len(self._open)}

    async def reset(self) -> None:
        """Reset every open connection, on both sides."""
        for writer in tuple(self._writers):
            _reset(writer)
        waiting = tuple(self._open)
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._faults.refuse:
            _reset(writer)
            return
        task = asyncio.create_task(self._join(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection's life; however it ends, both its sides are gone after."""
        sides = [writer]
        self._writers.add(writer)
        try:
            back_reader, back_writer = await asyncio.open_connection(*self._backend)
            sides.append(back_writer)
            self._writers.add(back_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, back_writer))
                both.create_task(self._pass(back_reader, writer))
        except (OSError, ExceptionGroup):
            pass  # either side may leave as it likes: the other side sees it
        finally:
            for side in sides:
                side.transport.abort()
                self._writers.discard(side)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            await self._thawed.wait()
            await asyncio.sleep(self._faults.delay_s)
            writer.write(chunk)
            await writer.drain()
        await self._thawed.wait()
        if writer.can_write_eof():
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by RST, as a machine does that has gone: FIN would be a good-bye."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
