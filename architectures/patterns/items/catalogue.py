"""The two stages that speak to the database: who sends what, and the row that comes of it."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from architectures.contract import Problem
from architectures.graph import Inputs, Outputs
from architectures.patterns.items import keys
from architectures.patterns.items.availability import UnavailableError
from architectures.patterns.items.database import Database
from architectures.patterns.items.graph import PRODUCT_HEADER
from architectures.patterns.items.schema import ITEMS, PRODUCTS, TENANTS
from architectures.patterns.items.validating import unknown_key


def _quota_used_up() -> Problem:
    return Problem(
        "quota-used-up", 403, "The tenant has as many items as its quota allows; ask for more."
    )


def _unavailable() -> Problem:
    return Problem(
        "database-unavailable", 503, "The catalogue cannot be read or written now; try again."
    )


class FindProduct:
    """``key_id``, ``key_sha256``, ``sku`` to the tenant and the product, in one query."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, member: Inputs) -> Outputs | Problem:
        """401 an unknown key, 403 a tenant that may not, 404 no such product, 503 no database."""

        async def find(connection: AsyncConnection) -> Row[Any] | None:
            found = await connection.execute(_found(member["key_id"], member["sku"]))
            return found.first()

        try:
            row = await self._database.run(find, repeatable=True)
        except UnavailableError:
            return _unavailable()
        return _admitted(row, member["key_sha256"])

    async def close(self) -> None:
        """Give the connections back."""
        await self._database.close()


def _found(key_id: str, sku: str) -> Any:
    own = and_(PRODUCTS.c.tenant_id == TENANTS.c.id, PRODUCTS.c.sku == sku)
    return (
        select(
            TENANTS.c.id,
            TENANTS.c.name,
            TENANTS.c.key_sha256,
            TENANTS.c.suspended,
            TENANTS.c.quota,
            TENANTS.c.item_count,
            PRODUCTS.c.id.label("product_id"),
            PRODUCTS.c.category,
            PRODUCTS.c.price_cents,
        )
        .select_from(TENANTS.outerjoin(PRODUCTS, own))
        .where(TENANTS.c.key_id == key_id)
    )


def _admitted(row: Row[Any] | None, sent: bytes) -> Outputs | Problem:
    if not keys.opens(sent, None if row is None else row.key_sha256) or row is None:
        return unknown_key()
    if row.suspended:
        return Problem("tenant-suspended", 403, "The tenant is suspended; ask its operator why.")
    if row.item_count >= row.quota:
        return _quota_used_up()
    if row.product_id is None:
        return Problem("unknown-product", 404, f"The tenant has no product as in {PRODUCT_HEADER}.")
    return {
        "admitted": True,
        "tenant": row.name,
        "tenant_id": row.id,
        "product_id": row.product_id,
        "category": row.category,
        "price_cents": row.price_cents,
    }


class WriteItem:
    """Everything known of an item to its row, and to the ``answer``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, member: Inputs) -> Outputs | Problem:
        """403 where the quota was used up meanwhile, 503 no database: then there is no row."""

        async def write(connection: AsyncConnection) -> int:
            return await _written(connection, member)

        try:
            item_id = await self._database.run(write)
        except UnavailableError:
            return _unavailable()
        except Problem as problem:
            return problem
        return {"answer": _answer(item_id, member)}

    async def close(self) -> None:
        """Give the connections back."""
        await self._database.close()


async def _written(connection: AsyncConnection, member: Inputs) -> int:
    """Insert first, count last: others of the tenant wait for the count's row until the commit."""
    row = {
        "tenant_id": member["tenant_id"],
        "product_id": member["product_id"],
        "image_sha256": hashlib.sha256(member["body"]).digest(),
        "tags": member["tags"],
        "derived": member["derived"],
        "features": member["origin"],
        "moderation": member["verdict"],
    }
    inserted = await connection.execute(insert(ITEMS).values(row).returning(ITEMS.c.id))
    item_id: int = inserted.scalar_one()
    within = and_(TENANTS.c.id == member["tenant_id"], TENANTS.c.item_count < TENANTS.c.quota)
    counted = await connection.execute(
        update(TENANTS).where(within).values(item_count=TENANTS.c.item_count + 1)
    )
    if counted.rowcount == 0:
        raise _quota_used_up()
    return item_id


def _answer(item_id: int, member: Inputs) -> Mapping[str, Any]:
    return {
        "item_id": item_id,
        "tags": member["tags"],
        "derived": member["derived"],
        "features": member["origin"],
        "moderation": member["verdict"],
        "moderation_attempts": member["attempts"],
    }
