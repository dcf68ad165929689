"""What reports read of serving patterns, against small cases worked out by hand."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from architectures.contract import StageTiming, format_server_timing
from harness.record import Phases, PlayedEvent
from reports.estimate import Missing
from reports.patterns.answers import read_answers
from reports.patterns.around import around
from reports.patterns.choices import choices
from reports.patterns.graphs import graphs_of
from reports.patterns.learning import courses
from reports.patterns.regret import regrets
from reports.patterns.segments import segments
from reports.patterns.timings import graph_timings
from reports.patterns.versions import spreads
from workloads.plan import LoadPlan, PlanHeader
from workloads.sample import Outcome, write_samples

MS = 1_000_000
S = 1_000_000_000


def node(kind: str, *after: str, answers: bool = False, detached: bool = False) -> dict[str, Any]:
    return {"kind": kind, "after": list(after), "answers": answers, "detached": detached}


INFO = {
    "nodes": {
        "vote": {
            "decode": node("light"),
            "a": node("model", "decode"),
            "b": node("model", "decode"),
            "lookup": node("io"),
            "tally": node("light", "a", "b", "lookup", answers=True),
            "shadow": node("model", "decode", detached=True),
        },
        "one": {"c": node("model", answers=True)},
    }
}


def plan(graphs: list[int], names: tuple[str, ...] = ("vote", "one")) -> LoadPlan:
    count = len(graphs)
    header = PlanHeader("constant", names, 10.0, 0.0, count / 10, 1)
    offsets = np.arange(count) * 100 * MS
    return LoadPlan(header, offsets, np.zeros(count, np.int32), np.array(graphs, np.int8))


def timed(*stages: tuple[str, float, float, int]) -> str:
    """A header of ``(stage, wall_ms, compute_ms, batch)``, no queue."""
    return format_server_timing(
        [StageTiming(name, int(w * MS), 0, int(c * MS), batch) for name, w, c, batch in stages],
        9 * MS,
    )


def headers(*texts: str) -> pa.Table:
    return pa.table(
        {"index": pa.array(range(len(texts)), pa.int32()), "server_timing": list(texts)}
    )


def test_graphs_are_read_as_the_sut_told_them() -> None:
    vote = graphs_of(INFO)["vote"]
    assert vote.answer == "tally"
    assert vote.models == {"a", "b", "shadow"}
    assert vote.io == {"lookup"}
    assert vote.siblings == (frozenset({"a", "b"}),)
    assert graphs_of({"architecture": "older"}) == {}


def test_each_graph_s_times_are_its_own() -> None:
    told = headers(
        timed(("decode", 1, 1, 1), ("a", 4, 3, 2), ("b", 8, 5, 2), ("lookup", 6, 6, 0)),
        timed(("c", 7, 7, 1)),
        timed(("decode", 1, 1, 1), ("a", 2, 2, 1), ("lookup", 2, 2, 0)),
    )
    found = graph_timings(told, plan([0, 1, 0]), graphs_of(INFO))
    vote = found["vote"]
    assert vote.answers == 2
    assert vote.models == pytest.approx(3 / 2)
    assert vote.compute_ms == pytest.approx((1 + 3 + 5 + 1 + 2) / 2)
    assert vote.wait_ms == pytest.approx((6 + 2) / 2)
    assert vote.straggler_ms == pytest.approx(8 - 6)  # of the one answer that ran both
    assert vote.shares["b"] == pytest.approx(0.5)
    assert found["one"].models == 1
    assert isinstance(found["one"].straggler_ms, Missing)


def test_imbalance_is_of_models_that_run_for_some_only() -> None:
    three = [timed(("a", 1, 1, 1))] * 3 + [timed(("b", 1, 1, 1))]
    found = graph_timings(headers(*three), plan([0] * 4), graphs_of(INFO))["vote"]
    # a ran 3 times, b once: even would be 2 each; nobody waits for the shadow
    assert found.imbalance == pytest.approx(3 / 2)


def samples(folder: Path, rows: list[dict[str, Any]]) -> list[Path]:
    columns = {
        "index": list(range(len(rows))),
        "worker": [0] * len(rows),
        "intended_ns": [row["at"] for row in rows],
        "sent_ns": [row["at"] for row in rows],
        "received_ns": [row["at"] + 5 * MS for row in rows],
        "outcome": [int(row.get("outcome", Outcome.OK)) for row in rows],
        "status": [200] * len(rows),
        "response_bytes": [1] * len(rows),
        "server_timing": [None] * len(rows),
        "answer": [row["answer"] for row in rows],
    }
    write_samples(folder / "samples-0.parquet", columns)
    return [folder / "samples-0.parquet"]


def said(**document: Any) -> bytes:
    return json.dumps(document).encode()


def swap_event(**answer: Any) -> PlayedEvent:
    return PlayedEvent(
        event=0, to="sut", action="rollout", intended_ns=1, sent_ns=1,
        received_ns=int(1.5 * S), status=200, answer=answer,
    )  # fmt: skip


def test_a_version_s_way_to_every_replica(tmp_path: Path) -> None:
    rows = [
        {"at": 0, "answer": said(version=1, replica="x")},
        {"at": 1 * S, "answer": said(version=1, replica="y")},
        {"at": 2 * S, "answer": said(version=2, replica="x")},
        {"at": 3 * S, "answer": said(version=1, replica="y")},
        {"at": 4 * S, "answer": said(version=2, replica="y")},
        {"at": 5 * S, "answer": b"no json"},
        {"at": 6 * S, "answer": said(version=3, replica="x"), "outcome": Outcome.HTTP_ERROR},
        {"at": 7 * S, "answer": None},
    ]
    answers = read_answers(samples(tmp_path, rows), plan([0] * 8))
    (found,) = spreads(answers, [swap_event(version=2)])
    assert (found.of, found.versions, found.replicas, found.late_answers) == ("vote", 1, 2, 1)
    assert found.published
    assert found.first_s == pytest.approx(0.505)
    assert found.last_s == found.worst_s == pytest.approx(2.505)
    assert found.mixed_s == pytest.approx(1.0)
    (unknown,) = spreads(answers, [])
    assert not unknown.published
    assert unknown.first_s == 0
    assert unknown.last_s == pytest.approx(2.0)


def test_replicas_own_word_goes_before_the_first_answer(tmp_path: Path) -> None:
    rows = [
        {"at": 0, "answer": said(version=0, replica="x", published_ns=None, adopted_ns=1)},
        {"at": 2 * S, "answer": said(version=1, replica="x", published_ns=S, adopted_ns=S + MS)},
        {"at": 9 * S, "answer": said(version=1, replica="y", published_ns=S, adopted_ns=None)},
    ]
    answers = read_answers(samples(tmp_path, rows), plan([0, 0, 0]))
    told = {"slot": "candidate", "replica": "x", "version": 7, "published_ns": S}
    swaps = [told | {"serving_ns": 3 * S}, told | {"version": 8, "failed": "OSError"}]
    mine, slot = spreads(answers, [swap_event(swaps=swaps)])
    assert mine.replicas == 1, "the other began with it, and was not behind"
    assert mine.last_s == pytest.approx(0.001)
    assert (slot.of, slot.versions, slot.last_s) == ("slot candidate", 1, 2.0)


def test_a_version_that_comes_again_is_not_late_and_slots_are_not_mixed(tmp_path: Path) -> None:
    def answer(at: int, version: int, slot: str, published: int | None) -> dict[str, Any]:
        told = {"version": version, "slot": slot, "replica": "x", "published_ns": published}
        return {"at": at * S, "answer": said(**told)}

    rows = [
        answer(0, 1, "known_good", None),
        answer(1, 2, "candidate", S // 2),
        answer(2, 1, "known_good", None),
        answer(3, 2, "known_good", 3 * S),
        answer(4, 1, "known_good", 4 * S),
        answer(5, 1, "known_good", 4 * S),
    ]
    (found,) = spreads(read_answers(samples(tmp_path, rows), plan([0] * 6)), [])
    assert (found.of, found.versions, found.late_answers) == ("vote known_good", 2, 0)
    assert found.last_s == pytest.approx(0.005)


def test_quality_as_time_goes_by(tmp_path: Path) -> None:
    count = 100
    drawn = plan([0] * count)
    begun = S
    phases = Phases(
        start_ns=begun, steady_ns=begun, end_ns=begun + 10 * S, drained_ns=begun + 11 * S
    )
    score = [1.0 if i < 50 else 0.0 for i in range(count)]
    table = {"index": list(range(count)), "measure": ["right"] * count, "score": score}
    pq.write_table(pa.table(table), tmp_path / "scores.parquet")
    (found,) = courses(tmp_path / "scores.parquet", drawn, phases)
    assert found.scores == (1.0,) * 5 + (0.0,) * 5
    assert found.n == (10,) * 10
    assert found.at_s[0] == pytest.approx(0.5)
    assert courses(tmp_path / "none.parquet", drawn, phases) == []


def test_which_model_answered_and_how_well(tmp_path: Path) -> None:
    rows = [{"at": i * S, "answer": said(model="big" if i == 3 else "small")} for i in range(4)]
    answers = read_answers(samples(tmp_path, rows), plan([0] * 4))
    scores = {"index": [0, 1, 2, 3], "measure": ["right"] * 4, "score": [1.0, 0.0, 1.0, 1.0]}
    pq.write_table(pa.table(scores), tmp_path / "scores.parquet")
    small, big = choices(answers, tmp_path / "scores.parquet")
    assert (small.model, small.n, small.share) == ("small", 3, 0.75)
    assert small.scores["right"] == pytest.approx(2 / 3)
    assert big.scores == {"right": 1.0}
    assert choices(answers, tmp_path / "none.parquet")[0].scores == {}


def test_regret_is_against_the_best_fixed_choice_on_the_same_payloads(tmp_path: Path) -> None:
    names = ("choose", "only_a", "only_b")
    header = PlanHeader("constant", names, 10.0, 0.0, 1.0, 1)
    # payloads 0 and 1 are asked of all; payload 2 of the chooser alone
    asked = [(0, 0), (0, 1), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1)]
    rewards = [1.0, 0.0, 0.5, 9.0, 1.0, 0.0, 0.2, 0.9]
    drawn = LoadPlan(
        header,
        np.arange(len(asked)),
        np.array([payload for _, payload in asked], np.int32),
        np.array([graph for graph, _ in asked], np.int8),
    )
    table = {"index": range(8), "measure": ["reward"] * 8, "score": rewards}
    pq.write_table(pa.table(table), tmp_path / "scores.parquet")
    (found,) = regrets(tmp_path / "scores.parquet", drawn, {"choose"})
    # a would have earned 1 + 0 + 0, b 0.2 + 0.9 + 0.9, itself 1 + 0 + 0.5
    assert (found.best, found.answers) == ("only_b", 3)
    assert found.total == pytest.approx(2.0 - 1.5)
    assert found.later == pytest.approx(1.8 - 0.5)
    assert regrets(tmp_path / "scores.parquet", drawn, set(names)) == []


def test_requests_about_an_event_are_parted_from_the_others() -> None:
    at = np.arange(0, 10 * S, S // 10)
    slow = (at >= 4 * S) & (at < 5 * S)
    ok = ~((at >= 4 * S) & (at < 4.2 * S))
    frames = SimpleNamespace(
        phases=SimpleNamespace(steady_ns=S),
        samples=pd.DataFrame(
            {
                "intended_ns": at,
                "received_ns": at + np.where(slow, 500, 10) * MS,
                "ok": ok,
                "phase": np.where(at >= S, "steady", "warm-up"),
            }
        ),
    )
    swap = PlayedEvent(
        event=0, to="sut", action="promote", intended_ns=4 * S, sent_ns=4 * S,
        received_ns=4 * S + 100 * MS, status=200,
    )  # fmt: skip
    unsent = PlayedEvent(event=1, to="sut", action="late", intended_ns=9 * S, error="it ended")
    (found, never), rest = around(frames, [swap, unsent])  # type: ignore[arg-type]
    assert found.at_s == 3
    assert found.took_s == pytest.approx(0.1)
    assert (found.during.requests, found.during.errors) == (11, 2)
    assert found.during.worst_ms == pytest.approx(500)
    assert never.during.requests == 0
    assert never.at_s is None
    assert (rest.requests, rest.errors) == (90 - 11, 0)
    assert rest.worst_ms == pytest.approx(10)


def test_what_requests_cost_before_and_after_an_event(tmp_path: Path) -> None:
    drawn = plan([0] * 100)
    at = S + drawn.offsets_ns
    readings = np.arange(0, 13) * S
    spent = np.where(readings <= 6 * S, readings / S * 0.1, 0.6 + (readings / S - 6) * 0.2)
    frames = SimpleNamespace(
        phases=SimpleNamespace(start_ns=S, steady_ns=S, end_ns=11 * S),
        samples=pd.DataFrame(
            {"intended_ns": at, "received_ns": at + 10 * MS, "ok": True, "phase": "steady"}
        ),
        usage=pd.DataFrame({"t_ns": readings, "component": "server", "cpu_s": spent}),
    )
    scores = [1.0 if i < 50 else 0.5 for i in range(100)]
    table = {"index": list(range(100)), "measure": ["right"] * 100, "score": scores}
    pq.write_table(pa.table(table), tmp_path / "scores.parquet")
    shadow = PlayedEvent(
        event=0, to="sut", action="shadow", intended_ns=6 * S, sent_ns=6 * S,
        received_ns=6 * S, status=200,
    )  # fmt: skip
    before, after = segments(frames, [shadow], drawn, tmp_path / "scores.parquet")  # type: ignore[arg-type]
    assert (before.after, after.after) == ("the start", "shadow")
    assert before.cpu_ms == pytest.approx(10)  # 0.1 cores for 10 answers a second
    assert after.cpu_ms == pytest.approx(20)
    assert (before.scores, after.scores) == ({"right": 1.0}, {"right": 0.5})
    assert segments(frames, [], drawn, tmp_path / "scores.parquet") == []  # type: ignore[arg-type]
