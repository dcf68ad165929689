"""Usage that is read all the time: an attempt takes its part, what nobody needs goes."""

import os

import pytest

from harness.live import watching
from harness.live.watching import Watching
from harness.usage import Target
from tests.waiting import until

ME = (Target({"mine": os.getpid()}),)


def times(rows: list[dict[str, object]]) -> list[object]:
    return sorted({row["t_ns"] for row in rows}, key=str)


def test_an_attempt_takes_what_was_read_so_far_and_the_next_part_begins() -> None:
    with Watching(ME) as reading:
        first = reading.usage
        until(lambda: len(first.tail(100)) > 1)
        assert reading.part() is first
        ended = first.table().to_pylist()
        assert ended[-1]["pss_bytes"] > 0  # read whole at its end
        second = reading.usage
        assert second is not first
        until(lambda: second.tail(1))
        assert times(first.table().to_pylist()) == times(ended)
        assert min(row["t_ns"] for row in second.tail(100)) > max(row["t_ns"] for row in ended)  # type: ignore[type-var]


def test_between_attempts_only_the_last_seconds_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with Watching(ME) as reading:
        first = reading.usage
        reading.forget()
        assert reading.usage is first
        monkeypatch.setattr(watching, "IDLE_S", 0.0)
        reading.forget()
        assert reading.usage is not first
