"""Linux's NETLINK_SOCK_DIAG: every TCP connection of this network namespace with its counts.

Layouts are those of ``linux/sock_diag.h``, ``linux/inet_diag.h`` and ``linux/tcp.h``, which the
kernel only ever adds to.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

LISTEN = 10

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
_TCP_DESTROYED = (1 << 0) | (1 << 2)  # SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY
_INFO = 2  # INET_DIAG_INFO
_TIME_WAIT, _CLOSE, _CLOSE_WAIT, _LAST_ACK, _CLOSING = 6, 7, 8, 9, 11
_FIN_HEARD = (_CLOSE, _CLOSE_WAIT, _LAST_ACK, _CLOSING)
_STATES = 0xFFF & ~(1 << _TIME_WAIT)

_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
_MESSAGE = struct.Struct("=BBxx2s38xQ16xI")  # family, state, source port, cookie, inode
_ATTRIBUTE = struct.Struct("=HH")
_RECEIVED_AT = 128
_SENT_AT = 200
_COUNTS_END = 216
_BUFFER_BYTES = 1 << 18
_BACKLOG_BYTES = 1 << 21


@dataclass(frozen=True, slots=True)
class Connection:
    """One TCP socket.

    Attributes:
        cookie: its number, never given again.
        inode: as ``/proc/<pid>/fd`` names it; 0 before it is accepted and after it is closed.
        port: its own.
        sent_bytes: payload sent, each byte once.
        received_bytes: payload received, each byte once.
    """

    cookie: int
    inode: int
    state: int
    port: int
    sent_bytes: int
    received_bytes: int


class SocketDiagnosis:
    """The two channels: one to ask, one on which ends of connections are announced."""

    def __init__(self, asking: socket.socket, hearing: socket.socket) -> None:
        self._asking = asking
        self._hearing = hearing

    @classmethod
    def open(cls) -> Self | None:
        """Open both; None where the kernel has no such thing or forbids it."""
        opened: list[socket.socket] = []
        try:
            for groups in (0, _TCP_DESTROYED):
                opened.append(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG))
                opened[-1].bind((0, groups))
            asking, hearing = opened
            asking.settimeout(1.0)
            hearing.settimeout(0.0)
            hearing.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BACKLOG_BYTES)
            diagnosis = cls(asking, hearing)
            diagnosis.living()
        except (OSError, struct.error):
            for channel in opened:
                channel.close()
            return None
        return diagnosis

    def close(self) -> None:
        """Close both."""
        self._asking.close()
        self._hearing.close()

    def living(self) -> list[Connection]:
        """Every TCP socket but those in TIME_WAIT.

        Raises:
            OSError: the kernel refused.
        """
        found: list[Connection] = []
        for family in (socket.AF_INET, socket.AF_INET6):
            asked = _REQUEST.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), _STATES)
            size = _HEADER.size + len(asked)
            self._asking.send(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + asked)
            while not _gather(self._asking.recv(_BUFFER_BYTES), found):
                pass
        return found

    def ended(self) -> list[Connection]:
        """Sockets destroyed since, with their last counts; some are missing after a flood."""
        found: list[Connection] = []
        while True:
            try:
                _gather(self._hearing.recv(_BUFFER_BYTES), found)
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise


def _gather(answer: bytes, found: list[Connection]) -> bool:
    """Add an answer's connections to ``found``; whether it was the last."""
    at = 0
    while at < len(answer):
        size, kind, *_ = _HEADER.unpack_from(answer, at)
        body = at + _HEADER.size
        if kind == _NLMSG_ERROR:
            (code,) = struct.unpack_from("=i", answer, body)
            raise OSError(-code, "NETLINK_SOCK_DIAG")
        if kind == _NLMSG_DONE:
            return True
        found.extend(_connections(answer, body, at + size))
        at += size + 3 & ~3
    return False


def _connections(answer: bytes, at: int, end: int) -> Iterator[Connection]:
    """The connection of one message; none if the kernel did not count it."""
    _, state, port, cookie, inode = _MESSAGE.unpack_from(answer, at)
    at += _MESSAGE.size
    with suppress(struct.error):
        while at < end:
            size, kind = _ATTRIBUTE.unpack_from(answer, at)
            counts = at + _ATTRIBUTE.size
            if kind == _INFO and size >= _ATTRIBUTE.size + _COUNTS_END:
                (received,) = struct.unpack_from("=Q", answer, counts + _RECEIVED_AT)
                sent, again = struct.unpack_from("=QQ", answer, counts + _SENT_AT)
                # The kernel counts the other side's FIN as a byte received.
                heard = state in _FIN_HEARD and received > 0
                yield Connection(
                    cookie,
                    inode,
                    state,
                    int.from_bytes(port, "big"),
                    sent - again,
                    received - heard,
                )
            at += max(_ATTRIBUTE.size, size + 3 & ~3)
