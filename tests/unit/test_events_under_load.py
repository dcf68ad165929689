"""What a pattern asks of a run: its graphs' own bodies, events in time, scored answers."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness.quality import SCORES
from harness.record import SCORE_COLUMNS, RunRecord, TrialRecord
from harness.run_directory import RunDirectory
from workloads.payloads import read_payloads
from workloads.plan import LoadPlan, read_plan
from workloads.sample import Outcome, read_samples

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240.0

SCENARIO = f"""
name = "moods"
suts = ["monolith"]
[ensemble]
module = "moods"
tier = "plain"
graph = "hello"
search_path = ["{ROOT / "tests" / "second_ensemble"}"]
[budget]
memory_gib = 2
[load]
workload = "constant"
rates = [40]
graphs = {{ hello = 3, count = 1 }}
warm_up_s = 0.5
steady_s = 2
drain_s = 2
blocks = 2
payloads = 8
answer_every = 1
[slo]
percentile = 50
response_time_s = 2
[[events]]
at = 0.25
to = "sut"
action = "cheer"
body = {{ mood = "glad" }}
until = 0.75
then = {{ mood = "sad" }}
[[events]]
at_s = 1.0
to = "/v1/hello"
body = {{ key = 99 }}
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


def harness(*arguments: str) -> RunDirectory:
    ended = subprocess.run(
        [sys.executable, "-m", "harness", "run", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return RunDirectory(Path(ended.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("moods")
    (folder / "moods.toml").write_text(SCENARIO)
    return harness(str(folder / "moods.toml"), "--out", str(folder / "runs"))


def played(run: RunDirectory) -> list[TrialRecord]:
    found = run.trials()
    assert [trial.outcome for trial in found] == ["ok", "ok"], [trial.error for trial in found]
    return found


def rows_of(run: RunDirectory, trial: TrialRecord) -> tuple[LoadPlan, list[dict[str, Any]]]:
    files = sorted(run.trial(trial.place).glob("samples-*.parquet"))
    rows = read_samples(files).to_pylist()
    assert {row["outcome"] for row in rows} == {Outcome.OK}
    return read_plan(run.plan_of(trial.place)), rows


def test_each_graph_is_sent_what_it_asks_for(ran: RunDirectory) -> None:
    own = read_payloads(ran.path / "payloads-hello.parquet")
    assert [one.headers for one in own] == [{"X-Who": f"caller {i}"} for i in range(8)]
    assert not (ran.path / "payloads-count.parquet").exists()
    for trial in played(ran):
        plan, rows = rows_of(ran, trial)
        asked = {"hello": 0, "count": 0}
        for row in rows:
            graph, payload = plan.graph(row["index"]), int(plan.payloads[row["index"]])
            answer = json.loads(row["answer"])
            asked[graph] += 1
            if graph == "hello":
                assert (answer["who"], answer["key"]) == (f"caller {payload}", payload)
            else:
                assert answer == {"letters": payload + 1}
        assert min(asked.values()) > 0


def test_only_a_graph_whose_answers_do_not_vary_is_compared(ran: RunDirectory) -> None:
    assert [path.name for path in ran.path.glob("references*")] == ["references-count.jsonl"]
    for trial in played(ran):
        seen = trial.verification
        assert seen is not None
        plan, rows = rows_of(ran, trial)
        assert (seen.before, seen.before_different, seen.under_load_different) == (8, 0, 0)
        assert seen.under_load == sum(plan.graph(row["index"]) == "count" for row in rows)
        assert seen.not_compared == {"hello": "answers vary"}


def test_events_happen_in_their_time_under_load(ran: RunDirectory) -> None:
    for trial in played(ran):
        phases, events = trial.phases, trial.events
        assert phases is not None
        assert [(e.event, e.ends, e.to, e.action) for e in events] == [
            (0, False, "sut", "cheer"),
            (1, False, "/v1/hello", "/v1/hello"),
            (0, True, "sut", "cheer"),
        ]
        after_ns = [event.intended_ns - phases.steady_ns for event in events]
        assert after_ns == [500_000_000, 1_000_000_000, 1_500_000_000]
        assert [event.status for event in events] == [200, 200, 200]
        assert [event.answer for event in events] == [
            {"mood": "glad"},
            {"mood": "glad", "who": "nobody", "key": 99},
            {"mood": "sad"},
        ]
        assert not {"event_failed", "no_steady_state"} & {reason.code for reason in trial.reasons}
        plan, rows = rows_of(ran, trial)
        _check_moods([row for row in rows if plan.graph(row["index"]) == "hello"], trial)


def _check_moods(rows: Sequence[dict[str, Any]], trial: TrialRecord) -> None:
    """Each answer has a mood that was in force somewhere between its send and its receipt."""
    glad, _, sad = trial.events
    assert glad.sent_ns
    assert glad.received_ns
    assert sad.sent_ns
    assert sad.received_ns
    assert glad.sent_ns >= glad.intended_ns
    since = {"calm": 0, "glad": glad.sent_ns, "sad": sad.sent_ns}
    until = {"calm": glad.received_ns, "glad": sad.received_ns, "sad": 2**63}
    seen = set()
    for row in rows:
        mood = json.loads(row["answer"])["mood"]
        assert row["received_ns"] >= since[mood]
        assert row["sent_ns"] <= until[mood]
        seen.add(mood)
    assert seen == {"calm", "glad", "sad"}


def test_every_kept_answer_is_scored(ran: RunDirectory) -> None:
    for trial in played(ran):
        plan, rows = rows_of(ran, trial)
        phases = trial.phases
        assert phases is not None
        wanted, means = [], {"hello": [], "count": []}  # type: ignore[var-annotated]
        for row in rows:
            graph, payload = plan.graph(row["index"]), int(plan.payloads[row["index"]])
            score = 1.0 if graph == "hello" else float(payload + 1 > 3)
            wanted.append((row["index"], "named" if graph == "hello" else "long", score))
            if row["intended_ns"] >= phases.steady_ns:
                means[graph].append(score)
        table = pq.read_table(ran.trial(trial.place) / SCORES)
        assert tuple(table.column_names) == SCORE_COLUMNS
        assert [tuple(row.values()) for row in table.to_pylist()] == wanted
        assert {
            graph: {name: (one.mean, one.n) for name, one in measures.items()}
            for graph, measures in trial.quality.items()
        } == {
            "hello": {"named": (1.0, len(means["hello"]))},
            "count": {"long": (sum(means["count"]) / len(means["count"]), len(means["count"]))},
        }


def test_a_run_taken_up_again_keeps_what_it_has_and_plays_the_rest_alike(ran: RunDirectory) -> None:
    kept, lost = played(ran)
    before = (ran.trial(kept.place) / "trial.json").read_bytes()
    for path in ran.trial(lost.place).iterdir():
        path.unlink()
    record = RunRecord.read(ran.path)
    assert record.backends == {
        "state": "sqlite",
        "database": "sqlite",
        "features": "sqlite",
        "moderation": "absent",
    }
    assert "payloads-hello.parquet" in record.digests
    ran.save_run(record.model_copy(update={"status": "interrupted"}))
    harness("--resume", str(ran.path))
    assert (ran.trial(kept.place) / "trial.json").read_bytes() == before
    _, again = played(ran)
    assert [e.action for e in again.events] == [e.action for e in lost.events]
    assert again.quality == lost.quality
    plan, rows = rows_of(ran, again)
    _check_moods([row for row in rows if plan.graph(row["index"]) == "hello"], again)
