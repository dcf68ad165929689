"""Reading a run directory: phases, stage timings, and what is no run."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from architectures.contract import StageTiming, format_server_timing, parse_server_timing
from harness.record import FORMAT_VERSION
from reports.frames import NotARun, open_run, read_trial
from reports.metrics import measure
from reports.page import render
from reports.requests import read_stages
from reports.results import measure_run
from reports.subject import Subject
from reports.timings import stage_timings
from tests.golden.report.simulated_run import MONOLITH, START_NS, Plan, simulate
from workloads.plan import read_plan
from workloads.sample import SCHEMA, Outcome

NAMES = st.sampled_from(["decode", "detect", "category", "key-points", "v1.crop"])
NS = st.integers(0, 20_000_000_000)
TIMINGS = st.lists(st.builds(StageTiming, NAMES, NS, NS, NS, st.integers(1, 512)), max_size=6)
FOREIGN = st.sampled_from(["cdn-cache; desc=HIT", "", "db;dur=3", "x;dur=a;queue=b", "é;dur=1"])


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), FOREIGN, TIMINGS), max_size=8), FOREIGN)
def test_columns_hold_what_the_contract_reads(
    requests: list[str | list[StageTiming] | None], foreign: str
) -> None:
    headers = [
        request
        if request is None or isinstance(request, str)
        else f"{foreign}, {format_server_timing(request, 9)}"
        for request in requests
    ]
    frame = stage_timings(pa.array(headers, pa.string()))
    for row, header in enumerate(headers):
        expected = () if header is None else parse_server_timing(header)[0]
        mine = frame[frame["row"] == row]
        assert mine["stage"].tolist() == [t.stage for t in expected]
        assert mine["batch_size"].tolist() == [t.batch_size for t in expected]
        for column, name in (("wall_s", "wall_ns"), ("queue_s", "queue_ns"), ("hop_s", "hop_ns")):
            ns = [getattr(t, name) for t in expected]
            assert (mine[column] * 1e9).tolist() == pytest.approx(ns, abs=1)


def test_phases_go_by_intended_start(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(50.0,), blocks=1))
    run = open_run(tmp_path / "run")
    trial = read_trial(run, run.trials[0])
    assert trial is not None
    offsets = read_plan(tmp_path / "run/plans/b00-s00.parquet").offsets_ns
    assert (trial.samples["intended_ns"] - START_NS).tolist() == offsets.tolist()
    warm_up = int((offsets < 2_000_000_000).sum())
    assert trial.samples["phase"].value_counts()["warm-up"] == warm_up
    assert trial.planned == len(offsets) - warm_up


def test_a_lost_workers_requests_stay_planned(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(50.0,), blocks=1))
    whole = open_run(tmp_path / "run")
    before = read_trial(whole, whole.trials[0])
    next((tmp_path / "run").glob("trials/*/samples-1.parquet")).unlink()
    after = read_trial(whole, whole.trials[0])
    assert before is not None
    assert after is not None
    assert len(after.samples) < len(before.samples)
    assert after.planned == before.planned


def test_a_closed_loop_plans_what_its_clients_sent(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(), blocks=1, concurrency=(1,)))
    run = open_run(tmp_path / "run")
    file = next((tmp_path / "run").glob("trials/*/samples-0.parquet"))
    rows = pq.read_table(file).to_pylist()
    for row in rows[len(rows) // 2 :]:  # what a plan holds beyond the time that was played
        row |= {"sent_ns": 0, "received_ns": 0, "outcome": int(Outcome.DROPPED)}
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), file)
    trial = read_trial(run, run.trials[0])
    assert trial is not None
    assert (trial.samples["sent_ns"] > 0).all()
    assert trial.planned == (trial.samples["phase"] == "steady").sum() > 0
    values = measure(Subject(trial, None, None))
    assert values["response_p50_ms"] == values["service_p50_ms"]  # both run from the send


def test_stages_of_a_long_trial_are_read_from_evenly_spaced_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(100.0,), blocks=1))
    run = open_run(tmp_path / "run")
    files = sorted((tmp_path / "run").glob("trials/*/samples-*.parquet"))
    phases = run.trials[0].phases
    assert phases is not None
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    counted = [
        row["server_timing"]
        for row in rows
        if phases.steady_ns <= row["intended_ns"] < phases.end_ns and row["outcome"] == Outcome.OK
    ]
    for most in (10**6, len(counted), len(counted) // 3, 7):
        monkeypatch.setattr("reports.requests.STAGE_ANSWERS", most)
        step = -(-len(counted) // most)
        expected = stage_timings(pa.array(counted[::step])).groupby("stage", observed=True)
        found = read_stages(files, phases, len(counted)).set_index("stage")
        assert found["answers"].to_dict() == expected.size().to_dict()
        for column in ("wall_s", "queue_s", "compute_s", "hop_s"):
            assert found[column].to_dict() == pytest.approx(expected[column].sum().to_dict())


def test_a_trial_that_never_played_has_nothing_to_read(tmp_path: Path) -> None:
    failed = frozenset({(0, 0, MONOLITH.key)})
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(50.0,), blocks=1, failed=failed))
    run = open_run(tmp_path / "run")
    assert read_trial(run, run.trials[0]) is None


def test_a_trial_that_ended_in_its_warm_up_has_no_figures_but_its_reason(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(50.0,), blocks=2))
    path = next((tmp_path / "run").glob("trials/b00-*/trial.json"))
    document = json.loads(path.read_text())
    document["phases"]["end_ns"] = document["phases"]["steady_ns"] - 10**9
    path.write_text(json.dumps(document | {"ended_early": "a component died: web"}))
    run = open_run(tmp_path / "run")
    assert read_trial(run, run.trials[0]) is None
    results = measure_run(run)
    assert results.cells[0].estimates["throughput_rps"].n == 1
    assert "a component died: web." in render(results)


def test_a_directory_that_is_no_run_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(NotARun, match=r"has no run\.json; give a directory under runs/"):
        open_run(tmp_path)


@pytest.mark.parametrize("name", ["run.json", "trial.json"])
def test_a_newer_format_is_refused_by_name(tmp_path: Path, name: str) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(50.0,), blocks=1))
    path = next((tmp_path / "run").rglob(name))
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"format_version": FORMAT_VERSION + 1, "new": 1}))
    with pytest.raises(NotARun, match=rf"{name}: format_version is {FORMAT_VERSION + 1}.*newer"):
        open_run(tmp_path / "run")


@pytest.mark.parametrize("text", ["{", "[]", '{"run_id": 3}', ""])
def test_a_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(NotARun, match=r"run\.json cannot be read as a RunRecord"):
        open_run(tmp_path)
