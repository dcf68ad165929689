"""What the page shows beside Locust's own figures, written once a second in a thread of its own."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.live.tabs import Used
from harness.usage import Usage
from workloads.panels import Panel, write_panels

PERIOD_S = 1.0
_READINGS = 11
"""Two seconds of them: enough for a rate of CPU time that does not jump."""


class Board:
    """Writes the panels anew each second, until it is left. It only looks at what was read.

    Args:
        path: the panels' file.
        panels: as they stand now; asked from this thread.
    """

    def __init__(self, path: Path, panels: Callable[[], tuple[Panel, ...]]) -> None:
        self._path = path
        self._panels = panels
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        write_panels(path, panels())  # before the page asks which tabs there are

    def __enter__(self) -> Self:
        """Begin writing."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop writing."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            with suppress(OSError):  # the deployment's folder may be going
                write_panels(self._path, self._panels())


class Lately:
    """What each component used of late, and its memory as last read: that is read more seldom."""

    def __init__(self) -> None:
        self._pss_bytes: dict[str, int] = {}

    def of(self, usage: Usage) -> tuple[Used, ...]:
        """Each component that has a process, in the order in which they were first seen."""
        rows: dict[str, list[Mapping[str, Any]]] = {}
        for row in usage.tail(_READINGS):
            rows.setdefault(str(row["component"]), []).append(row)
        return tuple(self._one(name, found) for name, found in rows.items() if _lives(found))

    def _one(self, name: str, rows: list[Mapping[str, Any]]) -> Used:
        sizes = [row["pss_bytes"] for row in rows if row.get("pss_bytes") is not None]
        if sizes:
            self._pss_bytes[name] = int(sizes[-1])
        return Used(name, int(rows[-1]["processes"]), _cores(rows), self._pss_bytes.get(name))


def _lives(rows: Sequence[Mapping[str, Any]]) -> bool:
    return int(rows[-1]["processes"]) > 0


def _cores(rows: Sequence[Mapping[str, Any]]) -> float | None:
    first, last = rows[0], rows[-1]
    spent_s = (int(last["t_ns"]) - int(first["t_ns"])) / 1e9
    return (last["cpu_s"] - first["cpu_s"]) / spent_s if spent_s > 0 else None
