"""Bringing a database to the schema of this code, once, whoever comes first.

The processes of a deployment start together. Each looks which revision it finds; those that find
an older one queue for a lock that the database (PostgreSQL) or the file's neighbour (SQLite) keeps,
and look again once they have it. Schema and demo rows are one transaction: all there, or nothing.
"""

import asyncio
import fcntl
import logging
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from architectures.patterns.items import demo, keys
from architectures.patterns.items.schema import PRODUCTS, TENANTS

HEAD = "0001"
"""The revision this code asks for: known here, so that only who migrates imports Alembic."""

_FOLDER = Path(__file__).with_name("migrations")
_LOCK = 0x53_45_52_56_45_42_45_4E
"""PostgreSQL's advisory lock of ours: any number, as long as it is the same everywhere."""


async def bring_up_to_date(engine: AsyncEngine) -> None:
    """Migrate where needed; returns once the schema and the demo rows are there."""
    async with engine.connect() as connection:
        if await connection.run_sync(revision_of) == HEAD:
            return
    if engine.dialect.name == "sqlite":
        await _migrate_file(engine)
        return
    async with engine.begin() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        await connection.run_sync(_migrate)


async def _migrate_file(engine: AsyncEngine) -> None:
    with await asyncio.to_thread(_lock, Path(f"{engine.url.database}.lock")):
        async with engine.connect() as connection:
            # The file stays in this mode. Two that ask for it at once would not wait, but fail.
            await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            # The driver would begin no transaction before DDL.
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            await connection.run_sync(_migrate)
            await connection.commit()


def _lock(path: Path) -> BinaryIO:
    """Wait for the lock of a file; closing the file frees it, and so does this process's end."""
    file = path.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def revision_of(connection: Connection) -> str | None:
    """The revision a database is at; None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    found = revision_of(connection)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER))
    command.upgrade(config, HEAD)
    if found is None:
        _add_demo(connection)


def _add_demo(connection: Connection) -> None:
    """The demo tenants and products; ids are numbers of ours plus one, as databases count."""
    tenants = demo.tenants()
    connection.execute(TENANTS.insert(), [_tenant_row(tenant) for tenant in tenants])
    rows = [
        {
            "tenant_id": tenant.number + 1,
            "sku": product.sku,
            "category": product.category,
            "price_cents": product.price_cents,
        }
        for tenant in tenants
        for product in demo.products(tenant.number)
    ]
    connection.execute(PRODUCTS.insert(), rows)


def _tenant_row(tenant: demo.Tenant) -> dict[str, object]:
    key = keys.digest(demo.key_of(tenant.number))
    assert key is not None  # noqa: S101 - a demo key has the form of a key
    return {
        "id": tenant.number + 1,
        "name": tenant.name,
        "key_id": key.key_id,
        "key_sha256": key.key_sha256,
        "suspended": tenant.suspended,
        "quota": tenant.quota,
    }
