"""Counting a trial's steady state while it is played, for whoever may end it early."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """One worker's requests of the steady state so far.

    Attributes:
        steady_ns: the steady state's start; requests intended before it are not counted.
        slo_ns: the response time beyond which a request counts as missed; None counts none.
        ended: requests that have ended, in whatever way.
        missed: those of them that ended later than that, or without a good answer.
    """

    steady_ns: int
    slo_ns: int | None
    ended: int = 0
    missed: int = 0

    def count(self, intended_ns: int, response_ns: int, *, good: bool) -> None:
        """Count a request that has ended; without an answer its response time is no matter."""
        if intended_ns < self.steady_ns:
            return
        self.ended += 1
        if self.slo_ns is not None and (not good or response_ns > self.slo_ns):
            self.missed += 1

    def is_overdue(self, intended_ns: int, response_ns: int) -> bool:
        """Whether a request unanswered for so long is missed already."""
        late = self.slo_ns is not None and response_ns > self.slo_ns
        return late and intended_ns >= self.steady_ns
