"""Counts reach the store, wait for it while it is away, and are never another process's."""

import logging
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import pytest

from architectures.backends import BackendError
from architectures.state import Store, Tally, replica
from architectures.state.sqlite import SqliteStore
from tests.waiting import until


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.sqlite3")


def test_sums_reach_the_store(store: Store) -> None:
    tally = Tally(store, every_s=0.001)
    for _ in range(10):
        tally.add({"a": 1, "b": 0.5})
    until(lambda: store.counters("") == {"a": 10, "b": 5})
    tally.add({"a": 1})
    tally.close()
    assert store.counters("") == {"a": 11, "b": 5}


def test_a_fork_takes_no_sums_with_it(store: Store) -> None:
    tally = Tally(store, every_s=60)
    tally.add({"a": 1})
    child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        tally.add({"a": 10})
        tally.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert store.counters("") == {"a": 10}
    tally.close()
    assert store.counters("") == {"a": 11}


class Away:
    """A store that may be away."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.here = Event()
        self.asked = 0

    def count(self, additions: Mapping[str, float]) -> None:
        self.asked += 1
        if not self.here.is_set():
            raise BackendError("away")
        self.store.count(additions)


def test_counts_wait_for_a_store_that_is_away(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    away = Away(store)
    tally = Tally(away, every_s=0.001)  # type: ignore[arg-type]
    tally.add({"a": 1})
    until(lambda: away.asked > 3)
    tally.add({"a": 1})
    away.here.set()
    until(lambda: store.counters("") == {"a": 2})
    tally.close()
    assert [record.getMessage() for record in caplog.records] == [
        "counts wait until the store is back: away"
    ]


def test_a_process_and_its_child_have_different_names() -> None:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, replica().encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(read, 100).decode() != replica()
    assert replica() == replica()
    assert str(os.getpid()) != replica()
    os.close(read)
    os.close(write)
