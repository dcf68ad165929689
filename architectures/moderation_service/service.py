"""The service: verdicts after a delay, failures as scripted, and a control that changes the script.

A verdict and the requests that fail depend on the image and the count alone, so a run repeats.
"""

import asyncio
import hashlib
import json
import socket
import struct
from collections import Counter
from time import perf_counter_ns

from aiohttp import web

from architectures.moderation_service.script import Script
from architectures.null_service.behaviour import Behaviour
from architectures.null_service.sleeper import Sleeper

_MOST_BYTES = 16 * 1024 * 1024


class ModerationService:
    """The aiohttp application and its state.

    Args:
        script: in force at first.
    """

    def __init__(self, script: Script) -> None:
        self._lots: list[float] = Behaviour().lots().tolist()
        self._counts: Counter[str] = Counter()
        self._sleeper = Sleeper()
        self._follow(script)

    def application(self) -> web.Application:
        """All paths."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_post("/v1/moderate", self._moderate)
        app.router.add_post("/control", self._change)
        app.router.add_get("/control", self._tell)
        app.router.add_get("/readyz", self._ready)
        app.on_cleanup.append(self._close)
        return app

    def _follow(self, script: Script) -> None:
        self._script = script
        self._delays_ns = script.delays_ns()
        self._since = 0

    async def _moderate(self, request: web.Request) -> web.Response:
        arrived_ns = perf_counter_ns()
        index = self._counts["requests"]
        self._counts["requests"] += 1
        due_ns = arrived_ns + self._delays_ns[self._since % len(self._delays_ns)]
        self._since += 1
        if self._down():
            return self._reset(request)
        image = await request.read()
        if self._script.frozen:
            self._counts["kept"] += 1
            await asyncio.Event().wait()
        await self._sleeper.until(due_ns)
        if self._down():
            return self._reset(request)
        if self._lots[index % len(self._lots)] < self._script.error_ratio:
            self._counts["failed"] += 1
            return web.Response(status=500, text="scripted\n")
        self._counts["answered"] += 1
        return web.json_response({"verdict": _verdict(image, self._script.rejects)})

    def _down(self) -> bool:
        """Now: the script may change while a request is kept."""
        return self._script.down

    def _reset(self, request: web.Request) -> web.Response:
        self._counts["reset"] += 1
        if request.transport is not None:
            connection = request.transport.get_extra_info("socket")
            # By RST: a FIN would be a server that has ended well.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.abort()
        return web.Response(status=503)  # to nobody: its connection is gone

    async def _change(self, request: web.Request) -> web.Response:
        try:
            self._follow(self._script.with_changes(json.loads(await request.read())))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(self._script.document())

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response({"script": self._script.document(), "counts": dict(self._counts)})

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _close(self, _: web.Application) -> None:
        self._sleeper.close()


def _verdict(image: bytes, rejects: float) -> str:
    lot = int.from_bytes(hashlib.sha256(image).digest()[:8]) / 2**64
    return "rejected" if lot < rejects else "approved"
