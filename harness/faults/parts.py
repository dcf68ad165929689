"""A SUT's stateful parts as faults are made of them: by URL behind a proxy, or a file of SQLite."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from harness.faults.between import Between, FaultError
from harness.faults.lock import held
from harness.faults.proxy import Faults


class Part(Protocol):
    """A part that can be disturbed."""

    def disturb(self, faults: Mapping[str, Any], directory: Path) -> Mapping[str, Any]:
        """Have it suffer these from now on; what is in force then.

        Args:
            faults: in words that ``harness.faults.meant`` knows for such a part.
            directory: the deployment's folder.

        Raises:
            FaultError: they cannot be made.
        """
        ...

    def calm(self) -> Mapping[str, Any]:
        """End every fault; what is in force then.

        Raises:
            FaultError: that cannot be done.
        """
        ...


class ByUrl:
    """A part that the SUT reaches by way of a proxy.

    Args:
        proxy: runs as long as this does.
    """

    def __init__(self, proxy: Between) -> None:
        self._proxy = proxy

    def disturb(self, faults: Mapping[str, Any], directory: Path) -> Mapping[str, Any]:  # noqa: ARG002 - a protocol's
        """Change those faults that are named."""
        return self._proxy.tell(**faults)

    def calm(self) -> Mapping[str, Any]:
        """Pass everything on, at once."""
        return self._proxy.tell(**Faults().model_dump())


class EmbeddedFile:
    """A part that is an SQLite file in the deployment's folder.

    The lock is held by this process: it begins at once, and ends with us at the latest.

    Args:
        name: of the file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = ExitStack()
        self._locked = False

    def disturb(self, faults: Mapping[str, Any], directory: Path) -> Mapping[str, Any]:
        """Take the file's lock, or let it go."""
        if not faults["lock"]:
            return self.calm()
        if not self._locked:
            try:
                self._lock.enter_context(held(directory / self._name))
            except sqlite3.OperationalError as error:
                raise FaultError(
                    f"{self._name} in the deployment's folder cannot be locked ({error}); "
                    "is it where the ensemble keeps this part, and was it asked for by then?"
                ) from error
            self._locked = True
        return {"lock": True}

    def calm(self) -> Mapping[str, Any]:
        """Let the lock go, if it is held."""
        self._locked = False
        self._lock.close()
        return {"lock": False}


@contextmanager
def embedded_file(name: str) -> Iterator[EmbeddedFile]:
    """An embedded part; what is locked when the block ends is let go."""
    part = EmbeddedFile(name)
    try:
        yield part
    finally:
        part.calm()
