"""Holding an SQLite file's lock: what a long write, a backup or a stuck process does to others."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, wait_s: float = 5.0) -> Iterator[None]:
    """Hold the lock until the block ends: nobody else writes; in WAL mode others still read.

    Args:
        path: of the file, which must be there.
        wait_s: how long to wait for the lock.

    Raises:
        sqlite3.OperationalError: there is no such file, or others kept it locked.
    """
    connection = sqlite3.connect(
        f"file:{path}?mode=rw",
        wait_s,
        uri=True,
        isolation_level=None,
        check_same_thread=False,  # one thread may take the lock and another let it go
    )
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()  # which rolls back
