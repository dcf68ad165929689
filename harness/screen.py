"""What a person sees while a run goes on: what is running, how far, and how long still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_REDRAWN_PER_S = 1
"""Drawing takes time from the core that the load generator runs on."""

_PACE_AFTER = 0.05


class Screen:
    """One progress bar in expected seconds. Without a terminal only :meth:`say` is seen.

    Args:
        console: where to draw.
        expected_s: of everything that will be announced with :meth:`begin`.
    """

    def __init__(self, console: Console, expected_s: float) -> None:
        self._console = console
        self._expected_s = expected_s
        self._done_s = 0.0
        self._part_s = 0.0
        self._started_ns = monotonic_ns()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            refresh_per_second=_REDRAWN_PER_S,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=expected_s, left="")

    @contextmanager
    def drawn(self) -> Iterator[Self]:
        """Draw until the block ends."""
        with self._bar:
            yield self

    def begin(self, title: str, expected_s: float) -> Callable[[str, float], None]:
        """Announce the next part; the one before it is then over.

        Returns:
            To be told what of the part is being done, and which share of it is behind us.
        """
        self._done_s += self._part_s
        self._part_s = expected_s
        self._draw(title, 0.0)
        return lambda doing, share: self._draw(f"{title}: {doing}", share)

    def _draw(self, description: str, share: float) -> None:
        done_s = min(self._done_s + share * self._part_s, self._expected_s)
        pace = 1.0
        if done_s > _PACE_AFTER * self._expected_s:
            pace = (monotonic_ns() - self._started_ns) / 1e9 / done_s
        left_s = (self._expected_s - done_s) * pace
        left = f"about {int(left_s // 60)}:{int(left_s % 60):02} left"
        self._bar.update(self._task, description=description, completed=done_s, left=left)

    def say(self, line: str) -> None:
        """One line that stays."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def show(self, table: Table) -> None:
        """A table that stays."""
        self._console.print(table)
