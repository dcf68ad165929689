"""Reading one HTTP/1.1 answer from whatever pieces it arrives in.

A general parser calls back into Python for every header. Four headers decide how an answer is
framed and what is recorded of it, so only those are looked for.
"""

import re
from typing import NamedTuple

_LENGTH, _ENCODING, _CONNECTION, _TIMING = (
    b"\r\n%s:" % name
    for name in (b"content-length", b"transfer-encoding", b"connection", b"server-timing")
)
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?(?=\r\n)")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_HEAD_END = b"\r\n\r\n"
_MOST_HEAD_BYTES = 65536
_FIRST_FINAL = 200
_WITHOUT_BODY = (204, 304)


class MalformedAnswerError(ValueError):
    """What was received is not HTTP/1, or stops half way."""


class Answer(NamedTuple):
    """A whole answer.

    Attributes:
        server_timing: the header as it was sent, several joined by commas; None if absent.
        reusable: whether the connection can carry another request.
    """

    status: int
    body: bytes
    server_timing: bytes | None
    reusable: bool


class AnswerReader:
    """Collects pieces until they are a whole answer; then ready for the next."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, piece: bytes) -> Answer | None:
        """Add a piece.

        Returns:
            The answer once it is whole; None until then.

        Raises:
            MalformedAnswerError: this is not HTTP/1.
        """
        if not self._held:
            answer = _parsed(piece, ended=False)
            if answer is None:
                self._held += piece
            return answer
        self._held += piece
        return self._taken(_parsed(bytes(self._held), ended=False))

    def end(self) -> Answer:
        """Nothing more will come: an answer of no stated length is whole now.

        Raises:
            MalformedAnswerError: it stops half way.
        """
        answer = self._taken(_parsed(bytes(self._held), ended=True))
        if answer is None:
            raise MalformedAnswerError("the connection was closed before the answer was whole")
        return answer

    def _taken(self, answer: Answer | None) -> Answer | None:
        if answer is not None:
            self._held.clear()
        return answer


def _parsed(received: bytes, *, ended: bool) -> Answer | None:
    start = 0
    while True:
        head_end = received.find(_HEAD_END, start)
        if head_end < 0:
            if len(received) - start > _MOST_HEAD_BYTES:
                raise MalformedAnswerError(f"no end of headers in {_MOST_HEAD_BYTES} bytes")
            return None
        line = _STATUS.match(received, start)
        if line is None:
            raise MalformedAnswerError(f"no status line: {received[start : start + 40]!r}")
        status = int(line[2])
        if status >= _FIRST_FINAL:
            break
        start = head_end + 4  # an interim answer, such as 103: the real one follows
    head = received[start : head_end + 2]
    folded = head.lower()
    framed = _body(received, head_end + 4, status, folded, ended=ended)
    if framed is None:
        return None
    body, stated = framed
    reusable = stated and line[1] == b"1" and b"close" not in _field(folded, folded, _CONNECTION)
    return Answer(status, body, _field(folded, head, _TIMING) or None, reusable)


def _field(folded: bytes, head: bytes, name: bytes) -> bytes:
    """A header's value, several joined by commas; empty if absent.

    Args:
        folded: the headers in lower case, in which ``name`` is looked for.
        head: the headers, from which the value is taken.
        name: line end, name, colon.
    """
    found, at = b"", -1
    while (at := folded.find(name, at + 1)) >= 0:
        value = head[at + len(name) : head.index(b"\r\n", at + 2)].strip()
        found = found + b", " + value if found else value
    return found


def _body(
    received: bytes, start: int, status: int, folded: bytes, *, ended: bool
) -> tuple[bytes, bool] | None:
    """The body, and whether it ends where the answer said and nothing follows it."""
    if status in _WITHOUT_BODY:
        return b"", len(received) == start
    if b"chunked" in _field(folded, folded, _ENCODING):
        return _dechunked(received, start)
    length = _field(folded, folded, _LENGTH)
    if not length:
        return (received[start:], False) if ended else None
    if not length.isdigit():
        raise MalformedAnswerError(f"Content-Length is {length!r}")
    end = start + int(length)
    return (received[start:end], len(received) == end) if len(received) >= end else None


def _dechunked(received: bytes, start: int) -> tuple[bytes, bool] | None:
    parts: list[bytes] = []
    while True:
        size = _CHUNK.match(received, start)
        if size is None:
            if received.find(b"\r\n", start) >= 0:
                raise MalformedAnswerError(f"no chunk size: {received[start : start + 40]!r}")
            return None
        start, end = size.end(), size.end() + int(size[1], 16)
        if end == start:
            return _after_trailers(received, start, b"".join(parts))
        if len(received) < end + 2:
            return None
        parts.append(received[start:end])
        start = end + 2


def _after_trailers(received: bytes, start: int, body: bytes) -> tuple[bytes, bool] | None:
    """``start`` is behind the last chunk's line, whose own end may be that of no trailers."""
    end = received.find(_HEAD_END, start - 2)
    return None if end < 0 else (body, len(received) == end + 4)
