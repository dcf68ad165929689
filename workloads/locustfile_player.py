"""Playing one worker's part of a load plan, exactly and open loop.

One greenlet sends; each request has its own. Nothing ever re-anchors the schedule: a request that
could not leave in time is sent late, and its response time still runs from its intended start.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gevent
from geventhttpclient.response import HTTPParseError

from workloads.locustfile_client import Connections
from workloads.locustfile_timer import NS, new_timer
from workloads.recorder import Recorder
from workloads.sample import Outcome

_CONNECTIONS_AHEAD = 16
"""Opened before the first request, so that a server's processes share them from the start."""

_AHEAD_LIMIT_S = 0.1
_BURST = 32
"""Requests sent in one go when behind."""

_PROBE_NS = 50_000_000

Heard = Callable[[Outcome, int, int, int], None]
"""``(outcome, status, response_ns, response_bytes)`` of each ended request: the live view."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When the generator stops waiting.

    Attributes:
        in_flight: most requests unanswered at once; an arrival that meets it is dropped.
        timeout_s: for one whole answer, from its send: the SUT's deadline and some margin.
        drain_s: after the last intended start's phase, for what is still in flight.
    """

    in_flight: int
    timeout_s: float
    drain_s: float


class Player:
    """Plays requests at their intended starts and records what becomes of them.

    Args:
        requests: the bytes before and after the request id of each row, in row order.
        heard: told of each request as it ends, after its clock readings are taken.
    """

    def __init__(
        self,
        recorder: Recorder,
        requests: Sequence[tuple[bytes, bytes]],
        connections: Connections,
        limits: Limits,
        heard: Heard,
    ) -> None:
        self._recorder = recorder
        self._requests = requests
        self._connections = connections
        self._limits = limits
        self._heard = heard
        self._in_flight: set[gevent.Greenlet] = set()
        self.loop_lags_ns: list[int] = []

    def play(self, start_ns: int, duration_s: float) -> int:
        """Play to the end, then drain.

        Args:
            start_ns: the common start on ``time.perf_counter_ns``, still ahead.
            duration_s: from the common start to the end of the steady state.

        Returns:
            When the last request was answered or given up (ns, the same clock).
        """
        self._recorder.start_ns = start_ns
        with gevent.Timeout(_AHEAD_LIMIT_S, exception=False):
            self._connections.open(min(_CONNECTIONS_AHEAD, self._limits.in_flight))
        # A collection walks every object and stops the loop: what is alive now will stay so,
        # and what a trial leaves behind is small.
        gc.collect()
        gc.freeze()
        gc.disable()
        probe = gevent.spawn(self._probe)
        end_ns = start_ns + int(duration_s * NS)
        try:
            self._send_all(start_ns)
            self._drain(end_ns)
        finally:
            probe.kill(block=False)
            gevent.killall(list(self._in_flight), block=True)
            self._connections.close()
            gc.enable()
            gc.unfreeze()
        return time.perf_counter_ns()

    def _send_all(self, start_ns: int) -> None:
        timer = new_timer()
        late = 0
        try:
            for row, intended_ns in enumerate((self._recorder.offsets_ns + start_ns).tolist()):
                if intended_ns > time.perf_counter_ns():
                    timer.until(intended_ns)
                    late = 0
                else:
                    late += 1
                    if late % _BURST == 0:
                        gevent.sleep(0)  # behind: let answers be read, or none ever would be
                if len(self._in_flight) < self._limits.in_flight:
                    self._in_flight.add(gevent.spawn(self._request, row, intended_ns))
                else:
                    self._heard(Outcome.DROPPED, 0, 0, 0)
        finally:
            timer.close()

    def _drain(self, end_ns: int) -> None:
        timer = new_timer()
        timer.until(end_ns)
        timer.close()
        gevent.joinall(list(self._in_flight), timeout=self._limits.drain_s)

    def _request(self, row: int, intended_ns: int) -> None:
        head, tail = self._requests[row]
        request = head + b"%d" % self._recorder.indices[row] + tail
        patience = gevent.Timeout(self._limits.timeout_s)
        patience.start()
        status = size = 0
        self._recorder.sent(row, time.perf_counter_ns())
        try:
            response = self._connections.exchange(request)
            body = response.read()
            received_ns = time.perf_counter_ns()
            status, size = response.get_code(), len(body)
            timing = response.get("server-timing")
            joined = ", ".join(timing) if isinstance(timing, list) else timing
            outcome = self._recorder.answered(row, received_ns, status, body, joined)
        except gevent.Timeout:
            outcome = self._recorder.failed(row, Outcome.TIMED_OUT)
        except (OSError, HTTPParseError):
            outcome = self._recorder.failed(row, Outcome.CONNECTION_ERROR)
        finally:
            patience.close()
            self._in_flight.discard(gevent.getcurrent())
        self._heard(outcome, status, time.perf_counter_ns() - intended_ns, size)

    def _probe(self) -> None:
        """How late the loop answers a timer when nothing is asked of it: its own health."""
        timer = new_timer()
        try:
            while True:
                deadline_ns = time.perf_counter_ns() + _PROBE_NS
                timer.until(deadline_ns)
                self.loop_lags_ns.append(time.perf_counter_ns() - deadline_ns)
        finally:
            timer.close()
