"""Items of a catalogue: answers, rows and refusals, on embedded parts and on real servers."""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest

from architectures import backends, patterns
from architectures.backends import BackendError
from architectures.contract import Problem
from architectures.patterns.items import demo, settings
from tests.catalogue import Shop, Stub, empty_database, example, moderation_stub, sent_by, shop

Select: TypeAlias = Callable[[str], Awaitable[list[tuple[Any, ...]]]]


@asynccontextmanager
async def _embedded(folder: Path, url: str, **limits: str) -> AsyncIterator[tuple[Shop, Select]]:
    async with shop(folder, {backends.MODERATION_VARIABLE: url, **limits}) as opened:

        async def select(query: str) -> list[tuple[Any, ...]]:
            connection = sqlite3.connect(folder / "items.sqlite")
            rows = connection.execute(query).fetchall()
            connection.close()
            return rows

        yield opened, select


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with moderation_stub(rejects=0.5) as started:
        yield started


Open: TypeAlias = Callable[..., AbstractAsyncContextManager[tuple[Shop, Select]]]


@pytest.fixture(params=["embedded", "servers"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the graph on either kind of parts."""
    if request.param == "embedded":
        return lambda url="", **limits: _embedded(tmp_path, url, **limits)
    postgres_url = request.getfixturevalue("postgres_url")
    redis_url = request.getfixturevalue("redis_url")

    @asynccontextmanager
    async def on_servers(url: str = "", **limits: str) -> AsyncIterator[tuple[Shop, Select]]:
        async with empty_database(postgres_url) as database_url:
            environment = {
                backends.MODERATION_VARIABLE: url,
                backends.DATABASE_VARIABLE: database_url,
                backends.FEATURES_VARIABLE: redis_url,
                **limits,
            }

            async def select(query: str) -> list[tuple[Any, ...]]:
                connection = await asyncpg.connect(database_url)
                rows = [tuple(row) for row in await connection.fetch(query)]
                await connection.close()
                return rows

            async with shop(tmp_path, environment) as ready:
                yield ready, select

    return on_servers


def test_an_item_is_answered_and_written(opened: Open, stub: Stub) -> None:
    async def run() -> None:
        async with opened(stub.url) as (ready, select):
            answers = [await ready.send(example(i)) for i in range(4)]
            rows = await select(
                "SELECT items.id, image_sha256, items.tags, derived, features, moderation, "
                "tenants.name, products.sku FROM items "
                "JOIN tenants ON items.tenant_id = tenants.id "
                "JOIN products ON product_id = products.id ORDER BY items.id"
            )
        assert len({answer["item_id"] for answer in answers}) == 4
        assert {answer["moderation"] for answer in answers} == {"approved", "rejected"}
        for i, (answer, row) in enumerate(zip(answers, rows, strict=True)):
            sku = example(i).headers["X-Product"]
            assert row[0] == answer["item_id"]
            assert bytes(row[1]) == hashlib.sha256(example(i).body).digest()
            assert json.loads(row[2]) == answer["tags"]
            assert json.loads(row[3]) == answer["derived"]
            assert row[4:] == ("stored", answer["moderation"], f"tenant-{sku.split('-')[1]}", sku)
            assert answer["features"] == "stored"
            assert answer["moderation_attempts"] == 1
            expected = _expected_derived(sku)
            assert {name: answer["derived"][name] for name in expected} == expected

    asyncio.run(run())


def _expected_derived(sku: str) -> dict[str, float]:
    """From the demo's own numbers, by hand."""
    tenant = int(sku.split("-")[1])
    (product,) = [one for one in demo.products(tenant) if one.sku == sku]
    (kept,) = [values for _, one, values in demo.features() if one == sku]
    return {
        "price_ratio": round(product.price_cents / kept["usual_price_cents"], 6),
        "conversion": round((kept["orders"] + 1) / (kept["views"] + 2), 6),
    }


KEY = demo.key_of(0)
REFUSALS = [
    ({}, 401, "unknown-key"),
    ({"X-API-Key": "<script>alert(1)</script>", "X-Product": "SKU-0-0"}, 401, "unknown-key"),
    ({"X-API-Key": KEY[:-1] + "\u00e9", "X-Product": "SKU-0-0"}, 401, "unknown-key"),
    ({"X-API-Key": KEY[:-1] + "_", "X-Product": "SKU-0-0"}, 401, "unknown-key"),
    ({"X-API-Key": "sbk_" + "0" * 12 + KEY[16:], "X-Product": "SKU-0-0"}, 401, "unknown-key"),
    ({"X-API-Key": KEY}, 400, "malformed-header"),
    ({"X-API-Key": KEY, "X-Product": "<b>'; DROP TABLE items"}, 400, "malformed-header"),
    ({"X-API-Key": KEY, "X-Product": "SKU-1-0"}, 404, "unknown-product"),
    ({"X-API-Key": KEY, "X-Product": "SKU-0-99"}, 404, "unknown-product"),
    (
        {"X-API-Key": demo.key_of(demo.SUSPENDED), "X-Product": f"SKU-{demo.SUSPENDED}-0"},
        403,
        "tenant-suspended",
    ),
]


def test_refusals_say_what_is_wrong_and_repeat_nothing(opened: Open, stub: Stub) -> None:
    async def run() -> None:
        before = stub.count()
        async with opened(stub.url) as (ready, select):
            for headers, status, slug in REFUSALS:
                with pytest.raises(Problem) as refused:
                    await ready.send(replace(example(), headers=headers))
                assert (refused.value.status, refused.value.slug) == (status, slug)
                said = json.dumps(refused.value.document("id"))
                assert not any(text in said for text in headers.values())
            assert await select("SELECT count(*) FROM items") == [(0,)]
        # A stranger spends nobody's money.
        assert stub.count() == before

    asyncio.run(run())


def test_a_quota_holds_exactly_whoever_comes_at_once(opened: Open) -> None:
    async def run() -> None:
        async with opened() as (ready, select):
            item = sent_by(demo.SMALL, f"SKU-{demo.SMALL}-0")
            found = await asyncio.gather(*(ready.status(item) for _ in range(8)))
            assert sorted(found) == [200] * demo.SMALL_QUOTA + [403] * (8 - demo.SMALL_QUOTA)
            assert await select("SELECT count(*) FROM items") == [(demo.SMALL_QUOTA,)]
            assert await ready.status(item) == 403

    asyncio.run(run())


def test_an_exhausted_pool_is_a_503_and_no_wait_without_end(opened: Open) -> None:
    async def run() -> None:
        one = {backends.DATABASE_POOL_VARIABLE: "1", backends.DATABASE_TIMEOUT_VARIABLE: "2"}
        async with opened(**one) as (ready, _):
            assert await ready.status(example()) == 200
            database: Any = ready.io["find_product"]._database  # type: ignore[attr-defined]
            async with database._opened().connect():
                with pytest.raises(Problem) as refused:
                    await asyncio.wait_for(ready.send(example()), 30)
            assert (refused.value.status, refused.value.slug) == (503, "database-unavailable")
            assert await ready.status(example()) == 200

    asyncio.run(run())


def test_embedded_parts_and_servers_answer_alike(
    tmp_path: Path, postgres_url: str, redis_url: str, stub: Stub
) -> None:
    async def answers(environment: dict[str, str]) -> list[dict[str, Any]]:
        async with shop(tmp_path, environment) as ready:
            return [
                {**await ready.send(example(i)), "item_id": 0, "moderation_attempts": 0}
                for i in range(3)
            ]

    async def run() -> None:
        moderated = {backends.MODERATION_VARIABLE: stub.url}
        embedded = await answers(moderated)
        async with empty_database(postgres_url) as url:
            servers = {backends.DATABASE_VARIABLE: url, backends.FEATURES_VARIABLE: redis_url}
            assert await answers({**moderated, **servers}) == embedded

    asyncio.run(run())


@pytest.mark.parametrize("text", ["0", "-1", "many", "inf", "2.5"])
def test_a_limit_that_cannot_be_meant_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(backends.DATABASE_POOL_VARIABLE, text)
    with pytest.raises(BackendError, match=backends.DATABASE_POOL_VARIABLE):
        patterns.load_stage("find_product", "tiny")


@pytest.mark.parametrize(
    ("variable", "stage"),
    [
        (backends.DATABASE_VARIABLE, "find_product"),
        (backends.FEATURES_VARIABLE, "read_features"),
    ],
)
def test_a_place_of_no_known_kind_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, stage: str
) -> None:
    monkeypatch.setenv(variable, "mysql://me:hunter2@127.0.0.1:1/db")
    with pytest.raises(BackendError) as refused:
        patterns.load_stage(stage, "tiny")
    assert "hunter2" not in str(refused.value)
    assert variable in str(refused.value)


def test_a_password_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backends.DATABASE_VARIABLE, "postgresql://me:hunter2@127.0.0.1:1/db")
    monkeypatch.setenv(backends.FEATURES_VARIABLE, "redis://:hunter2@127.0.0.1:1/0")
    parts = (settings.database(), settings.features())
    assert all("hunter2" in str(part.url) for part in parts)
    assert "hunter2" not in repr(parts)


