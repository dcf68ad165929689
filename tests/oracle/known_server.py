"""A server of known behaviour that owes nothing to the code under test: sockets and asyncio only.

    python known_server.py '{"service_s": [0.02], "freeze_at_s": 3, "freeze_s": 1}'

It prints its port, serves until its standard input closes, then prints its own log as JSON: one
``[request id, begun ns, answered ns]`` per request, and what each asked: ``[request id, media
type, X-N, bytes]``. Settings, all optional:

service_s       delays, used in turn
burn_s          CPU seconds burnt for each request
one_by_one      serves one request at a time, in the order they came
freeze_at_s     seconds after the first request at which the whole process stops ...
freeze_s        ... for so long
exit_after      exits abruptly when that many requests have begun
cut_after       from that request on, half an answer and then the connection is closed
status          HTTP status
"""

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from typing import Any

BODY = b'{"tags": ["known"]}' + b" " * 600


class KnownServer:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.service_s = itertools.cycle(settings.get("service_s", [0.0]))
        self.burn_s = settings.get("burn_s", 0.0)
        self.freeze_at_s = settings.get("freeze_at_s")
        self.freeze_s = settings.get("freeze_s", 0.0)
        self.exit_after = settings.get("exit_after")
        self.cut_after = settings.get("cut_after")
        self.status = settings.get("status", 200)
        one_by_one = settings.get("one_by_one", False)
        self.turn = asyncio.Lock() if one_by_one else contextlib.nullcontext()
        self.log = []
        self.asked = []
        self.connections = 0

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                headers = dict(
                    line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:-2]
                )
                length = int(headers["content-length"])
                await reader.readexactly(length)
                self.asked.append(
                    [
                        int(headers["x-request-id"]),
                        headers.get("content-type", ""),
                        headers.get("x-n"),
                        length,
                    ]
                )
                await self.request(headers["x-request-id"], writer)
        writer.close()

    async def request(self, request_id: str, writer: asyncio.StreamWriter) -> None:
        begun_ns = time.perf_counter_ns()
        entry = [int(request_id), begun_ns, 0]
        self.log.append(entry)
        number = len(self.log)
        if number == 1 and self.freeze_at_s is not None:
            asyncio.get_running_loop().call_later(self.freeze_at_s, time.sleep, self.freeze_s)
        if self.exit_after is not None and number > self.exit_after:
            os._exit(1)
        async with self.turn:
            burn(self.burn_s)
            await asyncio.sleep(next(self.service_s))
            await self.answer(number, writer)
            entry[2] = time.perf_counter_ns()

    async def answer(self, number: int, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 %d Known\r\nContent-Length: %d\r\nServer-Timing: known;dur=1\r\n\r\n"
        whole = head % (self.status, len(BODY)) + BODY
        if self.cut_after is not None and number > self.cut_after:
            writer.write(whole[:-100])
            writer.close()
            return
        writer.write(whole)
        await writer.drain()


def burn(cpu_s: float) -> None:
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass


async def main() -> None:
    server = KnownServer(json.loads(sys.argv[1]))
    listener = await asyncio.start_server(server.connection, "127.0.0.1", 0, backlog=1024)
    print(listener.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)
    log = {"requests": server.log, "asked": server.asked, "connections": server.connections}
    print(json.dumps(log), flush=True)  # noqa: T201
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
