"""TCP payload that processes sent and received, from the kernel's own count of each connection.

Connections come from NETLINK_SOCK_DIAG with ``struct tcp_info``, their owners from
``/proc/<pid>/fd``. The kernel announces each connection's end with its last count, so that little
is lost between readings. Unix-domain sockets, pipes and shared memory have no such counts.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from harness.sockets import LISTEN, Connection, SocketDiagnosis


@dataclass(slots=True)
class _Counted:
    pid: int
    sent_bytes: int
    received_bytes: int


class Traffic:
    """Running accounts of TCP payload, ended connections and processes included.

    A lower bound: a connection that began and ended between two readings counts for the process
    that listens on its port, and for none at its other end.
    """

    def __init__(self) -> None:
        self._diagnosis = SocketDiagnosis.open()
        self._open: dict[int, _Counted] = {}
        self._ended: dict[int, tuple[int, int]] = {}
        self._strangers: set[int] = set()
        self._within_sight: dict[int, bool] = {}
        self._listeners: dict[int, int] = {}

    def close(self) -> None:
        """Stop listening for connections that end."""
        if self._diagnosis is not None:
            self._diagnosis.close()

    def read(self, alive: Iterable[int]) -> dict[int, tuple[int, int]] | None:
        """Process -> payload bytes sent and received so far; None if the kernel tells none.

        Args:
            alive: processes, parents before children: a connection that several hold is the
                first one's. One in another network namespace, as of a container, is left out.
        """
        if self._diagnosis is None:
            return None
        pids = self._seen(alive)
        # In this order: a connection whose end was heard of is not found alive again.
        for ended in self._diagnosis.ended():
            self._end(ended)
        living = self._diagnosis.living()
        self._find_owners(living, pids)
        for connection in living:
            counted = self._open.get(connection.cookie)
            if counted is not None:
                counted.sent_bytes = connection.sent_bytes
                counted.received_bytes = connection.received_bytes
        return self._totals(pids)

    def _seen(self, alive: Iterable[int]) -> list[int]:
        pids = list(alive)
        begun = [pid for pid in pids if pid not in self._within_sight]
        if begun:
            self._strangers.clear()  # one may be of a process that was not known yet
            own = _network("self")
            self._within_sight |= {pid: _network(pid) in (own, None) for pid in begun}
        return [pid for pid in pids if self._within_sight[pid]]

    def _find_owners(self, living: list[Connection], pids: list[int]) -> None:
        new = {
            connection.inode: connection
            for connection in living
            if connection.inode  # not yet accepted: nobody's so far
            and connection.cookie not in self._open
            and connection.cookie not in self._strangers
        }
        owners = dict(_owned(pids, new.keys())) if new else {}
        for inode, connection in new.items():
            pid = owners.get(inode)
            if pid is None:
                self._strangers.add(connection.cookie)
            else:
                self._open[connection.cookie] = _Counted(pid, 0, 0)
                if connection.state == LISTEN:
                    self._listeners[connection.port] = pid
        # Nothing is kept of what others opened and closed.
        self._strangers &= {connection.cookie for connection in living}

    def _end(self, connection: Connection) -> None:
        counted = self._open.pop(connection.cookie, None)
        if counted is None:  # or no owner was found, for it was being closed
            listener = self._listeners.get(connection.port)
            counted = None if listener is None else _Counted(listener, 0, 0)
        if counted is not None:
            sent, received = self._ended.get(counted.pid, (0, 0))
            self._ended[counted.pid] = (
                sent + max(counted.sent_bytes, connection.sent_bytes),
                received + max(counted.received_bytes, connection.received_bytes),
            )

    def _totals(self, pids: list[int]) -> dict[int, tuple[int, int]]:
        totals = dict.fromkeys(pids, (0, 0)) | self._ended
        for counted in self._open.values():
            sent, received = totals.get(counted.pid, (0, 0))
            totals[counted.pid] = (sent + counted.sent_bytes, received + counted.received_bytes)
        return totals


def _network(pid: int | str) -> str | None:
    """A process's network namespace; None if it is gone or not ours to see."""
    try:
        return os.readlink(f"/proc/{pid}/ns/net")  # noqa: PTH115 - cheaper, under load
    except OSError:
        return None


def _owned(pids: Iterable[int], inodes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Inode -> the first of the processes that holds it; processes not ours to see hold none."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for pid in pids:
        with suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - cheaper, under load
                with suppress(OSError):
                    held = os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115 - likewise
                    if held in wanted:
                        yield wanted.pop(held), pid
