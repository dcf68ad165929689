"""The feedback door: what it takes, what it refuses in which words, and what it leaves behind."""

import asyncio
import json
from pathlib import Path
from threading import enumerate as threads
from typing import Any

import numpy as np
import pytest

from architectures.backends import DIRECTORY_VARIABLE, STATE_VARIABLE
from architectures.contract import Problem
from architectures.ensemble.attributes import CATEGORIES
from architectures.ensemble.corpus import example, key
from architectures.patterns import GRAPHS, load_stage, request, score
from architectures.patterns.feedback import MOST_BYTES
from architectures.patterns.online_weights import lease, seen
from architectures.patterns.online_weights.intake import unpacked
from architectures.patterns.online_weights.names import COUNTED, LEASE, QUEUE
from architectures.state.sqlite import SqliteStore

TOKEN = "0" * 32
EXAMPLE = example(key("load", 5, 0))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteStore:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    monkeypatch.delenv(STATE_VARIABLE, raising=False)
    return SqliteStore(tmp_path / "state.sqlite3")


def told(*bodies: bytes) -> list[Any]:
    """What a stage, begun and ended, answers to bodies in turn."""

    async def tell() -> list[Any]:
        stage = load_stage("take_feedback", "tiny")
        try:
            return [await stage({"body": body}) for body in bodies]
        finally:
            await stage.close()

    return asyncio.run(tell())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xff", 'no JSON; send an object whose "of" is "weights"'),
        (b"[" * 60_000, "no JSON"),
        (b"[1]", "not an object"),
        (b"{}", "does not say what it is feedback of"),
        (b'{"of": ["weights"]}', "does not say what it is feedback of"),
        (b'{"of": "weights"}', "token: Field required"),
        ({"token": "x"}, "token: String should match"),
        ({"token": TOKEN + "\n"}, "token: String should match"),
        ({"token": 7}, "token: Input should be a valid string"),
        ({"label": {"category": "mugg"}}, "'mug', 'bottle'"),
        ({"label": {"category": 3}}, "label.category: Input should be"),
        ({"label": {}}, "label: Value error, it says nothing"),
        ({"label": {"price": 3}}, "label.price: Extra inputs are not permitted"),
        ({"x" * 1000: 1}, "Extra inputs"),
        ({"\ud800": 1}, "Input should be a valid string"),
    ],
)
def test_a_malformed_feedback_is_refused_and_told_what_was_meant(
    store: SqliteStore, body: bytes | dict[str, Any], said: str
) -> None:
    if isinstance(body, dict):
        right = {"of": "weights", "token": TOKEN, "label": {"category": "mug"}}
        body = json.dumps({**right, **body}).encode()
    (refusal,) = told(body)
    assert isinstance(refusal, Problem)
    assert (refusal.slug, refusal.status) == ("malformed-feedback", 422)
    assert said in refusal.detail
    assert "send " in refusal.detail
    assert len(refusal.detail) < 500
    assert refusal.detail.encode(), "whatever the client sent, the problem can be written"


def test_a_body_of_megabytes_is_refused_before_it_is_parsed(store: SqliteStore) -> None:
    (refusal,) = told(b" " * MOST_BYTES + request("feedback", EXAMPLE).body)
    assert isinstance(refusal, Problem)
    assert (refusal.slug, refusal.status) == ("body-too-large", 413)


def test_feedback_on_an_image_that_was_not_asked_about_is_answered_and_not_taken(
    store: SqliteStore,
) -> None:
    feedback = request("feedback", EXAMPLE)
    (answered,) = told(feedback.body)
    assert answered == {"answer": {"of": "weights", "taken": False}}
    assert score("feedback", answered["answer"], EXAMPLE.label) == {"taken": 0.0}
    assert store.counters(COUNTED) == {f"{COUNTED}forgotten": 1}
    store.close()


def test_a_frozen_feedback_finds_the_features_that_were_served(store: SqliteStore) -> None:
    feedback = request("feedback", EXAMPLE)
    assert feedback == request("feedback/weights", EXAMPLE)
    assert feedback.media_type in GRAPHS["feedback"].endpoint.media_types
    (tokens,) = load_stage("content_token", "tiny")([{"body": EXAMPLE.body}])
    features = np.arange(128, dtype=np.float32)
    other = SqliteStore(store._path)
    assert lease.Lease(other, LEASE, "another").hold()  # so that what is taken stays in line
    seen.remember(other, tokens["token"], features)
    (answered,) = told(feedback.body)
    assert answered == {"answer": {"of": "weights", "taken": True}}
    (item,) = other.pop(QUEUE, 9)
    lesson = unpacked(item)
    np.testing.assert_array_equal(lesson.features, features)
    assert lesson.targets == (CATEGORIES.index(EXAMPLE.label["category"]), -1, -1)
    store.close()
    other.close()


def test_a_store_that_is_away_is_no_failure_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_VARIABLE, "redis://127.0.0.1:1/0")
    feedback = request("feedback", EXAMPLE)
    (refusal,) = told(feedback.body)
    assert isinstance(refusal, Problem)
    assert (refusal.slug, refusal.status) == ("state-away", 503)


def test_ending_the_door_ends_its_learner_and_frees_the_lease(store: SqliteStore) -> None:
    async def begin_and_end() -> None:
        stage = load_stage("take_feedback", "tiny")
        await stage({"body": request("feedback", EXAMPLE).body})
        while lease.holder_of(store, LEASE) is None:  # noqa: ASYNC110 - another thread's doing
            await asyncio.sleep(0.005)
        assert "learns-weights" in [thread.name for thread in threads()]
        await stage.close()

    asyncio.run(asyncio.wait_for(begin_and_end(), 30))
    assert "learns-weights" not in [thread.name for thread in threads()]
    assert lease.holder_of(store, LEASE) is None
    store.close()
