"""HTTP/1.1 by hand, to do what a well-behaved client would not."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class RawConnection:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        lines = [f"POST {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[list[RawConnection]]:
    """Open connections first, so that what is sent on them arrives all at once."""
    target = urlsplit(url)
    opened = [
        RawConnection(*await asyncio.open_connection(target.hostname, target.port))
        for _ in range(count)
    ]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.writer.close()
