"""Every server answers as the ensemble does with no server around it, graph by graph."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Any

import asyncpg
import httpx
import pytest
import redis
from jsonschema import Draft202012Validator

from architectures.backends import DATABASE_VARIABLE, FEATURES_VARIABLE, STATE_VARIABLE
from architectures.contract import (
    METRICS_PATH,
    REQUEST_ID_HEADER,
    TIMEOUT_HEADER,
    parse_server_timing,
)

CONCURRENCY = 40
COUNTED_WITHIN_S = 20.0


async def ask_all(sut: Any) -> Mapping[str, Sequence[httpx.Response]]:
    """Every example of every graph, many at once and the graphs mixed, so that batches form."""
    turn = asyncio.Semaphore(CONCURRENCY)
    limits = httpx.Limits(max_connections=CONCURRENCY)
    replies: dict[str, list[Any]] = {
        name: [None] * len(subject.examples) for name, subject in sut.subjects.items()
    }
    async with httpx.AsyncClient(base_url=sut.url, timeout=60, limits=limits) as client:

        async def ask(name: str, index: int) -> None:
            subject = sut.subjects[name]
            patient = {REQUEST_ID_HEADER: f"{name}-{index}", TIMEOUT_HEADER: "60"}
            headers = {**subject.headers(index), **patient}
            async with turn:
                replies[name][index] = await client.post(
                    subject.path, content=subject.examples[index].body, headers=headers
                )

        order = sorted(
            (index, name) for name, known in replies.items() for index in range(len(known))
        )
        await asyncio.gather(*(ask(name, index) for index, name in order))
    return replies


@pytest.fixture(scope="session")
def replies(sut: Any) -> Mapping[str, Sequence[httpx.Response]]:
    """Graph -> its answers, in the order of its examples."""
    return asyncio.run(ask_all(sut))


def test_answers_equal_the_reference_in_batches_too(sut: Any, replies: Any) -> None:
    wrong = [
        (name, index, reply.status_code, reply.text, sut.subjects[name].references[index])
        for name, given in replies.items()
        if not sut.subjects[name].graph.varies
        for index, reply in enumerate(given)
        if not _is_right(sut, name, index, reply)
    ]
    assert not wrong, (len(wrong), wrong[:3])


def _is_right(sut: Any, name: str, index: int, reply: httpx.Response) -> bool:
    if not sut.architecture.answers:
        return reply.status_code == 200 and sut.is_right(index, reply.json())
    right: bool = sut.subjects[name].is_right(index, reply.status_code, reply.json())
    return right


def test_answers_are_of_the_published_form(sut: Any, replies: Any) -> None:
    if not sut.architecture.answers:
        return
    for name, given in replies.items():
        graph = sut.subjects[name].graph
        form = Draft202012Validator(graph.answer_schema)
        for reply in given:
            if graph.varies:
                assert reply.status_code == 200, (name, reply.text)
            if reply.status_code == 200:
                form.validate(reply.json())


def test_answers_carry_their_own_id_and_the_nodes_that_ran(sut: Any, replies: Any) -> None:
    for name, given in replies.items():
        graph = sut.subjects[name].graph
        for index, reply in enumerate(given):
            assert reply.headers[REQUEST_ID_HEADER] == f"{name}-{index}"
            if reply.status_code != 200 or not sut.architecture.answers:
                continue
            timings, request_ns = parse_server_timing(reply.headers["server-timing"])
            ran = [timing.stage for timing in timings]
            assert request_ns is not None
            assert len(ran) == len(set(ran))
            assert graph.answer_node in ran
            assert set(ran) <= graph.primary
            assert set(ran) == graph.primary or not graph.plain, (name, ran)


def test_walks_that_nobody_waits_for_are_counted(sut: Any, replies: Any) -> None:
    """One an answer where a node always runs: done, failed or, beyond the bound, shed."""
    for name, given in replies.items():
        graph = sut.subjects[name].graph
        if not graph.detached or not sut.architecture.answers:
            continue
        answered = sum(reply.status_code == 200 for reply in given)
        late = [step for step in graph.steps if step.detached and step.needs <= graph.primary]
        least = answered if any(step.when is None for step in late) else 0
        end = monotonic() + COUNTED_WITHIN_S
        while sum((ended := detached(sut, name)).values()) < least and monotonic() < end:
            sleep(0.05)
        assert least <= sum(ended.values()) <= answered, (name, ended)
        assert set(ended) <= ({"failed", "shed"} if name == "lose" else {"done", "shed"})


def detached(sut: Any, graph: str) -> dict[str, int]:
    """How walks of a graph ended."""
    text = httpx.get(sut.url + METRICS_PATH, timeout=30).text
    pattern = r"^servebench_detached_total\{([^}]*)\} (\S+)"
    counted: dict[str, int] = {}
    for labels, number in re.findall(pattern, text, re.MULTILINE):
        named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if named["graph"] == graph:
            counted[named["outcome"]] = int(float(number))
    return counted


def test_detached_nodes_get_what_they_read(sut: Any, replies: Any) -> None:
    name = "letters/route"
    if name not in replies:
        return
    end = monotonic() + COUNTED_WITHIN_S
    while not (lines := _noted(sut)).intersection(line + " again" for line in lines):
        assert monotonic() < end, lines
        sleep(0.05)
    sent = {json.loads(example.body)["text"] for example in sut.subjects[name].examples}
    assert {line.removesuffix(" again") for line in lines} <= sent
    again = [line.removesuffix(" again") for line in lines if line.endswith(" again")]
    assert all(any(word.isupper() for word in text.split()) for text in again)


def _noted(sut: Any) -> set[str]:
    """What walks that nobody waited for have written down."""
    notes = sut.deployment.directory / "notes"
    return set(notes.read_text("utf-8").splitlines()) if notes.exists() else set()


def test_state_lies_where_it_was_told_to(sut: Any, replies: Any) -> None:
    """In the servers and nowhere else, or in files of the deployment's folder."""
    if "catalog/items" not in replies:
        return
    files = [path for path in sut.deployment.directory.rglob("*.sqlite*") if path.stat().st_size]
    if not sut.servers:
        assert files
        return
    assert files == []
    assert asyncio.run(_rows(sut.state[DATABASE_VARIABLE])) == len(replies["catalog/items"])
    for variable in (STATE_VARIABLE, FEATURES_VARIABLE):
        with redis.Redis.from_url(sut.state[variable]) as store:
            assert store.dbsize() > 0


async def _rows(database: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM items")
        return count
    finally:
        await connection.close()
