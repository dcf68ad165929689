"""One learner a deployment, whoever it is; what a drift took away it learns back."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest

from architectures.backends import DIRECTORY_VARIABLE, STATE_VARIABLE
from architectures.contract import Problem
from architectures.ensemble.attributes import CATEGORIES
from architectures.patterns import examples, load_stage, score
from architectures.patterns.online_weights import act, seen
from architectures.patterns.online_weights.head import Head, from_bytes, shipped
from architectures.patterns.online_weights.intake import document_of, packed, take
from architectures.patterns.online_weights.learner import Learner
from architectures.patterns.online_weights.lease import Lease, holder_of
from architectures.patterns.online_weights.names import (
    COUNTED,
    HEAD,
    LEASE,
    MOST_WAITING,
    QUEUE,
)
from architectures.patterns.online_weights.serving import AdaptedHead
from architectures.patterns.online_weights.sgd import Lesson
from architectures.plugin import Example
from architectures.state import Published, Store, open_store
from architectures.state.sqlite import SqliteStore
from tests.servers import redis_server
from tests.waiting import until

PAIRS = list(zip(CATEGORIES[::2], CATEGORIES[1::2], strict=True))
TAUGHT = 96
ROUNDS = 6
ASKED = 48
PORTION = 32

LEARNER = """
import os, sys
from pathlib import Path
from architectures.patterns.online_weights.learner import Learner
from architectures.state.sqlite import SqliteStore

class Signed(SqliteStore):
    def publish(self, *given, **named):
        published = super().publish(*given, **named)
        self.push("publishers", [str(os.getpid()).encode()], 1000)
        return published

