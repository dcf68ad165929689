"""Shared state keeps its word whatever keeps it: a SQLite file, or a real Redis server."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic_ns

import pytest

from architectures.backends import DIRECTORY_VARIABLE, STATE_VARIABLE
from architectures.state import KEPT_VERSIONS, Store, SupersededError, open_store
from tests.servers import redis_server

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.delenv(STATE_VARIABLE, raising=False)
    if request.param == "redis":
        monkeypatch.setenv(STATE_VARIABLE, request.getfixturevalue("redis_url"))
    opened = open_store()
    yield opened
    opened.close()


def add_one(value: bytes | None) -> bytes:
    return b"%d" % (int(value or 0) + 1)


def in_another_process(source: str) -> subprocess.Popen[str]:
    code = "from architectures.state import open_store; store = open_store()\n" + source
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=dict(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_values(store: Store) -> None:
    assert store.get("a") is None
    store.put("a", b"\0one")
    store.put("b", b"")
    assert (store.get("a"), store.get("b")) == (b"\0one", b"")
    assert store.update("a", lambda old: (old or b"") + b"!") == b"\0one!"
    assert store.get("a") == b"\0one!"


def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    store.put("a", b"before")

    def fail(_: bytes | None) -> bytes:
        raise LookupError

    with pytest.raises(LookupError):
        store.update("a", fail)
    assert store.get("a") == b"before"
    assert store.update("a", lambda _: b"after") == b"after"


def test_versions_go_on_back_and_forth(store: Store) -> None:
    assert store.current_version("w") == 0
    assert store.read("w") is None
    before_ns = monotonic_ns()
    first, second = store.publish("w", b"1"), store.publish("w", b"2")
    assert before_ns <= first.published_ns <= second.published_ns <= monotonic_ns()
    assert store.publish("other", b"x").version == 1
    assert (first.version, second.version) == (1, 2)
    assert store.read("w") == second
    back = store.make_current("w", 1)
    assert (back.version, back.blob) == (1, b"1")
    assert back.published_ns > second.published_ns
    assert store.current_version("w") == 1
    assert store.read("w") == back
    assert store.read("w", 2) == second
    assert store.publish("w", b"3").version == 3
    assert store.current_version("w") == 3


def test_going_to_no_version_is_refused(store: Store) -> None:
    store.publish("w", b"1")
    with pytest.raises(KeyError):
        store.make_current("w", 2)
    with pytest.raises(KeyError):
        store.make_current("nobody", 1)
    assert store.current_version("w") == 1
    assert store.read("w", 2) is None


def test_old_blobs_are_dropped(store: Store) -> None:
    for number in range(KEPT_VERSIONS + 2):
        store.publish("w", b"%d" % number)
    assert store.read("w", 2) is None
    assert store.read("w", 3) is not None
    with pytest.raises(KeyError):
        store.make_current("w", 2)


def test_a_version_made_from_another_is_published_onto_that_alone(store: Store) -> None:
    assert store.publish("w", b"1", onto=0).version == 1
    with pytest.raises(SupersededError):
        store.publish("w", b"too late", onto=0)
    assert store.publish("w", b"2", onto=1).version == 2
    store.make_current("w", 1)
    with pytest.raises(SupersededError):
        store.publish("w", b"too late", onto=2)
    assert store.publish("w", b"3", onto=1).version == 3
    assert store.read("w", 4) is None


def test_counters(store: Store) -> None:
    store.count({"a.x": 1, "a.y": 0.5, "b": 3})
    store.count({"a.x": 2, "a_z": 1})
    store.count({})
    assert store.counters("a.") == {"a.x": 3, "a.y": 0.5}
    assert store.counters("c") == {}


def test_a_queue_keeps_order_and_its_bound(store: Store) -> None:
    assert store.pop("q", 5) == []
    assert store.push("q", [b"1", b"2", b"3"], most=4) == 3
    assert store.push("q", [b"4", b"5"], most=4) == 4
    assert store.push("other", [b"9"], most=4) == 1
    assert store.push("q", [], most=4) == 4
    assert store.pop("q", 3) == [b"2", b"3", b"4"]
    assert store.pop("q", 3) == [b"5"]


def test_threads_do_not_lose_each_others_changes(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.update("n", add_one), range(200)))
        list(pool.map(lambda _: store.count({"c": 1}), range(200)))
        versions = list(pool.map(lambda _: store.publish("w", b"x").version, range(40)))
    assert store.get("n") == b"200"
    assert store.counters("c") == {"c": 200}
    assert sorted(versions) == list(range(1, 41))


def test_a_coroutine_asks_beside_its_loop(store: Store) -> None:
    async def ask() -> None:
        await asyncio.gather(*(asyncio.to_thread(store.update, "n", add_one) for _ in range(50)))

    asyncio.run(ask())
    assert store.get("n") == b"50"


BUSY = """
import sys
print("ready", flush=True)
sys.stdin.readline()
for _ in range(200):
    store.update("n", lambda value: b"%d" % (int(value or 0) + 1))
    store.count({"c": 1})
    for item in store.pop("q", 3):
        print(item.decode())
"""


def test_processes_share_without_loss(store: Store) -> None:
    store.push("q", [b"%d" % number for number in range(500)], most=1000)
    others = [in_another_process(BUSY) for _ in range(2)]
    try:
        for other in others:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
        for other in others:
            assert other.stdin is not None
            other.stdin.write("go\n")
            other.stdin.flush()
        taken = [other.communicate(timeout=60)[0].split() for other in others]
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert [other.returncode for other in others] == [0, 0]
    assert store.get("n") == b"400"
    assert store.counters("c") == {"c": 400}
    assert sorted(map(int, taken[0] + taken[1])) == list(range(500))


FORKED = """
import os
from threading import Thread
store.put("a", b"parent")
child = os.fork()
if not child:
    store.put("a", b"child")
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
for _ in range(50):
    assert store.get("a") == b"child"
Thread(target=store.put, args=("a", b"parent again")).start()
"""


def test_an_open_store_survives_a_fork(store: Store) -> None:
    """The child neither uses nor closes what it inherited."""
    with in_another_process(FORKED) as other:
        assert other.wait(60) == 0
    assert store.get("a") == b"parent again"
