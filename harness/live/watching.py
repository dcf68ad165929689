"""Usage read all the time: what is read between attempts is thrown away, what one used is kept."""

from contextlib import ExitStack
from time import monotonic_ns
from types import TracebackType
from typing import Self

from harness.usage import Target, Usage, watch

IDLE_S = 5.0
"""An attempt keeps at most so much of what was read before it: the idle draw, and no more."""


class Watching:
    """Readings that never stop, in parts. A context manager: leaving it ends them.

    Args:
        targets: whose processes are read.

    Attributes:
        usage: the part that grows now.
    """

    def __init__(self, targets: tuple[Target, ...]) -> None:
        self._targets = targets
        self._open = ExitStack()
        self._begin()

    def _begin(self) -> None:
        self._begun_ns = monotonic_ns()
        self.usage: Usage = self._open.enter_context(watch(self._targets))

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._open.close()

    def forget(self) -> None:
        """Told often while nothing is played: begins anew once there is enough."""
        if monotonic_ns() - self._begun_ns > IDLE_S * 1e9:
            self.part()

    def part(self) -> Usage:
        """The readings since this part began, whole; the next part begins.

        Raises:
            Exception: whatever reading raised.
        """
        ended = self.usage
        self._open.close()
        self._begin()
        return ended
