"""The items graph with real parts, in this process and on this loop; and the parts it needs."""

import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg

from architectures import backends, patterns
from architectures.contract import Problem
from architectures.ensemble import examples
from architectures.graph import IoStage, Stage
from architectures.patterns.items import demo
from architectures.patterns.items.graph import ITEMS
from architectures.plugin import Example, Loaded
from architectures.spec import ServingPolicy
from architectures.stage_calls import StageCalls
from architectures.walk import walk
from harness.http import ask
from tests.servers import SETPRIV

PATIENT: Mapping[str, str] = {
    backends.DATABASE_TIMEOUT_VARIABLE: "20",
    backends.FEATURES_TIMEOUT_VARIABLE: "20",
    backends.MODERATION_TIMEOUT_VARIABLE: "20",
}
"""Limits that a starved machine does not reach: only a test of a limit sets a tight one."""


@cache
def example(index: int = 0) -> Example:
    """An image as a demo tenant sends it."""
    return demo.request(examples("load", index + 1, 7)[index])


def sent_by(tenant: int, sku: str, index: int = 0) -> Example:
    """An image sent with a tenant's key, for a product."""
    headers = {"X-API-Key": demo.key_of(tenant), "X-Product": sku}
    return replace(example(index), headers=headers)


@cache
def _compute() -> dict[str, Stage]:
    names = [name for name in ITEMS.stages if patterns.STAGES[name].kind != "io"]
    return {name: patterns.load_stage(name, "tiny") for name in names}  # type: ignore[misc]


@dataclass(frozen=True)
class Shop:
    """The graph, ready to be walked."""

    calls: StageCalls
    io: Mapping[str, IoStage]

    async def send(self, item: Example) -> dict[str, Any]:
        """The answer's document; a Problem is raised."""
        headers = {name.lower(): text for name, text in item.headers.items()}
        request = {"body": item.body, "media_type": item.media_type, "headers": headers}
        answer = await walk(ITEMS, request, self.calls.admit())
        document: dict[str, Any] = answer.document
        return document

    async def status(self, item: Example) -> int:
        """200, or that of the Problem."""
        try:
            await self.send(item)
        except Problem as problem:
            return problem.status
        return 200


@asynccontextmanager
async def shop(directory: Path, environment: Mapping[str, str]) -> AsyncIterator[Shop]:
    """Load the graph's stages in an environment of their own; closed with the block."""
    told = {backends.DIRECTORY_VARIABLE: str(directory), **PATIENT, **environment}
    with patch.dict("os.environ", told):
        io: dict[str, Any] = {
            name: patterns.load_stage(name, "tiny")
            for name in ITEMS.stages
            if patterns.STAGES[name].kind == "io"
        }
        calls = StageCalls(Loaded(_compute(), io), ServingPolicy())
        try:
            yield Shop(calls, io)
        finally:
            await calls.close()


@dataclass(frozen=True)
class Stub:
    """A moderation service in a process of its own."""

    url: str

    def tell(self, **script: object) -> dict[str, Any]:
        """Change its script."""
        reply = ask(f"{self.url}/control", json.dumps(script).encode(), "application/json")
        document: dict[str, Any] = reply.json()
        assert reply.status == 200, document
        return document

    def count(self, kind: str = "requests") -> int:
        """Requests of a kind so far."""
        return int(ask(f"{self.url}/control").json()["counts"].get(kind, 0))


@contextmanager
def moderation_stub(**script: object) -> Iterator[Stub]:
    """Start one, and end it with the block."""
    bound = [SETPRIV, "--pdeathsig", "TERM"]  # to this thread: a killed test run leaves none behind
    command = [*bound, sys.executable, "-m", "architectures.moderation_service"]
    process = subprocess.Popen(
        [*command, "--script", json.dumps(script)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        word, url = process.stdout.readline().split()
        assert word == "ready"
        yield Stub(url)
    finally:
        process.terminate()
        assert process.wait(20) == 0


@asynccontextmanager
async def empty_database(server_url: str) -> AsyncIterator[str]:
    """A PostgreSQL database that nobody else uses, dropped with the block."""
    name = f"items_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(server_url)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield server_url.rpartition("/")[0] + f"/{name}"
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()
