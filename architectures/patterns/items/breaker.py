"""A circuit breaker as a pure state machine: no clock, no I/O, no waiting of its own.

After M. Nygard, "Release It!": closed counts failures, open refuses at once, half-open lets a few
calls through to see. The libraries we found wrap calls and read the clock themselves, and none
frees a probe whose caller was cancelled; this one is told what happened and when.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When a breaker opens and closes.

    Attributes:
        window: how many of the latest outcomes are looked at.
        least: fewer outcomes than this never open it.
        failing: share of failures among them that opens it.
        open_s: how long it stays open before it probes.
        probes: calls let through to see, and successes that close it.
    """

    window: int = 20
    least: int = 8
    failing: float = 0.5
    open_s: float = 2.0
    probes: int = 2


class Breaker:
    """One breaker, for callers on one thread. Times are nanoseconds of one clock."""

    def __init__(self, limits: BreakerLimits) -> None:
        self.state = State.CLOSED
        self._limits = limits
        self._outcomes: deque[bool] = deque(maxlen=limits.window)
        self._opened_ns = 0
        self._probing = 0
        self._seen_well = 0
        self._generation = 0

    def admit(self, now_ns: int) -> int | None:
        """A ticket for one call, to be settled or dropped; None refuses the call."""
        if self.state is State.OPEN and now_ns - self._opened_ns >= self._limits.open_s * 1e9:
            self._enter(State.HALF_OPEN)
        if self.state is State.CLOSED:
            return self._generation
        if self.state is State.OPEN or self._probing + self._seen_well >= self._limits.probes:
            return None
        self._probing += 1
        return self._generation

    def settle(self, ticket: int, now_ns: int, *, ok: bool) -> None:
        """Say how an admitted call ended; one admitted in an earlier state no longer counts."""
        if ticket != self._generation:
            return
        if self.state is State.CLOSED:
            self._outcomes.append(ok)
            if self._fails_too_often():
                self._open(now_ns)
        elif not ok:
            self._open(now_ns)
        else:
            self._probing -= 1
            self._seen_well += 1
            if self._seen_well >= self._limits.probes:
                self._enter(State.CLOSED)

    def drop(self, ticket: int) -> None:
        """Say that an admitted call ended without telling anything: its caller left."""
        if ticket == self._generation and self.state is State.HALF_OPEN:
            self._probing -= 1

    def _fails_too_often(self) -> bool:
        count = len(self._outcomes)
        failed = count - sum(self._outcomes)
        return count >= self._limits.least and failed >= self._limits.failing * count

    def _open(self, now_ns: int) -> None:
        self._opened_ns = now_ns
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.state = state
        self._generation += 1
        self._outcomes.clear()
        self._probing = self._seen_well = 0
