"""A trial ended early holds what was due until then, and the counts that ended it are true."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from harness.drive import Counts
from workloads.sample import Outcome

Server = Callable[..., Any]
Play = Callable[..., Any]


class Watcher:
    """Ends a trial as soon as so many requests are counted."""

    def __init__(self, ended: int = 10**9, missed: int = 10**9) -> None:
        self.seen: list[Counts] = []
        self._limit = Counts(ended, missed)

    def __call__(self, counts: Counts) -> str | None:
        self.seen.append(counts)
        if counts.ended < self._limit.ended and counts.missed < self._limit.missed:
            return None
        return f"{counts.ended} ended, {counts.missed} missed"


@pytest.mark.parametrize("workers", [1, 2])
def test_every_worker_stops_at_one_reading(known_server: Server, play: Play, workers: int) -> None:
    server = known_server(service_s=[0.02])
    watcher = Watcher(ended=100)
    result, table = play(server.url, steady_s=30.0, end_early=watcher, workers=workers)
    assert result.ended_early == "{0.ended} ended, {0.missed} missed".format(watcher.seen[-1])
    phases, intended_ns = result.phases, table["intended_ns"].to_numpy()
    assert phases.start_ns < phases.steady_ns < phases.end_ns <= phases.drained_ns
    assert table["index"].to_pylist() == list(range(len(table)))
    assert phases.end_ns - 500_000_000 < intended_ns.max() < phases.end_ns
    assert 100 <= watcher.seen[-1].ended <= (intended_ns >= phases.steady_ns).sum() < 3000
    assert result.report["planned"] == result.report["sent"] == len(table)
    assert set(table["outcome"].to_pylist()) == {Outcome.OK}
    sent = {index for index, _, _ in server.truth()["requests"]}
    assert sent >= set(table["index"].to_pylist())


def test_counts_grow_to_what_the_samples_say(known_server: Server, play: Play) -> None:
    """One in four takes 200 ms, and the objective is 100 ms."""
    server = known_server(service_s=[0.01, 0.01, 0.01, 0.2])
    watcher = Watcher()
    result, table = play(server.url, steady_s=3.0, end_early=watcher, slo_s=0.1)
    assert result.ended_early is None
    for before, after in pairwise(watcher.seen):
        assert after.ended >= before.ended
        assert after.missed >= before.missed
    last = watcher.seen[-1]
    steady = table.filter(table["intended_ns"].to_numpy() >= result.phases.steady_ns)
    late = steady["received_ns"].to_numpy() - steady["intended_ns"].to_numpy() > 100_000_000
    assert 0 < last.missed <= late.sum()
    assert 0 < last.ended <= len(steady)


def test_without_an_objective_nothing_is_missed(known_server: Server, play: Play) -> None:
    watcher = Watcher()
    play(known_server(status=503).url, steady_s=1.5, end_early=watcher)
    assert watcher.seen[-1].ended > 0
    assert watcher.seen[-1].missed == 0


def test_failures_and_drops_are_missed(known_server: Server, play: Play) -> None:
    watcher = Watcher()
    server = known_server(status=503, service_s=[0.2])
    _, table = play(server.url, steady_s=2.0, end_early=watcher, slo_s=5.0, max_in_flight=5)
    assert set(table["outcome"].to_pylist()) == {Outcome.HTTP_ERROR, Outcome.DROPPED}
    assert 0 < watcher.seen[-1].missed == watcher.seen[-1].ended


def test_who_never_answers_is_missed_before_patience_ends(known_server: Server, play: Play) -> None:
    watcher = Watcher(missed=20)
    server = known_server(service_s=[60.0])
    result, table = play(
        server.url, steady_s=30.0, end_early=watcher, slo_s=0.3, timeout_s=50.0, drain_s=0.1
    )
    assert result.ended_early is not None
    assert watcher.seen[-1].ended == 0
    assert set(table["outcome"].to_pylist()) == {Outcome.CENSORED}


def test_an_end_while_warming_up_leaves_an_empty_steady_state(
    known_server: Server, play: Play
) -> None:
    server = known_server(service_s=[0.01])
    result, table = play(
        server.url, warm_up_s=20.0, steady_s=5.0, end_early=lambda _: "enough", workers=2
    )
    assert result.ended_early == "enough"
    assert result.phases.start_ns < result.phases.steady_ns == result.phases.end_ns
    assert np.all(table["intended_ns"].to_numpy() < result.phases.end_ns)
    assert "schedule_lag_p50_ns" not in result.report


def test_a_reason_found_at_the_very_end_ends_nothing(known_server: Server, play: Play) -> None:
    server = known_server(service_s=[0.01])
    whole = {"warm_up_s": 0.1, "steady_s": 0.1}
    result, table = play(server.url, end_early=lambda _: "too late", rate_rps=200, **whole)
    assert result.ended_early is None
    assert result.phases.end_ns - result.phases.start_ns == 200_000_000
    assert table["index"].to_pylist() == list(range(len(table)))
