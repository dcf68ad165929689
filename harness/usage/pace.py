"""How often a dear figure is read: as seldom as keeps its cost within a share of a core."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic_ns, thread_time_ns

LEAST_PERIOD_S = 1.0


class Pace:
    """When a figure is due again.

    Args:
        share: of a core that reading it may cost on average.
        period_s: the least time from one reading to the next.
    """

    def __init__(self, share: float, period_s: float = LEAST_PERIOD_S) -> None:
        self._share = share
        self._period_s = period_s
        self._next_ns = 0

    def due(self) -> bool:
        """Whether it may be read now."""
        return monotonic_ns() >= self._next_ns

    @contextmanager
    def paid(self) -> Iterator[None]:
        """Around a reading: what it costs puts the next one off."""
        started_ns = thread_time_ns()
        yield
        wait_ns = max(self._period_s * 1e9, (thread_time_ns() - started_ns) / self._share)
        self._next_ns = monotonic_ns() + int(wait_ns)
