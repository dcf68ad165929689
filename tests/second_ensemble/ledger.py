"""A fifth ensemble, no torch: a graph that writes a row and reads a feature, or says what is away.

The database is a file beside the deployment's other embedded state; the feature store is the Redis
that the environment names. Nothing here waits: what is locked or gone is so at once.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from threading import Lock
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from architectures import backends
from architectures.contract import Problem
from architectures.graph import Graph, Inputs, IoStage, Node, Outputs
from architectures.plugin import EnsembleDescription, Example, Split, StageSpec

TIERS = ("plain",)
MEDIA_TYPES = ("text/plain",)

STAGES: Mapping[str, StageSpec] = {"note": StageSpec("note", "io")}
GRAPHS: Mapping[str, Graph] = {
    "write": Graph(
        "write", [Node("note", {"body": "request.body"})], answer="note.document", varies=True
    )
}


class _Note:
    """An :class:`architectures.graph.IoStage`."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()  # so that nobody of ours locks the file for another

    async def __call__(self, member: Inputs, /) -> Outputs | Problem:
        row = await asyncio.to_thread(self._written, member["body"])
        if row is None:
            return Problem("database-unavailable", 503, "the file is locked; send it again later")
        return {"document": {"row": row, "features": await _features()}}

    def _written(self, body: bytes) -> int | None:
        path = backends.directory() / "items.sqlite"
        with self._one_at_a_time, closing(sqlite3.connect(path, timeout=0)) as file:
            try:
                file.execute("PRAGMA synchronous=OFF")
                file.execute("CREATE TABLE IF NOT EXISTS notes (body BLOB)")
                row = file.execute("INSERT INTO notes VALUES (?)", [body]).lastrowid
                file.commit()
            except sqlite3.OperationalError:
                return None
            return row

    async def close(self) -> None:
        """Nothing is open between requests."""


async def _features() -> str:
    url = backends.url(backends.FEATURES_VARIABLE)
    assert url is not None
    store: Any = Redis.from_url(url, retry=Retry(NoBackoff(), 0))
    try:
        await store.ping()
    except (RedisError, OSError, RuntimeError):
        return "default"
    finally:
        await store.aclose()
    return "stored"


def load_stage(name: str, tier: str, device: str, threads: int) -> IoStage:
    return _Note()


def describe(tier: str) -> EnsembleDescription:
    digest = hashlib.sha256(b"ledger").hexdigest()
    return EnsembleDescription("ledger", tier, {}, digest, meaningful=True)


def examples(split: Split, count: int, seed: int) -> list[Example]:
    return [Example(key, b"x" * (key + 1), "text/plain", {"key": key}) for key in range(count)]
