"""One X-Request-ID an answer, in both of Serve's ingresses.

Serve echoes the caller's id as it came and adds its header beside the application's. The contract
wants one header, and an id that may be logged.
"""

from typing import TYPE_CHECKING

from architectures.front.reply import REQUEST_ID_KEY, request_id_of

if TYPE_CHECKING:
    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OneRequestId:
    """Settles the id before Serve and the application see the request, and drops the second."""

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


def middlewares() -> "list[Middleware]":
    """What Serve's proxy and its replicas wrap their HTTP servers with."""
    from starlette.middleware import Middleware

    return [Middleware(OneRequestId)]
