"""What an item's answer is while a part is slow, deaf or away, and once it is back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from architectures import backends
from architectures.contract import TIMEOUT_HEADER, Problem
from architectures.patterns.items import demo
from architectures.patterns.items.database import Database
from architectures.patterns.items.moderation import Moderate
from architectures.patterns.items.schema import TENANTS
from architectures.patterns.items.settings import ModerationPart
from architectures.patterns.items.validating import validate_items
from harness.faults.between import between
from harness.faults.lock import held
from tests.catalogue import Shop, Stub, empty_database, example, moderation_stub, shop
from tests.servers import redis_server

_LIMIT_S = 60.0
"""Of a wait for something that must come: far beyond what it takes."""

QUICK_MODERATION = {
    backends.MODERATION_TIMEOUT_VARIABLE: "0.1",
    backends.MODERATION_OPEN_VARIABLE: "0.2",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Stub]:
    with moderation_stub() as started:
        yield started


@pytest.fixture
def stub(running: Stub) -> Stub:
    """Well-behaved at first."""
    running.tell(latency={}, error_ratio=0.0, down=False, frozen=False, rejects=0.0)
    return running


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(_LIMIT_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


async def moderated(ready: Shop, **wanted: object) -> dict[str, Any]:
    """Send items until one's answer has these values."""
    answer: dict[str, Any] = {}

    async def seen() -> bool:
        answer.update(await ready.send(example()))
        return all(answer[name] == value for name, value in wanted.items())

    await until(seen)
    return answer


def test_slow_moderation_is_pending_then_not_asked_then_asked_again(
    tmp_path: Path, stub: Stub
) -> None:
    async def run() -> None:
        stub.tell(rejects=0.0, frozen=True)
        told = {backends.MODERATION_VARIABLE: stub.url, **QUICK_MODERATION}
        async with shop(tmp_path, told) as ready:
            first = await ready.send(example())
            assert (first["moderation"], first["moderation_attempts"]) == ("pending", 1)
            # The breaker opens: nobody waits for the deaf any more.
            await moderated(ready, moderation="pending", moderation_attempts=0)
            stub.tell(frozen=False)
            back = await moderated(ready, moderation="approved")
            assert back["moderation_attempts"] == 1

    asyncio.run(run())


@pytest.mark.parametrize("script", [{"down": True}, {"error_ratio": 1.0}])
def test_failing_moderation_leaves_rows_for_later(
    tmp_path: Path, script: dict[str, object], postgres_url: str, stub: Stub
) -> None:
    async def run() -> None:
        async with empty_database(postgres_url) as url:
            stub.tell(**script)
            told = {
                backends.MODERATION_VARIABLE: stub.url,
                backends.DATABASE_VARIABLE: url,
                backends.MODERATION_OPEN_VARIABLE: "0.2",
            }
            async with shop(tmp_path, told) as ready:
                pending = [await ready.send(example(i % 3)) for i in range(12)]
                assert {answer["moderation"] for answer in pending} == {"pending"}
                stub.tell(down=False, error_ratio=0.0)
                await moderated(ready, moderation="approved")
            database = await asyncpg.connect(url)
            left = await database.fetch("SELECT id FROM items WHERE moderation = 'pending'")
            await database.close()
            assert {answer["item_id"] for answer in pending} <= {row["id"] for row in left}

    asyncio.run(run())


def test_retries_are_a_tenth_of_the_requests_at_most(stub: Stub) -> None:
    async def run() -> None:
        before = stub.count()
        stub.tell(error_ratio=0.25)
        # Without a budget some 260 attempts: a breaker hardly ever opens at a quarter.
        part = ModerationPart(stub.url, 4, 20.0, retry_ratio=0.1, open_s=0.001)
        stage = Moderate(part)
        outcomes = [await stage({"body": b"image", "due_ns": None}) for _ in range(200)]
        await stage.close()
        attempts = sum(outcome["attempts"] for outcome in outcomes)
        assert attempts == stub.count() - before
        assert any(outcome["attempts"] > 1 for outcome in outcomes)
        assert attempts <= 220

    asyncio.run(run())


def test_a_caller_without_time_is_not_kept_waiting_for_a_verdict(stub: Stub) -> None:
    async def run() -> None:
        stub.tell(frozen=True)
        before = stub.count()
        stage = Moderate(ModerationPart(stub.url, 4, 1e6, 0.1, 1.0))
        outcome = await stage({"body": b"image", "due_ns": 1})
        assert outcome == {"verdict": "pending", "attempts": 0}
        assert stub.count() == before
        await stage.close()

    asyncio.run(run())


def test_the_callers_limit_cuts_moderation_short(tmp_path: Path, stub: Stub) -> None:
    async def run() -> None:
        stub.tell(frozen=True)
        # Its own limit of 1000 s would keep this test for ever.
        told = {
            backends.MODERATION_VARIABLE: stub.url,
            backends.MODERATION_TIMEOUT_VARIABLE: "1000",
        }
        async with shop(tmp_path, told) as ready:
            item = example()
            hurried = replace(item, headers={**item.headers, TIMEOUT_HEADER: "2"})
            assert (await ready.send(hurried))["moderation"] == "pending"

    asyncio.run(run())


