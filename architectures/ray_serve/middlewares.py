"""What both of Serve's ingresses lack for the contract: one request id, and a bound on reading.

Serve wraps its proxy and its replicas' HTTP servers with these (its own extension point).
"""

import asyncio
from typing import TYPE_CHECKING

from architectures.contract import MAX_BODY_BYTES
from architectures.front.reply import REQUEST_ID_KEY, request_id_of

if TYPE_CHECKING:
    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OneRequestId:
    """Settles the id before Serve and the application see the request, and drops the second.

    Serve echoes the caller's id as it came, and adds its header beside the application's. The
    contract wants one header, and an id that may be logged.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        header = (REQUEST_ID_KEY, request_id_of(scope["headers"]).encode())
        scope["headers"] = [*_without_id(scope["headers"]), header]

        async def send_once(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*_without_id(message["headers"]), header]
            await send(message)

        await self._app(scope, receive, send_once)


def _without_id(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0].lower() != REQUEST_ID_KEY]


class PausedBody:
    """Stops reading a body beyond the contract's limit until the application has answered.

    Serve's Python proxy reads ahead of the replica without a bound: an endless body would fill its
    memory before the replica's refusal came back.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass one request through."""
        read_bytes = 0
        answered = asyncio.Event()

        async def receive_within_limit() -> "Message":
            nonlocal read_bytes
            if read_bytes > MAX_BODY_BYTES:
                await answered.wait()
            message = await receive()
            read_bytes += len(message.get("body", b""))
            return message

        async def send_and_note(message: "Message") -> None:
            answered.set()
            await send(message)

        await self._app(scope, receive_within_limit, send_and_note)


def middlewares() -> "list[Middleware]":
    """What Serve wraps its HTTP servers with, innermost first."""
    from starlette.middleware import Middleware

    return [Middleware(PausedBody), Middleware(OneRequestId)]
