"""Closed loop: each client has one request at a time, pauses, and plays its own rows in turn."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.drive import DriveError
from workloads.plan import read_plan
from workloads.sample import Outcome

Server = Callable[..., Any]
Play = Callable[..., Any]


def closed(concurrency: int, think_time_s: float = 0.0) -> Mapping[str, Any]:
    return {
        "workload": "closed",
        "rate_rps": 0.0,
        "concurrency": concurrency,
        "think_time_s": think_time_s,
    }


def of_client(table: pa.Table, client: int, clients: int) -> dict[str, Any]:
    mine = table.filter(table["index"].to_numpy() % clients == client)
    return {name: mine[name].to_numpy() for name in ("index", "intended_ns", "sent_ns")} | {
        "received_ns": mine["received_ns"].to_numpy(),
        "worker": mine["worker"].to_numpy(),
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_a_client_sends_after_its_last_has_ended_and_its_pause(
    known_server: Server, play: Play, tmp_path: Any, workers: int
) -> None:
    server = known_server(service_s=[0.02])
    plan = closed(5, think_time_s=0.03)
    result, table = play(server.url, steady_s=2.0, plan=plan, workers=workers)
    pauses_ns = read_plan(tmp_path / "plan.parquet").offsets_ns
    assert set(table["outcome"].to_pylist()) == {Outcome.OK}
    for client in range(5):
        seen = of_client(table, client, 5)
        assert seen["index"].tolist() == list(range(client, 5 * len(seen["index"]), 5))
        assert set(seen["worker"]) == {client % workers}
        before = np.concatenate([[result.phases.start_ns], seen["received_ns"][:-1]])
        assert (seen["intended_ns"] - before == pauses_ns[seen["index"]]).all()
        assert (seen["sent_ns"] >= seen["intended_ns"]).all()
    assert table["intended_ns"].to_numpy().max() < result.phases.end_ns
    assert result.report["schedule_lag_p99_ns"] > 0
    assert result.report["loop_lag_p999_ns"] >= result.report["loop_lag_p99_ns"] > 0
    heard = [index for index, _, _ in server.truth()["requests"]]
    assert sorted(heard) == sorted(table["index"].to_pylist())


def test_never_more_at_once_than_clients_and_without_pauses_as_many(
    known_server: Server, play: Play
) -> None:
    server = known_server(service_s=[0.02])
    result, table = play(server.url, steady_s=1.0, plan=closed(4))
    begun_ns, ended_ns = np.array([at for _, *at in server.truth()["requests"]]).T
    at_once = [int(((begun_ns <= t) & (ended_ns > t)).sum()) for t in begun_ns]
    assert max(at_once) == 4
    intended_ns = table["intended_ns"].to_numpy()
    assert set(intended_ns) - set(table["received_ns"].to_numpy()) == {result.phases.start_ns}


def test_one_answer_late_holds_only_its_own_client(known_server: Server, play: Play) -> None:
    server = known_server(service_s=[1.0] + [0.01] * 10_000)
    _, table = play(server.url, warm_up_s=0.0, steady_s=1.5, plan=closed(2))
    counts = [len(of_client(table, client, 2)["index"]) for client in (0, 1)]
    assert min(counts) * 2 < max(counts)


def test_patience_and_dead_servers_let_clients_go_on(known_server: Server, play: Play) -> None:
    server = known_server(service_s=[0.01, 30.0])
    _, table = play(server.url, steady_s=1.0, plan=closed(3), timeout_s=0.2, drain_s=1.0)
    assert {Outcome.OK, Outcome.TIMED_OUT} == set(map(Outcome, table["outcome"].to_pylist()))
    result, table = play("http://127.0.0.1:9", steady_s=1.0, plan=closed(3))
    assert set(table["outcome"].to_pylist()) == {Outcome.CONNECTION_ERROR}
    assert result.ended_early is None
    assert 3 < len(table) <= 3 * 16


def test_a_plan_that_runs_out_ends_the_trial_and_says_so(
    known_server: Server, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workloads.closed.FASTEST_S", 0.05)
    server = known_server(service_s=[0.001])
    result, table = play(server.url, steady_s=4.0, plan=closed(2))
    assert result.ended_early is not None
    assert "requests for 2 clients ran out after" in result.ended_early
    assert len(table) >= 91
    assert result.phases.end_ns < result.phases.start_ns + 4_500_000_000


def test_a_closed_loop_can_be_ended_early(known_server: Server, play: Play) -> None:
    server = known_server(service_s=[0.01])
    result, table = play(
        server.url,
        steady_s=20.0,
        plan=closed(3),
        slo_s=0.005,
        workers=2,
        end_early=lambda counts: "hopeless" if counts.missed > 50 else None,
    )
    assert result.ended_early == "hopeless"
    assert table["intended_ns"].to_numpy().max() < result.phases.end_ns


def test_more_clients_than_sockets_are_refused(play: Play) -> None:
    with pytest.raises(DriveError, match=r"concurrency 901 with 1 workers .* use 2 workers"):
        play("http://127.0.0.1:9", steady_s=0.5, plan=closed(901))
