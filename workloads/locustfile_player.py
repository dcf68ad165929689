"""Playing one worker's part of a load plan from the common start to the end of the drain."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter_ns

import gevent

from workloads.locustfile_exchanges import Exchanges, Heard
from workloads.locustfile_loops import Loop
from workloads.locustfile_timer import NS, new_alarm

_CONNECTIONS_AHEAD = 16
"""Opened before the first request, so that a server's processes share them from the start."""

_AHEAD_LIMIT_S = 0.1
_PROBE_NS = 50_000_000
_TELL_S = 0.2
_ROUNDS_A_COUNT = 2
_LATE_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When the generator stops waiting.

    Attributes:
        in_flight: most requests unanswered at once; an arrival that meets it is dropped.
        timeout_s: for one whole answer, from its send: the SUT's deadline and some margin.
        drain_s: after the last intended start's phase, for what is still in flight.
        slo_s: the response time beyond which a request counts as missed; None counts none.
    """

    in_flight: int
    timeout_s: float
    drain_s: float
    slo_s: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of a trial while it is played, a few times a second.

    Attributes:
        heard: of the requests that have ended since, for the live view.
        counts: of the steady state's requests so far: those ended, and those that missed.
        ran_out: of the closed loop's plan having too few requests, when after the common start
            that showed, and in words.
        health: of the generator itself: schedule lag (p99, ms), in flight, dropped; None where
            nobody watches.
    """

    heard: Callable[[list[Heard]], None]
    counts: Callable[[int, int], None]
    ran_out: Callable[[int, str], None]
    health: Callable[[float, int, int], None] | None = None


class Player:
    """Plays a loop's rows until its time is over, and reads how late the event loop is meanwhile.

    Attributes:
        end_ns: when the trial's time is over; earlier once it has been stopped.
        loop_lags_ns: how late the loop answered a timer when nothing was asked of it.
    """

    def __init__(self, exchanges: Exchanges, loop: Loop, limits: Limits, told: Told) -> None:
        self.end_ns = 0
        self.loop_lags_ns: list[int] = []
        self._start_ns = 0
        self._stopped_after_ns: int | None = None
        self._exchanges = exchanges
        self._loop = loop
        self._limits = limits
        self._told = told
        self._at_end = new_alarm(self._end_if_sent)
        self._probe = new_alarm(self._feel_the_pulse)
        self._probe_ns = 0
        self._rounds = 0

    def play(self, start_ns: int, end_ns: int) -> int:
        """Play to the end, then drain.

        Args:
            start_ns: the common start on ``time.perf_counter_ns``, still ahead.
            end_ns: when the steady state is over.

        Returns:
            When the last request was answered or given up (ns, the same clock).
        """
        with gevent.Timeout(_AHEAD_LIMIT_S, exception=False):
            self._exchanges.connections.open(min(_CONNECTIONS_AHEAD, self._limits.in_flight))
        telling = gevent.spawn(self._tell)
        with _uncollected():
            try:
                self._start_ns, self.end_ns = start_ns, end_ns
                self._probe_ns = start_ns
                self._probe.set(self._probe_ns)
                self._at_end.set(end_ns)
                self._loop.begin(start_ns)
                if self._stopped_after_ns is not None:
                    self.stop(self._stopped_after_ns)
                self._exchanges.over.get()
                self._drain()
            finally:
                telling.kill()
                for timed in (self._loop, self._at_end, self._probe):
                    timed.close()
                self._exchanges.abandon()
        drained_ns = perf_counter_ns()
        self._tell_once()
        return drained_ns

    def stop(self, after_ns: int) -> None:
        """End the trial's time already ``after_ns`` after the common start."""
        self._stopped_after_ns = after_ns
        if self._start_ns:
            self.end_ns = min(self.end_ns, self._start_ns + after_ns)
            self._loop.end(self.end_ns)
            self._at_end.set(self.end_ns)

    def _end_if_sent(self) -> None:
        """What is due was sent, but for a generator behind its schedule; it has until the drain."""
        now_ns = perf_counter_ns()
        if self._loop.end(self.end_ns) or now_ns > self.end_ns + self._limits.drain_s * NS:
            self._exchanges.over.set(None)
        else:
            self._at_end.set(now_ns + _LATE_NS)

    def _drain(self) -> None:
        remaining_ns = self.end_ns + self._limits.drain_s * NS - perf_counter_ns()
        if self._exchanges.in_flight:
            self._exchanges.emptied.wait(max(remaining_ns / NS, 0.0))

    def _feel_the_pulse(self) -> None:
        now_ns = perf_counter_ns()
        self.loop_lags_ns.append(now_ns - self._probe_ns)
        self._probe_ns = now_ns + _PROBE_NS
        self._probe.set(self._probe_ns)
        self._exchanges.give_up_the_late()

    def _tell(self) -> None:
        while True:
            gevent.sleep(_TELL_S)
            self._tell_once()

    def _tell_once(self) -> None:
        heard, self._exchanges.heard = self._exchanges.heard, []
        self._told.heard(heard)
        if self._rounds % _ROUNDS_A_COUNT == 0:
            self._told.counts(*self._exchanges.counts())
            if self._told.health is not None:
                self._told.health(*self._exchanges.health())
        self._rounds += 1


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave garbage: a collection stops the loop, and what a trial leaves behind is small."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
