"""A lock on a file, which the kernel lets go of however its holder ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[int]:
    """Hold ``path``, made if it is not there; yields its descriptor.

    A process that inherits the descriptor holds it too.

    Raises:
        BlockingIOError: another holds it, and ``wait`` is false.
    """
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield file.fileno()
