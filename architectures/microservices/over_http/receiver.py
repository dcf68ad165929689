"""The service's end of an HTTP hop: ``POST /stages/<stage>`` takes calls, answers what became.

Raw ASGI, because an internal hop with one path needs no routing, no validation and no
dependencies.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from architectures import wire
from architectures.contract import Problem
from architectures.microservices.host import StageHost
from architectures.microservices.over_http import STAGE_PREFIX

Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]

_WIRE: Final = wire.CONTENT_TYPE.encode()


class ClientLeft(Exception):  # noqa: N818 - what happened, not an error
    """The caller closed its connection before the answer."""


class HttpReceiver:
    """Answers the messages of one service.

    Args:
        host: what runs them.
    """

    def __init__(self, host: StageHost) -> None:
        self._host = host

    async def answer(
        self, path: str, method: str, receive: Receive
    ) -> tuple[bytes, bytes | bytearray]:
        """Answer one exchange with a content type and a body.

        Raises:
            Problem: it is no message, or there is no room for it.
            ClientLeft: nobody waits for the answer; what had not begun is dropped.
        """
        stage = path.removeprefix(STAGE_PREFIX)
        if not self._host.hosts(stage):
            hosted = ", ".join(STAGE_PREFIX + name for name in self._host.stages)
            raise Problem("not-found", 404, f"There is nothing at {path}, only {hosted}.")
        if method != "POST":
            raise Problem("method-not-allowed", 405, f"{path} takes POST, not {method}.")
        calls = _decode(await _read(receive))
        leaving = asyncio.ensure_future(_disconnect(receive))
        try:
            replies = await self._host.run(stage, calls, leaving)
        except asyncio.CancelledError:
            if not leaving.done() or leaving.cancelled():
                raise
            raise ClientLeft from None
        finally:
            leaving.cancel()
        return _WIRE, wire.encode_replies(replies)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientLeft
        chunks.append(event["body"])
        more = event["more_body"]
    return b"".join(chunks) if len(chunks) > 1 else chunks[0]


def _decode(message: bytes) -> list[dict[str, Any]]:
    try:
        return wire.decode_calls(message)
    except wire.WireError as error:
        raise Problem("bad-message", 400, str(error)) from error
