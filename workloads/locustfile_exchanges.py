"""The requests of a worker that are unanswered, and what becomes of each.

All of it happens in calls from the event loop, not in greenlets: only opening a connection waits.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter_ns

import gevent
import numpy as np
import numpy.typing as npt
from gevent.event import AsyncResult, Event

from workloads.http_answer import Answer
from workloads.locustfile_client import Connection, Connections
from workloads.recorder import Recorder
from workloads.sample import Outcome
from workloads.tally import Tally

_RECENT_NS = 5_000_000_000

Heard = tuple[int, Outcome, int, int, int]
"""``(kind, outcome, status, response_ns, response_bytes)`` of an ended request: the live view."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What each row sends.

    Attributes:
        kinds: ``int8[rows]``: which graph each asks for, for the live view.
        which: ``int32[rows]``: its entry in ``encoded``.
        encoded: the bytes before the request id, and those after.
    """

    kinds: npt.NDArray[np.int8]
    which: npt.NDArray[np.int32]
    encoded: Sequence[tuple[bytes, bytes]]


class Exchanges:
    """Sends rows and records how they end.

    Args:
        url: the server.
        requests: what each row sends.
        timeout_s: patience with one whole answer, from its send.
        closed: whether response times run from the send: a closed loop has no schedule.

    Attributes:
        connections: to the server.
        heard: ended requests, for the live view; whoever shows them takes them away.
        ended: called with each row that has ended and the clock reading; set by a closed loop.
        dropped: arrivals that met the in-flight cap.
        emptied: set whenever the last unanswered request has ended.
        over: to be awaited by who plays; it holds the error of a call from the event loop.
    """

    def __init__(
        self, url: str, recorder: Recorder, requests: Requests, timeout_s: float, *, closed: bool
    ) -> None:
        self.connections = Connections(url, self._answered)
        self.heard: list[Heard] = []
        self.ended: Callable[[int, int], None] | None = None
        self.dropped = 0
        self.emptied = Event()
        self.over = AsyncResult()
        self.tally = Tally(0, None)
        self._recorder = recorder
        self._kinds = requests.kinds.data
        self._which = requests.which.data
        self._encoded = requests.encoded
        self._timeout_ns = int(timeout_s * 1e9)
        self._since = recorder.sent_at if closed else recorder.intended
        self._open: dict[int, Connection | None] = {}
        self._opening: dict[int, gevent.Greenlet] = {}
        self._patience: deque[tuple[int, int]] = deque()

    @property
    def in_flight(self) -> int:
        """How many are unanswered."""
        return len(self._open)

    def send(self, row: int) -> None:
        """Send a row's request; its intended start is known."""
        self.emptied.clear()
        self._open[row] = None
        # Read before a connection is taken: a server slow to accept is not a late generator.
        sent_ns = perf_counter_ns()
        self._recorder.sent(row, sent_ns)
        self._patience.append((sent_ns + self._timeout_ns, row))
        connection = self.connections.take()
        if connection is None:
            self._opening[row] = gevent.spawn(self._open_and_send, row)
        else:
            self._send_over(connection, row)

    def drop(self, row: int) -> None:
        """A row whose arrival met the in-flight cap: it is never sent."""
        self.dropped += 1
        self._count(row, Outcome.DROPPED, 0, 0, 0)

    def give_up_the_late(self) -> None:
        """End what has been unanswered for too long; call it often."""
        now_ns = perf_counter_ns()
        while self._patience and self._patience[0][0] <= now_ns:
            _, row = self._patience.popleft()
            if row in self._open:
                self._end_without_answer(row, Outcome.TIMED_OUT)

    def counts(self) -> tuple[int, int]:
        """Of the steady state so far: requests ended, and those that miss the objective."""
        now_ns, since, intended = perf_counter_ns(), self._since, self._recorder.intended
        overdue = sum(
            self.tally.is_overdue(intended[row], now_ns - since[row]) for row in self._open
        )
        return self.tally.ended, self.tally.missed + overdue

    def health(self) -> tuple[float, int, int]:
        """Of an open loop so far: schedule lag (p99 of the last seconds, ms), in flight, dropped.

        Intended starts are in order, so that only the last ones are looked at. The lag is NaN
        where none of them was sent.
        """
        intended_ns, now_ns = self._recorder.intended_ns, perf_counter_ns()
        first, last = np.searchsorted(intended_ns, (now_ns - _RECENT_NS, now_ns))
        sent_ns = self._recorder.sent_ns[first:last]
        lags_ns = (sent_ns - intended_ns[first:last])[sent_ns > 0]
        lag_ms = float(np.percentile(lags_ns, 99)) / 1e6 if len(lags_ns) else float("nan")
        return lag_ms, self.in_flight, self.dropped

    def abandon(self) -> None:
        """Close every connection; what is still unanswered stays censored."""
        gevent.killall(list(self._opening.values()), block=True)
        for connection in self._open.values():
            if connection is not None:
                connection.close()
        self._open.clear()
        self.connections.close()

    def _open_and_send(self, row: int) -> None:
        try:
            connection = self.connections.connect()
        except OSError:
            if row in self._open:
                self._end_without_answer(row, Outcome.CONNECTION_ERROR)
            return
        finally:
            self._opening.pop(row, None)
        self._send_over(connection, row)

    def _send_over(self, connection: Connection, row: int) -> None:
        head, tail = self._encoded[self._which[row]]
        self._open[row] = connection
        try:
            connection.send(row, b"%s%d\r\n\r\n" % (head, self._recorder.index_of[row]), tail)
        except OSError:
            self._end_without_answer(row, Outcome.CONNECTION_ERROR)

    def _answered(self, connection: Connection, answer: Answer | None) -> None:
        received_ns = perf_counter_ns()
        row = connection.row
        try:
            if answer is None:
                self._end_without_answer(row, Outcome.CONNECTION_ERROR)
            elif received_ns - self._recorder.sent_at[row] > self._timeout_ns:
                self._end_without_answer(row, Outcome.TIMED_OUT)
            else:
                self._end(row, connection, answer, received_ns)
        except Exception as error:  # noqa: BLE001 - the event loop would print it and go on
            self.over.set_exception(error)

    def _end(self, row: int, connection: Connection, answer: Answer, received_ns: int) -> None:
        del self._open[row]
        if answer.reusable:
            self.connections.keep(connection)
        else:
            connection.close()
        status, body, timing, _ = answer
        outcome = self._recorder.answered(row, received_ns, status, body, timing)
        self._count(row, outcome, received_ns, status, len(body))

    def _end_without_answer(self, row: int, outcome: Outcome) -> None:
        connection = self._open.pop(row)
        if connection is not None:
            connection.close()
        opening = self._opening.pop(row, None)
        if opening is not None:
            opening.kill(block=False)
        self._recorder.failed(row, outcome)
        self._count(row, outcome, perf_counter_ns(), 0, 0)

    def _count(self, row: int, outcome: Outcome, now_ns: int, status: int, size: int) -> None:
        response_ns = now_ns - self._since[row]
        good = outcome is Outcome.OK
        self.tally.count(self._recorder.intended[row], response_ns, good=good)
        self.heard.append((self._kinds[row], outcome, status, response_ns, size))
        if self.ended is not None:
            self.ended(row, now_ns)
        if not self._open:
            self.emptied.set()
