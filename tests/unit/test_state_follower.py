"""Followers learn of each version, begin after a fork, and outlast a store that is away."""

import logging
import os
import signal
from pathlib import Path
from threading import Event

import pytest

from architectures.backends import DIRECTORY_VARIABLE, STATE_VARIABLE, BackendError
from architectures.state import Follower, Published, Store, open_store
from architectures.state.sqlite import SqliteStore
from tests.servers import redis_server
from tests.waiting import until


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.sqlite3")


def test_the_first_use_applies_what_is_current(store: Store) -> None:
    seen: list[Published] = []
    follower = Follower(store, "w", seen.append, every_s=0.001)
    published = store.publish("w", b"1")
    assert seen == []
    follower.follow()
    assert seen == [published]
    store.publish("w", b"2")
    until(lambda: seen[-1].version == 2)
    store.make_current("w", 1)
    until(lambda: seen[-1].version == 1)
    follower.close()


def test_the_first_use_can_leave_it_to_the_thread(store: Store) -> None:
    held, applied = Event(), Event()

    def apply(_: Published) -> None:
        assert held.wait(30)
        applied.set()

    follower = Follower(store, "w", apply, every_s=0.001)
    store.publish("w", b"1")
    follower.follow(at_once=False)
    assert not applied.is_set()
    held.set()
    assert applied.wait(30)
    follower.close()


def test_a_version_that_cannot_be_applied_is_left_alone(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    tried = []

    def apply(published: Published) -> None:
        tried.append(published.version)
        if published.blob == b"bad":
            raise ValueError(published.blob)

    follower = Follower(store, "w", apply, every_s=0.001)
    store.publish("w", b"bad")
    follower.follow()
    store.publish("w", b"good")
    until(lambda: tried[-1] == 2)
    follower.close()
    assert tried == [1, 2]
    assert "version 1 of w cannot be applied" in caplog.text


class Counting(SqliteStore):
    """Tells when a poll is over: a fork amid one would copy SQLite's own locks, held."""

    polls = 0

    def current_version(self, name: str) -> int:
        version = super().current_version(name)
        self.polls += 1
        return version


def test_it_follows_in_a_child_too(tmp_path: Path) -> None:
    store = Counting(tmp_path / "state.sqlite3")
    seen: list[int] = []
    follower = Follower(store, "w", lambda published: seen.append(published.version), every_s=60)
    store.publish("w", b"1")
    follower.follow()
    until(lambda: store.polls == 2)
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(60)
            store.publish("w", b"2")
            follower.follow()
            assert seen == [1, 2]
            until(lambda: store.polls == 4)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert seen == [1]
    follower.close()


class Away:
    """A store that may be away."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.here = Event()
        self.asked = 0

    def current_version(self, name: str) -> int:
        self.asked += 1
        if not self.here.is_set():
            raise BackendError("away")
        return self.store.current_version(name)

    def read(self, name: str) -> Published | None:
        return self.store.read(name)


def test_a_store_that_is_away_is_told_of_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    away, seen = Away(store), []
    follower = Follower(away, "w", seen.append, every_s=0.001)  # type: ignore[arg-type]
    follower.follow()
    until(lambda: away.asked > 3)
    store.publish("w", b"1")
    away.here.set()
    until(lambda: bool(seen))
    follower.close()
    assert [record.getMessage() for record in caplog.records] == [
        "w is followed no further for now: away",
        "w is followed again",
    ]


def test_a_redis_that_ends_is_an_error_without_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    with redis_server() as url:
        monkeypatch.setenv(STATE_VARIABLE, url)
        store = open_store()
        store.put("a", b"1")
        wrong = url.replace("redis://:", "redis://:not-")
        monkeypatch.setenv(STATE_VARIABLE, wrong)
        with pytest.raises(BackendError) as refused:
            open_store().get("a")
    with pytest.raises(BackendError, match=r"redis://127\.0\.0\.1:") as gone:
        store.get("a")
    password = url.split(":")[2].split("@")[0]
    assert password not in str(gone.value) + str(refused.value) + repr(store) + repr(vars(store))


def test_a_store_that_goes_away_while_a_version_is_applied_costs_no_version(store: Store) -> None:
    tried = []

    def apply(published: Published) -> None:
        tried.append(published.version)
        if len(tried) < 3:
            raise BackendError("away")

    follower = Follower(store, "w", apply, every_s=0.001)
    store.publish("w", b"1")
    follower.follow()
    until(lambda: len(tried) >= 3)
    store.publish("w", b"2")
    until(lambda: tried[-1] == 2)
    follower.close()
    assert tried == [1, 1, 1, 2]


@pytest.mark.parametrize(
    "url",
    ["mysql://me:secret@host/0", "redis://:secret@", "redis://me:sec:ret@h:secret/0", "secret"],
)
def test_an_unknown_url_is_refused_without_repeating_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STATE_VARIABLE, url)
    with pytest.raises(BackendError, match=STATE_VARIABLE) as refused:
        open_store()
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_without_a_folder_or_an_address_there_is_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STATE_VARIABLE, raising=False)
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)
    with pytest.raises(BackendError, match=DIRECTORY_VARIABLE):
        open_store()


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot be used"):
        SqliteStore(tmp_path / "nowhere" / "state.sqlite3").get("a")
