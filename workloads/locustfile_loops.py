"""When rows are sent: at their intended starts, or each client's after its last has ended.

Nothing ever re-anchors a schedule: a request that could not leave in time is sent late, and its
response time still runs from its intended start.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from time import perf_counter_ns
from typing import Protocol

import numpy as np
import numpy.typing as npt

from workloads.locustfile_exchanges import Exchanges
from workloads.locustfile_timer import new_alarm
from workloads.recorder import Recorder
from workloads.sample import Outcome

_BURST = 32
"""Requests sent in one go when behind: then answers are read, or none ever would be."""

_BROKEN_PAUSE_NS = 100_000_000
"""A client's least pause after its connection failed: a dead server must not eat up the plan."""


class Loop(Protocol):
    """Sends a worker's rows from the common start on."""

    def begin(self, start_ns: int) -> None:
        """Start sending; ``start_ns`` is still ahead."""
        ...

    def end(self, end_ns: int) -> bool:
        """Send nothing that is not due before ``end_ns``; whether all that is has been sent."""
        ...

    def close(self) -> None:
        """Send nothing more."""
        ...


class OpenLoop:
    """Sends rows at their intended starts, whatever becomes of them.

    Args:
        offsets_ns: ``int64[rows]``, ascending: intended starts after the common start.
        in_flight: most requests unanswered at once; an arrival that meets it is dropped.
    """

    def __init__(
        self,
        recorder: Recorder,
        exchanges: Exchanges,
        offsets_ns: npt.NDArray[np.int64],
        in_flight: int,
    ) -> None:
        self._recorder = recorder
        self._exchanges = exchanges
        self._offsets_ns = offsets_ns
        self._most_in_flight = in_flight
        self._next = 0
        self._rows = len(offsets_ns)
        self._alarm = new_alarm(self._send_due)

    def begin(self, start_ns: int) -> None:
        """Every intended start is known now."""
        self._recorder.intended_ns[:] = self._offsets_ns + start_ns
        if self._rows:
            self._alarm.set(self._recorder.intended[0])

    def end(self, end_ns: int) -> bool:
        """Leave out rows from ``end_ns`` on; rows due before are sent, however late."""
        self._rows = min(self._rows, int(np.searchsorted(self._recorder.intended_ns, end_ns)))
        return self._next >= self._rows

    def close(self) -> None:
        """Give the alarm back."""
        self._alarm.close()

    def _send_due(self) -> None:
        try:
            self._send_burst()
        except Exception as error:  # noqa: BLE001 - the event loop would print it and go on
            self._exchanges.over.set_exception(error)

    def _send_burst(self) -> None:
        intended, exchanges = self._recorder.intended, self._exchanges
        for row in range(self._next, min(self._rows, self._next + _BURST)):
            if intended[row] > perf_counter_ns():
                break
            self._next = row + 1
            if exchanges.in_flight < self._most_in_flight:
                exchanges.send(row)
            else:
                exchanges.drop(row)
        if self._next < self._rows:
            self._alarm.set(intended[self._next])


class ClosedLoop:
    """Clients that each have one request at a time, and pause before it.

    Row ``r`` is of client ``r % clients``. Its intended start is when its pause has ended.

    Args:
        pauses_ns: ``int64[rows]``: before each request.
        clients: of this worker.
        ran_out: called once when a client has no row left although its time is not over.
    """

    def __init__(
        self,
        recorder: Recorder,
        exchanges: Exchanges,
        pauses_ns: npt.NDArray[np.int64],
        clients: int,
        ran_out: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._exchanges = exchanges
        self._pauses_ns = pauses_ns.data
        self._clients = clients
        self._ran_out = ran_out
        self._is_short = False
        self._end_ns: int | None = None
        self._waiting: list[tuple[int, int]] = []
        self._alarm = new_alarm(self._send_due)
        exchanges.ended = self._row_ended

    def begin(self, start_ns: int) -> None:
        """Every client's first pause runs from the common start."""
        for row in range(min(self._clients, len(self._pauses_ns))):
            self._wait(row, start_ns + self._pauses_ns[row])

    def end(self, end_ns: int) -> bool:
        """Let no pause end in a request from ``end_ns`` on."""
        self._end_ns = end_ns
        return not self._waiting or self._waiting[0][0] >= end_ns

    def close(self) -> None:
        """Give the alarm back."""
        self._exchanges.ended = None
        self._alarm.close()

    def _row_ended(self, row: int, ended_ns: int) -> None:
        following = row + self._clients
        broken = self._recorder.outcome[row] == Outcome.CONNECTION_ERROR
        if following < len(self._pauses_ns):
            pause_ns = max(self._pauses_ns[following], _BROKEN_PAUSE_NS if broken else 0)
            self._wait(following, ended_ns + pause_ns)
        elif not self._is_short:
            self._is_short = True
            self._ran_out()

    def _wait(self, row: int, due_ns: int) -> None:
        if not self._waiting or due_ns < self._waiting[0][0]:
            self._alarm.set(due_ns)
        heappush(self._waiting, (due_ns, row))

    def _send_due(self) -> None:
        try:
            self._send_burst()
        except Exception as error:  # noqa: BLE001 - the event loop would print it and go on
            self._exchanges.over.set_exception(error)

    def _send_burst(self) -> None:
        for _ in range(_BURST):
            if not self._waiting or self._waiting[0][0] > perf_counter_ns():
                break
            due_ns, row = heappop(self._waiting)
            if self._end_ns is None or due_ns < self._end_ns:
                self._recorder.intended[row] = due_ns
                self._exchanges.send(row)
        if self._waiting:
            self._alarm.set(self._waiting[0][0])
