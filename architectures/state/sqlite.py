"""The embedded store: one SQLite file that a deployment's processes open beside each other."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import local
from time import monotonic_ns

from architectures.backends import BackendError
from architectures.state.store import KEPT_VERSIONS, Published, SupersededError

BUSY_S = 5.0
"""Longest wait for another's write; theirs take well under a millisecond."""

# synchronous=OFF: a killed process loses nothing, because the kernel holds what it wrote. A
# power cut may lose the file, but the file goes with the deployment anyway, and a sync of the
# disk inside a request would be measured as if it belonged to the architecture.
_SET_UP = """
PRAGMA journal_mode=WAL;
CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS followed (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, newest INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS published (
    name TEXT NOT NULL, version INTEGER NOT NULL, blob BLOB NOT NULL, published_ns INTEGER NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE TABLE IF NOT EXISTS queued (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, item BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS queued_by_queue ON queued (queue, id);
"""

_PUT = "INSERT INTO kept VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_FOLLOW = """
INSERT INTO followed VALUES (?, 1, 1)
ON CONFLICT DO UPDATE SET newest = newest + 1, version = newest + 1 RETURNING version
"""
_READ = """
SELECT version, blob, published_ns FROM published WHERE name = :name AND version =
coalesce(:version, (SELECT version FROM followed WHERE name = :name))
"""
_COUNT = (
    "INSERT INTO counted VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"
)
_POP = """
DELETE FROM queued WHERE id IN (SELECT id FROM queued WHERE queue = ? ORDER BY id LIMIT ?)
RETURNING id, item
"""
_TRIM = """
DELETE FROM queued WHERE queue = :queue AND id <= (
    SELECT id FROM queued WHERE queue = :queue ORDER BY id DESC LIMIT 1 OFFSET :most
)
"""


class SqliteStore:
    """A :class:`architectures.state.store.Store` in a file.

    Args:
        path: of the file; made when it is first used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = local()
        # By process: what came through a fork may be neither used nor closed, nor collected.
        # No lock: one that another thread held during the fork would be held for ever.
        self._open: dict[int, list[sqlite3.Connection]] = {}

    def get(self, key: str) -> bytes | None:
        """A value, or None."""
        with self._reading() as connection:
            row = connection.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def put(self, key: str, value: bytes) -> None:
        """Set a value."""
        with self._writing() as connection:
            connection.execute(_PUT, (key, value))

    def update(self, key: str, change: Callable[[bytes | None], bytes]) -> bytes:
        """Read, change and write a value with nobody in between."""
        with self._writing() as connection:
            row = connection.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
            value = change(None if row is None else row[0])
            connection.execute(_PUT, (key, value))
        return value

    def publish(self, name: str, blob: bytes, onto: int | None = None) -> Published:
        """Make a blob the newest and the current version of a name."""
        with self._writing() as connection:
            if onto is not None and onto != _current(connection, name):
                raise SupersededError(name)
            (version,) = connection.execute(_FOLLOW, (name,)).fetchone()
            made = Published(version, blob, monotonic_ns())
            connection.execute(
                "INSERT INTO published VALUES (?, ?, ?, ?)",
                (name, version, blob, made.published_ns),
            )
            connection.execute(
                "DELETE FROM published WHERE name = ? AND version <= ?",
                (name, version - KEPT_VERSIONS),
            )
        return made

    def current_version(self, name: str) -> int:
        """Which version is current; 0 where nothing was published."""
        with self._reading() as connection:
            return _current(connection, name)

    def read(self, name: str, version: int | None = None) -> Published | None:
        """A version, by default the current one."""
        with self._reading() as connection:
            row = connection.execute(_READ, {"name": name, "version": version}).fetchone()
        return None if row is None else Published(*row)

    def make_current(self, name: str, version: int) -> Published:
        """Go back (or forth) to a version that was published."""
        now_ns = monotonic_ns()
        with self._writing() as connection:
            connection.execute(
                "UPDATE published SET published_ns = ? WHERE name = ? AND version = ?",
                (now_ns, name, version),
            )
            row = connection.execute(_READ, {"name": name, "version": version}).fetchone()
            if row is None:
                raise KeyError(version)
            connection.execute("UPDATE followed SET version = ? WHERE name = ?", (version, name))
        return Published(*row)

    def count(self, additions: Mapping[str, float]) -> None:
        """Add to counters, all at once."""
        with self._writing() as connection:
            connection.executemany(_COUNT, list(additions.items()))

    def counters(self, prefix: str) -> dict[str, float]:
        """Counters whose names begin so."""
        with self._reading() as connection:
            return dict(
                connection.execute(
                    "SELECT name, value FROM counted WHERE substr(name, 1, ?) = ?",
                    (len(prefix), prefix),
                )
            )

    def push(self, queue: str, items: Sequence[bytes], most: int) -> int:
        """Append to a queue, dropping its oldest beyond ``most``; returns its length."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT INTO queued (queue, item) VALUES (?, ?)", [(queue, item) for item in items]
            )
            connection.execute(_TRIM, {"queue": queue, "most": most})
            (length,) = connection.execute(
                "SELECT count(*) FROM queued WHERE queue = ?", (queue,)
            ).fetchone()
        return int(length)

    def pop(self, queue: str, count: int) -> list[bytes]:
        """Take up to so many of a queue's oldest items."""
        with self._writing() as connection:
            rows = connection.execute(_POP, (queue, count)).fetchall()
        return [item for _, item in sorted(rows)]

    def close(self) -> None:
        """Close this process's connections."""
        for connection in self._open.pop(os.getpid(), []):
            connection.close()
        self._mine = local()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection; what SQLite says against it is told in our words."""
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise BackendError(
                f"the state in {self._path} cannot be used ({error}); see that its folder is "
                "there, may be written to, and is not on a network"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the file's one write lock from its first statement."""
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        mine = self._mine
        if getattr(mine, "pid", None) == os.getpid():
            connection: sqlite3.Connection = mine.connection
            return connection
        pid = os.getpid()
        connection = _connect(self._path)
        self._open.setdefault(pid, []).append(connection)
        mine.pid, mine.connection = pid, connection
        return connection


def _current(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT version FROM followed WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else row[0]


def _connect(path: Path) -> sqlite3.Connection:
    """Open the file and see that it is set up, one process at a time.

    SQLite refuses at once, whatever its timeout, where two turn the same file to WAL.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous=OFF")
        with path.with_suffix(".lock").open("wb") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            connection.executescript(_SET_UP)
    except (OSError, sqlite3.Error) as error:
        connection.close()
        raise sqlite3.OperationalError(str(error)) from error
    return connection
