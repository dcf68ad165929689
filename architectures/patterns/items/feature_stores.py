"""Where features are kept: a file by default, Redis by URL. Both are filled with the demo's."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import aiosqlite
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from architectures import backends
from architectures.patterns.items import demo
from architectures.patterns.items.settings import Part

FILE = "features.sqlite"
STORE_ERRORS = (RedisError, sqlite3.Error, OSError, TimeoutError)
"""What either raises where it is down."""

_PREFIX = "servebench:features"
_FILLED = f"{_PREFIX}:filled"
_FILL_WAIT_S = 10.0


class FeatureStore(Protocol):
    """Features by tenant and SKU, as JSON."""

    async def fill(self) -> None:
        """Put the demo's features there, whoever else does so at the same time."""
        ...

    async def read(self, tenant: str, sku: str) -> bytes | None:
        """A product's features; None where it has none."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


def _rows() -> list[tuple[str, bytes]]:
    return [
        (_key(tenant, sku), json.dumps(values).encode()) for tenant, sku, values in demo.features()
    ]


def _key(tenant: str, sku: str) -> str:
    return f"{_PREFIX}:{tenant}:{sku}"


class FileFeatures:
    """Features in an SQLite file, which one thread of this process reads.

    Args:
        path: of the file; made by whoever fills it first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: aiosqlite.Connection | None = None

    async def fill(self) -> None:
        """One transaction: another process sees all of it or nothing, and waits for its end."""
        async with aiosqlite.connect(self._path, timeout=_FILL_WAIT_S) as filling:
            await filling.execute("PRAGMA synchronous=OFF")  # as architectures.state.sqlite says
            await filling.execute("BEGIN IMMEDIATE")
            await filling.execute(
                "CREATE TABLE IF NOT EXISTS features (key TEXT PRIMARY KEY, value BLOB NOT NULL)"
            )
            await filling.executemany("INSERT OR IGNORE INTO features VALUES (?, ?)", _rows())
            await filling.commit()
        if self._connection is None:
            self._connection = await aiosqlite.connect(self._path)

    async def read(self, tenant: str, sku: str) -> bytes | None:
        """A product's features; only once it was filled."""
        if self._connection is None:
            raise ConnectionError("the store is read before it was filled")
        found = await self._connection.execute_fetchall(
            "SELECT value FROM features WHERE key = ?", (_key(tenant, sku),)
        )
        return next((row[0] for row in found), None)

    async def close(self) -> None:
        """End the thread."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class RedisFeatures:
    """Features in Redis.

    Args:
        url: of it.
        part: this process's limits.
    """

    def __init__(self, url: str, part: Part) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=part.pool,
            timeout=part.timeout_s,
            socket_timeout=part.timeout_s,
            socket_connect_timeout=part.timeout_s,
            retry=Retry(NoBackoff(), 0),  # a lost read has a default; waiting longer has a cost
        )
        self._redis: Any = Redis.from_pool(pool)

    async def fill(self) -> None:
        """Each key once; who fills a store that another fills too writes the same values."""
        with _closed_is_lost():
            if await self._redis.exists(_FILLED):
                return
            filling = self._redis.pipeline(transaction=True)
            for key, value in _rows():
                filling.set(key, value, nx=True)
            filling.set(_FILLED, 1)
            await filling.execute()

    async def read(self, tenant: str, sku: str) -> bytes | None:
        """A product's features."""
        with _closed_is_lost():
            found: bytes | None = await self._redis.get(_key(tenant, sku))
        return found

    async def close(self) -> None:
        """Close the pool."""
        await self._redis.aclose()


@contextmanager
def _closed_is_lost() -> Iterator[None]:
    """On uvloop, writing to a connection that has just been lost is a RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError("the connection was closed") from error


def feature_store(part: Part) -> FeatureStore:
    """The store that a part names."""
    if part.url is None:
        return FileFeatures(backends.directory() / FILE)
    return RedisFeatures(part.url, part)