def test_demo_requests_are_the_same_each_time_and_open_a_door() -> None:
    first, again = demo.request(example(1)), demo.request(example(1))
    assert first.headers == again.headers
    assert len({demo.key_of(i) for i in range(demo.TENANTS + 2)}) == demo.TENANTS + 2
    assert patterns.request("catalog/items", example(1)).headers == first.headers


def test_the_page_tells_every_limit_as_it_is_where_it_is_unset() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/business_logic.md").read_text()
    table = {
        cells[1].strip("` "): cells[2].strip()
        for cells in (line.split("|") for line in page.splitlines())
        if len(cells) > 3 and cells[1].startswith(" `SERVEBENCH_")
    }
    database, store, api = settings.database(), settings.features(), settings.moderation()
    unset = {
        backends.DATABASE_POOL_VARIABLE: database.pool,
        backends.DATABASE_TIMEOUT_VARIABLE: database.timeout_s,
        backends.FEATURES_POOL_VARIABLE: store.pool,
        backends.FEATURES_TIMEOUT_VARIABLE: store.timeout_s,
        backends.MODERATION_POOL_VARIABLE: api.pool,
        backends.MODERATION_TIMEOUT_VARIABLE: api.timeout_s,
        backends.MODERATION_RETRY_RATIO_VARIABLE: api.retry_ratio,
        backends.MODERATION_OPEN_VARIABLE: api.open_s,
    }
    assert {name: table[name] for name in backends.LIMIT_VARIABLES} == {
        name: str(value) for name, value in unset.items()
    }
    assert set(table) == {*backends.LIMIT_VARIABLES, *backends.URL_VARIABLES} - {
        backends.STATE_VARIABLE
    }
