"""The catalogue's schema: made once, whoever comes first, and the one that queries expect."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import create_async_engine

from architectures import backends
from architectures.patterns.items import demo, migrating
from architectures.patterns.items.database import Database
from architectures.patterns.items.schema import METADATA, PRODUCTS, TENANTS
from architectures.patterns.items.settings import Part
from tests.catalogue import empty_database

_BRING_UP = """
import asyncio
from architectures.patterns.items import settings
from architectures.patterns.items.database import Database
from architectures.patterns.items.schema import TENANTS

async def main():
    database = Database(settings.database())
    print("begins", flush=True)
    input()
    async def read(connection):
        return len((await connection.execute(TENANTS.select())).all())
    print(await database.run(read))
    await database.close()

asyncio.run(main())
"""


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


async def _check(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(migrating.revision_of) == migrating.HEAD
        assert await connection.run_sync(_differences) == []
        tenants = await connection.scalar(select(func.count()).select_from(TENANTS))
        products = await connection.scalar(select(func.count()).select_from(PRODUCTS))
    await engine.dispose()
    assert tenants == len(demo.tenants())
    assert products == demo.PRODUCTS * len(demo.tenants())


def _together(environment: dict[str, str]) -> None:
    """Three processes that come at once."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _BRING_UP],
            env={"PATH": "", "PYTHONPATH": ".", backends.DATABASE_TIMEOUT_VARIABLE: "30"}
            | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
        said = [process.communicate("\n", timeout=120)[0] for process in _told(started)]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert said == [f"{len(demo.tenants())}\n"] * 3
    assert [process.returncode for process in started] == [0, 0, 0]


def _told(started: list["subprocess.Popen[str]"]) -> list["subprocess.Popen[str]"]:
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return started


def test_processes_that_start_together_make_one_schema_in_a_file(tmp_path: Path) -> None:
    _together({backends.DIRECTORY_VARIABLE: str(tmp_path)})
    asyncio.run(_check(f"sqlite+aiosqlite:///{tmp_path}/items.sqlite"))


def test_processes_that_start_together_make_one_schema_on_a_server(postgres_url: str) -> None:
    async def run() -> None:
        async with empty_database(postgres_url) as url:
            await asyncio.to_thread(_together, {backends.DATABASE_VARIABLE: url})
            await _check(url.replace("postgresql://", "postgresql+asyncpg://"))

    asyncio.run(run())


def test_a_second_start_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backends.DIRECTORY_VARIABLE, str(tmp_path))

    async def run() -> None:
        for _ in range(2):
            database = Database(Part(None, 2, 20.0))
            await database.run(lambda connection: connection.execute(TENANTS.select()))
            await database.close()

    asyncio.run(run())
    before = (tmp_path / "items.sqlite").read_bytes()
    asyncio.run(run())
    assert (tmp_path / "items.sqlite").read_bytes() == before


def test_the_code_asks_for_the_newest_revision() -> None:
    folder = Path(migrating.__file__).with_name("migrations")
    assert ScriptDirectory(str(folder)).get_current_head() == migrating.HEAD
