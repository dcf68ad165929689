"""One process at a time plays a run, and holds a little room on its disk for the last records."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.disk import reserve


class HeldError(Exception):
    """Another process is playing this run."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a run by a lock on a file of it; the kernel lets go of it however we end.

    Raises:
        HeldError: another process holds it.
        OSError: there is not even room for the reserve (``harness.disk``).
    """
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HeldError(
                f"{path.parent} is being played by another process; wait for it to end, or end it"
            ) from error
        reserve(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
