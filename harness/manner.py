"""How a run is played: all at once, or a block whenever somebody asks for the next."""

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


class Pace:
    """Every block as soon as the one before it has ended."""

    def ready(self, directory: Path) -> None:
        """Told once: everything is prepared, nothing is played yet."""

    def wanted(self, block: int) -> bool:  # noqa: ARG002 - for those who choose
        """Whether this block is to be played; where it is not, the run ends before it."""
        return True

    def played(self, block: int) -> None:
        """Told when a block has ended, and is on disk."""


class OnRequest(Pace):
    """A block for each line that comes in; the end of the lines ends the run.

    It says ``ready FOLDER`` once, and ``played N`` when block N is on disk. Whoever asks may wait
    as long as it likes in between: nothing is deployed then, and nothing uses the processor.

    Args:
        lines: where requests come from.
        answers: where it says so.
    """

    def __init__(self, lines: TextIO, answers: TextIO) -> None:
        self._lines = lines
        self._answers = answers

    def ready(self, directory: Path) -> None:
        """Say where the run lies."""
        self._say(f"ready {directory}")

    def wanted(self, block: int) -> bool:  # noqa: ARG002 - they come in order
        """Wait for the next line."""
        return bool(self._lines.readline())

    def played(self, block: int) -> None:
        """Say which."""
        self._say(f"played {block}")

    def _say(self, line: str) -> None:
        self._answers.write(line + "\n")
        self._answers.flush()


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run is played.

    Attributes:
        ceiling: whether the ensemble is measured in-process too, before and in every block.
    """

    pace: Pace
    ceiling: bool = True


AT_ONCE = Manner(Pace())
