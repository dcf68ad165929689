"""Sending one HTTP request as cheaply and as exactly as Python can, over connections kept alive.

Locust's own session yields to the loop between its clock reading and the send, checks idle sockets
with ``select`` (which fails above descriptor 1023, so every request then opens a connection), and
reuses the last socket first, which in front of several server processes loads one of them. Here the
parser is the same; the connections are ours.
"""

import ssl
from collections import deque
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from gevent import monkey, socket
from geventhttpclient.response import HTTPSocketPoolResponse

from architectures import contract
from workloads.arrivals import WorkloadError

_BLOCK_BYTES = 65536
_POLLIN = 1


class Connections:
    """Keep-alive connections to one server, the longest idle used first.

    Rotating spreads requests over a server's processes, which share connections, not requests.

    Args:
        url: ``http://host:port`` or ``https://host:port``.

    Attributes:
        opened: connections opened so far.

    Raises:
        WorkloadError: the URL is of another kind.
        OSError: the host's name cannot be resolved.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WorkloadError(f"--host {url!r} is no address; give http://HOST:PORT")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._name = parts.hostname
        port = parts.port or (443 if self._tls else 80)
        # Resolved once: a name lookup inside a measured request would be the resolver's time.
        found = socket.getaddrinfo(self._name, port, type=socket.SOCK_STREAM)
        self._family, _, _, _, self._address = found[0]
        self._poll = monkey.get_original("select", "poll")
        self._idle: deque[socket.socket] = deque()
        self.opened = 0

    def open(self, count: int) -> None:
        """Open connections ahead of the load; stops quietly where the server refuses."""
        with suppress(OSError):
            for _ in range(count):
                self._idle.append(self._connect())

    def exchange(self, request: bytes) -> HTTPSocketPoolResponse:
        """Send a whole request and read the answer's headers.

        Raises:
            OSError: no connection, or it broke.
            HTTPParseError: the answer is not HTTP, or stops half way.
        """
        connection = self._take()
        try:
            connection.sendall(request)
        except BaseException:
            self.release_socket(connection)
            raise
        pool: Any = self  # of a pool, the response only calls the two methods below
        return HTTPSocketPoolResponse(connection, pool, block_size=_BLOCK_BYTES, method="POST")

    def return_socket(self, connection: socket.socket) -> None:
        """Keep a connection for the next request (called by the response when it is whole)."""
        self._idle.append(connection)

    def release_socket(self, connection: socket.socket) -> None:
        """Close a connection that cannot be used again (called by the response)."""
        connection.close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.popleft().close()

    def _take(self) -> socket.socket:
        while self._idle:
            connection = self._idle.popleft()
            if self._is_quiet(connection):
                return connection
            connection.close()
        return self._connect()

    def _is_quiet(self, connection: socket.socket) -> bool:
        """Whether an idle connection is open: a readable one has been closed by the server."""
        poller = self._poll()
        poller.register(connection.fileno(), _POLLIN)
        return not poller.poll(0)

    def _connect(self) -> socket.socket:
        connection = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.connect(self._address)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=self._name)
        except BaseException:
            connection.close()
            raise
        self.opened += 1
        return connection


def request_head(url: str, path: str, media_type: str, body_bytes: int) -> bytes:
    """The request's headers up to its id, which differs each time and comes last.

    Args:
        url: the server's address, for ``Host``.
        path: of the graph.
        media_type: of the body.
        body_bytes: length of the body.
    """
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Content-Type: {media_type}",
        f"Content-Length: {body_bytes}",
        "Accept: application/json",
        f"{contract.REQUEST_ID_HEADER}: ",
    )
    return "\r\n".join(lines).encode("ascii")
