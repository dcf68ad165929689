"""The relational database of one process: its pool, its time limits, its set-up."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import URL, event, exc, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from architectures import backends
from architectures.backends import BackendError
from architectures.patterns.items.availability import Availability
from architectures.patterns.items.migrating import bring_up_to_date
from architectures.patterns.items.settings import Part
from architectures.patterns.items.single_flight import SingleFlight

_T = TypeVar("_T")

FILE = "items.sqlite"
_SET_UP_S = 30.0
"""For migrations, which may wait for another process's."""

_OURS = (exc.ProgrammingError, exc.IntegrityError, exc.DataError)
"""Mistakes of this code, not of the database: they stay errors."""


class _AbandonedError(Exception):
    """Work was done too late."""


class Database:
    """Runs pieces of work, each in a transaction; connects when the first one comes.

    Args:
        part: where it is, and its limits.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self._engine: AsyncEngine | None = None
        self._set_up = SingleFlight(self._bring_up)
        self._availability = Availability("the database")
        self._running: set[asyncio.Task[Any]] = set()
        self._abandoned: set[asyncio.Task[Any]] = set()

    async def run(
        self, work: Callable[[AsyncConnection], Awaitable[_T]], *, repeatable: bool = False
    ) -> _T:
        """Do some work in one transaction.

        Args:
            work: what to do on the connection; what it raises rolls the transaction back.
            repeatable: it may be done again where a connection of the pool turns out to be dead,
                as all are once a database was away.

        Raises:
            UnavailableError: no connection or no answer in time.
        """
        try:
            await self._set_up()
            try:
                done = await self._limited(work)
            except exc.DBAPIError as error:
                if not (repeatable and error.connection_invalidated):
                    raise
                done = await self._limited(work)
        except _OURS:
            raise
        # asyncpg's own errors come through where there is no connection yet to wrap them.
        except (exc.DBAPIError, exc.TimeoutError, OSError, TimeoutError) as error:
            raise self._availability.lost(error) from None
        except Exception as error:
            if type(error).__module__.startswith("asyncpg."):
                raise self._availability.lost(error) from None
            raise
        self._availability.back()
        return done

    async def _limited(self, work: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        """Wait as long as may be, and no longer for the clearing up after."""
        task = asyncio.create_task(self._transact(work))
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            finished, _ = await asyncio.wait({task}, timeout=self._part.timeout_s)
        finally:
            if not task.done():
                self._abandon(task)
        if not finished:
            raise TimeoutError
        return task.result()

    def _abandon(self, task: "asyncio.Task[Any]") -> None:
        """Nobody waits for it any more.

        A server may never answer, so that work is cancelled; its driver then says good-bye, which
        takes two seconds where nobody listens. Work on a file ends by itself, and must: a statement
        that runs in the driver's thread when it is cancelled keeps the file's lock ever after.
        """
        self._abandoned.add(task)
        if self._part.url is not None:
            task.cancel()

    async def _transact(self, work: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        async with self._opened().begin() as connection:
            done = await work(connection)
            if asyncio.current_task() in self._abandoned:
                raise _AbandonedError  # rolls back: its request was told that nothing was written
            return done

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not log one nobody waited for

    async def _bring_up(self) -> None:
        async with asyncio.timeout(_SET_UP_S):
            await bring_up_to_date(self._opened())

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = _engine(self._part)
        return self._engine

    async def close(self) -> None:
        """Give every connection back; the next work would connect again."""
        await self._set_up.stop()
        if self._running:
            await asyncio.wait(self._running)
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()


@lru_cache(maxsize=8)
def database_at(part: Part) -> Database:
    """The one database of this process at a place: stages that share a process share its pool."""
    return Database(part)


def _engine(part: Part) -> AsyncEngine:
    url = _url(part)
    sqlite = url.drivername.startswith("sqlite")
    engine = create_async_engine(
        url,
        pool_size=part.pool,
        max_overflow=0,
        pool_timeout=part.timeout_s,
        hide_parameters=True,  # rows, hashes of keys: none belongs in an error
        connect_args=_sqlite(part) if sqlite else _postgres(part),
    )
    if sqlite:
        event.listen(engine.sync_engine, "connect", _prepare_file)
    return engine


def _url(part: Part) -> URL:
    if part.url is None:
        return URL.create("sqlite+aiosqlite", database=str(backends.directory() / FILE))
    try:
        given = make_url(part.url)
    except (exc.ArgumentError, ValueError):  # whose message would repeat a part of it
        raise BackendError(
            f"{backends.DATABASE_VARIABLE} cannot be read: give postgresql://USER@HOST:PORT/NAME"
        ) from None
    query = {"ssl" if name == "sslmode" else name: value for name, value in given.query.items()}
    return given.set(drivername="postgresql+asyncpg", query=query)


def _postgres(part: Part) -> dict[str, Any]:
    return {"timeout": part.timeout_s, "server_settings": {"application_name": "servebench"}}


def _sqlite(part: Part) -> dict[str, Any]:
    return {"timeout": part.timeout_s}


def _prepare_file(connection: Any, _record: object) -> None:
    """A sync at each commit would be of the disk, not of the architecture; see ``state.sqlite``."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