learner = Learner(Signed(Path(sys.argv[1])), "tiny")
print("up", flush=True)
sys.stdin.read()
learner.stop()
"""


def did(action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return asyncio.run(act(action, body))


def taken(store: Store, documents: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    async def take_all() -> list[Mapping[str, Any]]:
        return [await take(store, document) for document in documents]

    return asyncio.run(take_all())


@pytest.fixture(scope="module")
def images() -> tuple[Sequence[Example], np.ndarray[Any, Any]]:
    """Examples and their frozen features."""
    drawn = examples("held_out", TAUGHT + ASKED, 9)
    rows = [{"body": example.body} for example in drawn]
    for stage in ("decode", "detect", "crop", "crop_features"):
        found = load_stage(stage, "tiny")(rows)
        rows = [{**row, **more} for row, more in zip(rows, found, strict=True)]
    return drawn, np.stack([row["features"] for row in rows])


@pytest.fixture(params=["sqlite", "redis"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.delenv(STATE_VARIABLE, raising=False)
    if request.param == "redis":
        with redis_server() as url:
            monkeypatch.setenv(STATE_VARIABLE, url)
            opened = open_store()
            yield opened
            opened.close()
        return
    opened = open_store()
    yield opened
    opened.close()


def accuracy_of(head: AdaptedHead, images: tuple[Sequence[Example], np.ndarray[Any, Any]]) -> float:
    """On images that nobody taught, by the truth that is in force."""
    drawn, features = images
    members = [{"features": row, "token": "t"} for row in features[TAUGHT:]]
    pairs = zip(head(members), drawn[TAUGHT:], strict=True)
    return mean(
        score("online/weights", one["answer"], example.label)["category"] for one, example in pairs
    )


def test_what_a_drift_took_away_is_learnt_back(
    store: Store, images: tuple[Sequence[Example], np.ndarray[Any, Any]]
) -> None:
    drawn, features = images
    head = AdaptedHead("tiny")

    accuracy = partial(accuracy_of, head, images)
    assert accuracy() >= 0.95
    for example, row in zip(drawn[:TAUGHT], features, strict=False):
        seen.remember(store, seen.token_of(example.body), row)
    drifted = did("drift", {"swap": PAIRS})
    until(lambda: head([{"features": features[0], "token": "t"}])[0]["answer"]["renamed"])
    assert drifted["renamed"]["shirt"] == "trousers"
    assert accuracy() <= 0.05, "the frozen head is wrong on everything"

    taught = [document_of(example) for example in drawn[:TAUGHT]] * ROUNDS
    assert taken(store, taught) == [{"taken": True}] * len(taught)
    assert did("weights", {})["queue"] == len(taught)
    learner = Learner(store, "tiny")  # only now, so that its mini-batches are the same every time
    until(lambda: store.counters(COUNTED).get(f"{COUNTED}learned") == TAUGHT * ROUNDS)
    state = did("weights", {})
    assert state["queue"] == 0
    assert state["learner"] is not None
    until(lambda: _version(head, features) == state["version"])
    assert accuracy() >= 0.9

    reset = did("reset_weights", {})
    assert reset["version"] == state["version"] + 1
    until(lambda: _version(head, features) == reset["version"])
    assert accuracy() <= 0.05, "the shipped weights are back, and the drift has not ended"
    did("drift", {"swap": []})
    until(lambda: accuracy() >= 0.95)
    learner.stop()
    head.close()


def _version(head: AdaptedHead, features: np.ndarray[Any, Any]) -> int:
    return head([{"features": features[0], "token": "t"}])[0]["answer"]["version"]


@pytest.mark.parametrize(
    ("action", "body", "said"),
    [
        ("drift", {}, "swap: Field required"),
        ("drift", {"swap": [["mug"]]}, "swap.0.1: Field required"),
        ("drift", {"swap": [["mug", "teapot"]]}, "swap.0.1: Input should be 'shirt'"),
        ("drift", {"swap": [["mug", "mug"]]}, "in one pair, with another"),
        ("drift", {"swap": [["mug", "hat"], ["bag", "hat"]]}, "in one pair, with another"),
        ("weights", {"version": 3}, "version: Extra inputs"),
    ],
)
def test_a_malformed_action_is_refused_and_changes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    body: Mapping[str, Any],
    said: str,
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.delenv(STATE_VARIABLE, raising=False)
    with pytest.raises(Problem) as refused:
        did(action, body)
    assert refused.value.status == 422
    assert said in refused.value.detail
    assert did("weights", {}) == {
        "version": 0,
        "published_ns": None,
        "learner": None,
        "queue": 0,
        "renamed": {},
        "counted": {},
    }


def test_a_lease_has_one_holder_and_passes_on_when_left_or_lapsed(store: Store) -> None:
    first, second = (Lease(store, "lease", name, lasts_s=600) for name in ("first", "second"))
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    first.release()
    assert second.hold()
    assert not first.hold()
    assert holder_of(store, "lease") == "second"
    assert Lease(store, "other", "dead", lasts_s=0.05).hold()
    until(Lease(store, "other", "heir", lasts_s=600).hold)
    assert holder_of(store, "other") == "heir"


def test_of_two_processes_one_learns_and_when_it_dies_the_other_does(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    store = SqliteStore(path)
    with learners(path, 2) as running:
        for _ in range(3):
            teach(store)
        first = publishers(store)
        assert len(first) == 1, "two processes published"
        (dead,) = first
        running[dead].kill()
        running[dead].wait()
        publishers(store)
        teach(store)
        assert publishers(store) == running.keys() - first
    assert holder_of(store, LEASE) is None, "whoever ends in order leaves the lease"
    store.close()


def test_an_operators_version_is_built_upon_and_not_overwritten(tmp_path: Path) -> None:
    first = shipped("tiny")
    marked = Head(np.full_like(first.weight, 3.0))

    class Overtaken(SqliteStore):
        """An operator publishes when the learner has made a version of the one before."""

        overtaken = False

        def publish(self, name: str, blob: bytes, onto: int | None = None) -> Published:
            if not self.overtaken:
                self.overtaken = True
                super().publish(name, marked.to_bytes())
            return super().publish(name, blob, onto)

    store = Overtaken(tmp_path / "state.sqlite3")
    learner = Learner(store, "tiny")
    teach(store)
    learner.stop()
    built = store.read(HEAD)
    assert built is not None
    moved = from_bytes(built.blob, first).weight - marked.weight
    assert 0 < np.abs(moved).max() < 0.5
    store.close()


def publishers(store: Store) -> set[int]:
    """Who published since this was last asked."""
    return {int(pid) for pid in store.pop("publishers", 1000)}


def teach(store: Store) -> None:
    """Give feedback until a portion of it has been learnt from and published."""
    row = np.ones(128, np.float32)
    lessons = [packed(Lesson(row, (i % 12, 0, 0))) for i in range(PORTION)]

    def learned() -> float:
        return store.counters(COUNTED).get(f"{COUNTED}learned", 0)

    def done() -> bool:
        if not store.push(QUEUE, [], MOST_WAITING):
            store.push(QUEUE, lessons, MOST_WAITING)  # what was learnt onto an old version is lost
        return learned() >= enough

    enough = learned() + PORTION
    until(done)


@contextmanager
def learners(path: Path, count: int) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Processes that each have a learner; by their pids."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", LEARNER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(count)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
        yield {process.pid: process for process in running}
    finally:
        for process in running:
            process.communicate(timeout=30)  # its input ends, and so does it
