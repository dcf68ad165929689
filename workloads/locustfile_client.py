"""Carrying requests as cheaply and as exactly as Python can, over connections kept alive.

Locust's own session yields to the loop between its clock reading and the send, checks idle sockets
with ``select`` (which fails above descriptor 1023, so every request then opens a connection), and
reuses the last socket first, which in front of several server processes loads one of them. Nor is
a greenlet spent on each request: the event loop calls a connection when it can be read.
"""

import ssl
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from gevent import monkey, socket
from gevent.hub import get_hub

from architectures import contract
from workloads.arrivals import WorkloadError
from workloads.http_answer import Answer, AnswerReader, MalformedAnswerError

_BLOCK_BYTES = 65536
_POLLIN = 1
_READ, _WRITE = 1, 2
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Ended: TypeAlias = Callable[["Connection", Answer | None], None]
"""Called by the event loop with a connection whose request has ended: its answer, or None when
the connection broke. It must not wait for anything."""


class Connection:
    """One keep-alive connection; it carries one request at a time.

    Args:
        open_socket: connected.
        ended: told how each request ended.

    Attributes:
        row: the request it carries; -1 when idle.
    """

    __slots__ = (
        "_ended",
        "_poll",
        "_reader",
        "_socket",
        "_tls",
        "_unsent",
        "_watcher",
        "_writable",
        "row",
    )

    def __init__(self, open_socket: socket.socket, ended: Ended) -> None:
        self.row = -1
        self._tls = hasattr(open_socket, "pending")
        open_socket.settimeout(0)
        self._socket: Any = open_socket
        self._ended = ended
        self._reader = AnswerReader()
        self._unsent = memoryview(b"")
        self._poll = monkey.get_original("select", "poll")()
        self._poll.register(open_socket.fileno(), _POLLIN)
        loop = get_hub().loop
        # Watched from the first to the last moment: an epoll_ctl a request is saved, and a server
        # closing an idle connection is noticed.
        self._watcher = loop.io(open_socket.fileno(), _READ)
        self._watcher.start(self._readable)
        self._writable: Any = None

    def is_quiet(self) -> bool:
        """Whether an idle connection is open: a readable one has been closed by the server.

        Or, with TLS, it was handed the ticket of a later session, which is no harm.
        """
        if not self._poll.poll(0):
            return True
        if self._tls:
            with suppress(OSError):
                return self._is_unheard()
        return False

    def _is_unheard(self) -> bool:
        """Whether what can be read is nothing for us; reads it."""
        try:
            self._socket.recv(_BLOCK_BYTES)
        except _WOULD_BLOCK:
            return True
        return False

    def send(self, row: int, head: bytes, body: bytes) -> None:
        """Send what the kernel takes now, and the rest as it takes it.

        Raises:
            OSError: the connection is broken.
        """
        self.row = row
        try:
            if self._tls:
                sent = self._socket.send(head + body)
            else:
                sent = self._socket.sendmsg((head, body))
        except _WOULD_BLOCK:
            sent = 0
        if sent < len(head) + len(body):
            self._unsent = memoryview(head + body)[sent:]
            self._writable = get_hub().loop.io(self._socket.fileno(), _WRITE)
            self._writable.start(self._send_rest)

    def close(self) -> None:
        """Close it, whatever it carries."""
        for watcher in (self._watcher, self._writable):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._watcher = self._writable = None
        self._socket.close()

    def _send_rest(self) -> None:
        try:
            with suppress(*_WOULD_BLOCK):
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except OSError:
            self._ended(self, None)
            return
        if not self._unsent:
            self._writable.stop()
            self._writable.close()
            self._writable = None

    def _readable(self) -> None:
        try:
            answer = self._received()
            while answer is None and self._tls and self._socket.pending():
                answer = self._received()
        except _WOULD_BLOCK:
            return
        except (OSError, MalformedAnswerError):
            self._ended(self, None)
            return
        if answer is not None:
            if self._unsent:  # it answered before it had read the request
                answer = answer._replace(reusable=False)
            self._ended(self, answer)

    def _received(self) -> Answer | None:
        piece = self._socket.recv(_BLOCK_BYTES)
        if self.row < 0:
            raise MalformedAnswerError("something was sent, or closed, that was not asked for")
        if not piece:
            return self._reader.end()
        return self._reader.feed(piece)


class Connections:
    """Keep-alive connections to one server, the longest idle used first.

    Rotating spreads requests over a server's processes, which share connections, not requests.

    Args:
        url: ``http://host:port`` or ``https://host:port``.
        ended: told how each request ended.

    Attributes:
        opened: connections opened so far.

    Raises:
        WorkloadError: the URL is of another kind.
        OSError: the host's name cannot be resolved.
    """

    def __init__(self, url: str, ended: Ended) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WorkloadError(f"--host {url!r} is no address; give http://HOST:PORT")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._name = parts.hostname
        port = parts.port or (443 if self._tls else 80)
        # Resolved once: a name lookup inside a measured request would be the resolver's time.
        found = socket.getaddrinfo(self._name, port, type=socket.SOCK_STREAM)
        self._family, _, _, _, self._address = found[0]
        self._request_ended = ended
        self._idle: deque[Connection] = deque()
        self.opened = 0

    def open(self, count: int) -> None:
        """Open connections ahead of the load; stops quietly where the server refuses."""
        with suppress(OSError):
            for _ in range(count):
                self._idle.append(self.connect())

    def take(self) -> Connection | None:
        """An idle connection that is still open; None if there is none."""
        while self._idle:
            connection = self._idle.popleft()
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def keep(self, connection: Connection) -> None:
        """Keep a connection for another request."""
        connection.row = -1
        self._idle.append(connection)

    def connect(self) -> Connection:
        """Open a connection; other than the rest, this waits, so it needs a greenlet.

        Raises:
            OSError: the server cannot be reached.
        """
        connecting = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connecting.connect(self._address)
            if self._tls is not None:
                connecting = self._tls.wrap_socket(connecting, server_hostname=self._name)
        except BaseException:
            connecting.close()
            raise
        self.opened += 1
        return Connection(connecting, self._ended)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.popleft().close()

    def _ended(self, connection: Connection, answer: Answer | None) -> None:
        if connection.row >= 0:
            self._request_ended(connection, answer)
            return
        connection.close()
        with suppress(ValueError):
            self._idle.remove(connection)


NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def request_head(
    url: str,
    path: str,
    media_type: str,
    body_bytes: int,
    headers: Mapping[str, str] = NO_HEADERS,
) -> bytes:
    """The request's headers up to its id, which differs each time and comes last.

    Args:
        url: the server's address, for ``Host``.
        path: of the graph.
        media_type: of the body.
        body_bytes: length of the body.
        headers: of the request itself, beside these.

    Raises:
        WorkloadError: a header would break the request apart.
    """
    own = [f"{name}: {value}" for name, value in headers.items()]
    for line in own:
        if not (line.isascii() and line.isprintable()):
            raise WorkloadError(
                f"the payloads have the header {line.partition(':')[0]!r} with text that is not "
                "printable ASCII; mend the ensemble's `request`"
            )
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Content-Type: {media_type}",
        f"Content-Length: {body_bytes}",
        "Accept: application/json",
        *own,
        f"{contract.REQUEST_ID_HEADER}: ",
    )
    return "\r\n".join(lines).encode("ascii")
