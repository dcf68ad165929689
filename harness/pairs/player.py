"""One side's run, which plays its next block when it is told to, in a process of its own."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.pairs.sides import Side

_END_LIMIT_S = 60.0
"""A deployment that is ending may take so long; then it is left to its keeper."""

_LOG_LINES = 12
_TOO_OLD = "No such option: --"


class PlayerError(Exception):
    """A side's run ended by itself; the message says what it said."""


class Player:
    """A side's program, prepared and waiting. A context manager: leaving it ends the run in order.

    It plays nothing and deploys nothing until it is told to. If this process dies, it ends with the
    block it is playing, for then nobody can ask for another.

    Args:
        side: what is played.
        scenario: the side's scenario as written for this comparison.
        out: where its run's folder is made.
        log: for what it says beside the protocol.

    Attributes:
        run: its run's folder; known once :meth:`prepare` has returned.
    """

    def __init__(self, side: Side, scenario: Path, out: Path, log: Path) -> None:
        self.run = out
        self._side = side
        self._log = log
        out.mkdir(parents=True, exist_ok=True)
        words = ("run", str(scenario.resolve()), "--out", str(out.resolve()))
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [side.interpreter, "-m", "harness", *words, "--on-request", "--no-ceiling"],
                cwd=side.folder,
                env={**os.environ, **side.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # A Ctrl-C is for us, and we end it in order.
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        """Itself, preparing."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it: at once where something failed, else as soon as it has nothing left to do."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        if kind is not None:
            self._process.terminate()
        try:
            self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def prepare(self) -> Path:
        """Wait until payloads, references and plans are there; returns the run's folder.

        Raises:
            PlayerError: it ended.
        """
        self.run = Path(self._said("ready"))
        return self.run

    def play(self) -> int:
        """Play the next block, deployed afresh; returns its number once it is on disk.

        Raises:
            PlayerError: it ended.
        """
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        with suppress(OSError):  # what it said before it died is read below
            self._process.stdin.write("next\n")
            self._process.stdin.flush()
        return int(self._said("played"))

    def _said(self, word: str) -> str:
        """The rest of its next line, which begins with ``word``."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        line = self._process.stdout.readline()
        said, _, rest = line.strip().partition(" ")
        if said != word:
            raise PlayerError(self._in_words())
        return rest

    def _in_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_LIMIT_S)
        record = self._side.record
        text = self._log.read_text(errors="replace")
        if _TOO_OLD in text:
            return (
                f"the {record.name}, {record.label}, is older than the gate: its harness cannot "
                "play blocks on request; compare with a newer revision"
            )
        lines = "\n".join(f"  {line}" for line in text.splitlines()[-_LOG_LINES:])
        return f"the {record.name}, {record.label}, ended by itself:\n{lines or '  (silently)'}"
