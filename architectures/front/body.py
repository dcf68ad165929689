"""Reading a request's body within its limit, and parting well from a client that sends too much."""

import asyncio

from starlette.types import Message, Receive

from architectures.contract import MAX_BODY_BYTES, Problem

_LINGER_S = 1.0
_LINGER_BYTES = MAX_BODY_BYTES


class ClientLeft(Exception):  # noqa: N818 - what happened, not an error
    """The client closed its connection before the answer."""


class BodyTooLarge(Problem):
    """Refused with the rest of the body still on its way."""

    def __init__(self) -> None:
        super().__init__(
            "body-too-large",
            413,
            f"A body may have {MAX_BODY_BYTES} bytes at most; send a smaller one.",
        )


async def read_body(receive: Receive, declared: bytes | None) -> bytes:
    """Read the whole body, refusing it as soon as it is known to be too large.

    Args:
        receive: the ASGI channel.
        declared: the Content-Length header, if there was one.

    Raises:
        BodyTooLarge: more than ``MAX_BODY_BYTES``, declared or counted.
        ClientLeft: the connection closed in the middle.
        Problem: 400, the body is empty.
    """
    if declared is not None and int(declared) > MAX_BODY_BYTES:
        raise BodyTooLarge
    message = await next_message(receive)
    chunk = _chunk(message)
    chunks = [chunk]
    size = len(chunk)
    while message.get("more_body", False):
        message = await next_message(receive)
        chunk = _chunk(message)
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge
        chunks.append(chunk)
    if not size:
        raise Problem("empty-body", 400, "The body is empty; send what its Content-Type names.")
    return b"".join(chunks) if len(chunks) > 1 else chunks[0]


async def next_message(receive: Receive) -> Message:
    """What the client's channel says next; one that fails is one whose client is gone.

    Behind Serve's Python proxy the channel is a remote call, and the proxy cancels it when the
    client leaves: without this some of those that left would be counted as 500.
    """
    try:
        return await receive()
    except Exception as error:
        raise ClientLeft from error


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientLeft
    chunk: bytes = message.get("body", b"")
    return chunk


async def linger(receive: Receive) -> None:
    """Discard what the client still sends, for a bounded time and size.

    Closing at once would reset the connection, and a client in the middle of its upload would see
    a broken pipe in place of the 413 it was just sent.
    """
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_S):
            while left > 0:
                message = await next_message(receive)
                left -= len(_chunk(message))
                if not message.get("more_body", False):
                    return
    except (TimeoutError, ClientLeft):
        return