def test_a_killed_feature_store_means_default_features(tmp_path: Path) -> None:
    async def run() -> None:
        with redis_server() as url:
            opened = shop(tmp_path, {backends.FEATURES_VARIABLE: url})
            ready = await opened.__aenter__()
            assert (await ready.send(example()))["features"] == "stored"
        assert (await ready.send(example()))["features"] == "default"
        await opened.__aexit__(None, None, None)

    asyncio.run(run())


@pytest.mark.parametrize("fault", [{"freeze": True}, {"refuse": True, "reset": True}])
def test_a_feature_store_that_comes_back_is_read_again(
    tmp_path: Path, redis_url: str, fault: dict[str, bool]
) -> None:
    async def run() -> None:
        with between(redis_url) as proxy:
            told = {
                backends.FEATURES_VARIABLE: proxy.url,
                backends.FEATURES_TIMEOUT_VARIABLE: "0.2",
            }
            async with shop(tmp_path, told) as ready:
                await moderated(ready, features="stored")
                proxy.tell(**fault)
                lost = await ready.send(example())
                assert lost["features"] == "default"
                await _emptied(redis_url)
                proxy.tell(freeze=False, refuse=False)
                await moderated(ready, features="stored")

    asyncio.run(run())


async def _emptied(redis_url: str) -> None:
    """As a store comes back that kept nothing on a disk."""
    store = Redis.from_url(redis_url)
    await store.delete(*[key async for key in store.scan_iter("servebench:features:*")])
    await store.aclose()


@pytest.mark.parametrize("fault", [{"freeze": True}, {"refuse": True, "reset": True}])
def test_a_database_that_is_away_is_a_503_until_it_is_back(
    tmp_path: Path, postgres_url: str, fault: dict[str, bool]
) -> None:
    async def run() -> None:
        async with empty_database(postgres_url) as url:
            with between(url) as proxy:
                told = {
                    backends.DATABASE_VARIABLE: proxy.url,
                    backends.DATABASE_TIMEOUT_VARIABLE: "1",
                }
                async with shop(tmp_path, told) as ready:
                    await until(lambda: _sent(ready))
                    proxy.tell(**fault)
                    with pytest.raises(Problem) as refused:
                        await asyncio.wait_for(ready.send(example()), _LIMIT_S)
                    assert (refused.value.status, refused.value.slug) == (
                        503,
                        "database-unavailable",
                    )
                    proxy.tell(freeze=False, refuse=False)
                    await until(lambda: _sent(ready))

    asyncio.run(run())


async def _sent(ready: Shop) -> bool:
    return await ready.status(example()) == 200


def test_connections_that_died_in_the_pool_cost_no_request(
    tmp_path: Path, postgres_url: str
) -> None:
    async def run() -> None:
        async with empty_database(postgres_url) as url:
            with between(url) as proxy:
                async with shop(tmp_path, {backends.DATABASE_VARIABLE: proxy.url}) as ready:
                    assert await ready.status(example()) == 200
                    proxy.tell(reset=True)
                    assert await ready.status(example()) == 200

    asyncio.run(run())


def test_a_database_away_from_the_beginning_is_migrated_once_it_comes(
    tmp_path: Path, postgres_url: str
) -> None:
    async def run() -> None:
        async with empty_database(postgres_url) as url:
            with between(url) as proxy:
                proxy.tell(refuse=True)
                async with shop(tmp_path, {backends.DATABASE_VARIABLE: proxy.url}) as ready:
                    assert await ready.status(example()) == 503
                    proxy.tell(refuse=False)
                    assert await ready.status(example()) == 200

    asyncio.run(run())


def test_a_locked_file_refuses_to_write_and_still_reads(tmp_path: Path) -> None:
    async def run() -> None:
        told = {backends.DATABASE_TIMEOUT_VARIABLE: "1"}
        async with shop(tmp_path, told) as ready:
            await until(lambda: _sent(ready))
            with held(tmp_path / "items.sqlite"):
                headers = {name.lower(): text for name, text in example().headers.items()}
                (read,) = _validate(headers)
                found = await ready.io["find_product"](read)
                assert not isinstance(found, Problem)
                assert found["admitted"]
                assert await ready.status(example()) == 503
            await until(lambda: _sent(ready))

    asyncio.run(run())


def _validate(headers: dict[str, str]) -> list[Any]:
    return validate_items([{"headers": headers}])


def test_a_write_whose_request_left_is_undone_and_keeps_no_lock(tmp_path: Path) -> None:
    async def run() -> None:
        async with shop(tmp_path, {}) as ready:
            assert await ready.status(example()) == 200
            database = ready.io["write_item"]._database  # type: ignore[attr-defined]

            async def counted(connection: AsyncConnection) -> None:
                await connection.execute(
                    update(TENANTS).values(item_count=TENANTS.c.item_count + 1)
                )

            with held(tmp_path / "items.sqlite"):
                left = asyncio.create_task(database.run(counted))
                await asyncio.wait({left}, timeout=0.3)  # it waits for the lock in its thread
                left.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await left
            await database.run(counted)
            await until(lambda: _idle(database))
            total = sum(one.item_count for one in await database.run(_tenants))
            assert total == 1 + len(demo.tenants())

    asyncio.run(run())


async def _idle(database: Database) -> bool:
    return not database._running


async def _tenants(connection: AsyncConnection) -> Any:
    return (await connection.execute(TENANTS.select())).all()
