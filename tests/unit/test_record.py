"""The record format: what was once written stays readable, and says what it said."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from harness.quality import SCORES
from harness.record import (
    FORMAT_VERSION,
    SCORE_COLUMNS,
    USAGE_COLUMNS,
    Measure,
    RunRecord,
    TrialPlace,
    TrialRecord,
    write_record,
)
from harness.run_directory import RunDirectory
from workloads.payload_files import own_files
from workloads.payloads import read_payloads
from workloads.plan import read_plan
from workloads.sample import SCHEMA, Outcome, read_samples

GOLDEN = Path(__file__).parents[1] / "golden" / "record"
VERSION_1 = RunDirectory(GOLDEN / "version-1")
VERSION_2 = RunDirectory(GOLDEN / "version-2")
VERSION_3 = RunDirectory(GOLDEN / "version-3")
VERSION_4 = RunDirectory(GOLDEN / "version-4")


def test_every_version_of_the_format_has_a_recorded_run() -> None:
    kept = {path.name for path in GOLDEN.iterdir()}
    assert kept == {f"version-{number}" for number in range(1, FORMAT_VERSION + 1)}


def test_version_1_run() -> None:
    record = RunRecord.read(VERSION_1.path)
    assert record.format_version == 1
    assert record.run_id == "20261122-134614-golden"
    assert record.status == "complete"
    assert [sut.key for sut in record.suts] == ["null_service:floor", "monolith:default"]
    assert [step.offered_rps for step in record.steps] == [40.0]
    assert record.best_batch == 16
    assert len(record.ceiling) == 8
    assert record.ceiling[0].rate_rps == pytest.approx(
        record.ceiling[0].images / record.ceiling[0].wall_s
    )
    assert {place.directory for place in record.schedule} == {
        "b00-s00-null_service-floor",
        "b00-s00-monolith-default",
    }


def test_version_1_trials() -> None:
    record = RunRecord.read(VERSION_1.path)
    trials = [_trial(place) for place in record.schedule]
    assert [trial.place for trial in trials] == list(record.schedule)
    for trial in trials:
        assert trial.outcome == "ok"
        assert trial.phases
        assert trial.phases.end_ns - trial.phases.steady_ns == 2 * 10**9
        assert not trial.valid
        assert {"schedule_lag", "host_under_pressure"} == {r.code for r in trial.reasons}


def test_version_1_plan_samples_and_usage() -> None:
    plan = read_plan(VERSION_1.plan(0, 0))
    assert (plan.header.workload, plan.header.graphs) == ("poisson", ("guess",))
    assert {plan.graph(index) for index in range(len(plan.offsets_ns))} == {"guess"}
    for place in RunRecord.read(VERSION_1.path).schedule:
        folder = VERSION_1.trial(place)
        samples = read_samples(sorted(folder.glob("samples-*.parquet")))
        assert samples.schema == SCHEMA
        assert samples["index"].to_pylist() == list(range(len(plan.offsets_ns)))
        assert set(samples["outcome"].to_pylist()) == {Outcome.OK}
        usage = pq.read_table(folder / "usage.parquet")
        assert tuple(usage.column_names) == USAGE_COLUMNS[: len(usage.column_names)]
        assert set(usage["component"].to_pylist()) >= {"generator", "server"}


def test_version_1_payloads_and_references() -> None:
    payloads = read_payloads(VERSION_1.payloads)
    assert len(payloads) == 6
    assert {payload.media_type for payload in payloads} == {"text/plain"}
    assert len(VERSION_1.references.read_text().splitlines()) == 6


def _trial(place: TrialPlace, run: RunDirectory = VERSION_1) -> TrialRecord:
    return TrialRecord.model_validate_json((run.trial(place) / "trial.json").read_text())


def test_version_2_has_a_capacity_search() -> None:
    record = RunRecord.read(VERSION_2.path)
    assert (record.format_version, record.status) == (2, "complete")
    capacities = VERSION_2.capacities()
    assert {capacity.sut for capacity in capacities} == {sut.key for sut in record.suts}
    for capacity in capacities:
        assert capacity.probes
        for number, probe in enumerate(capacity.probes):
            assert probe.place.probe == number
            trial = _trial(probe.place, VERSION_2)
            assert trial.offered_rps == probe.offered_rps
            assert read_plan(VERSION_2.plan_of(probe.place)).header.rate_rps == probe.offered_rps
        if capacity.capacity_rps is not None:
            confirming = capacity.probes[capacity.confirmed_by or 0]
            assert (confirming.role, confirming.verdict) == ("confirmation", "holds")


def test_version_2_usage_has_every_column() -> None:
    for place in RunRecord.read(VERSION_2.path).schedule:
        usage = pq.read_table(VERSION_2.trial(place) / "usage.parquet")
        assert tuple(usage.column_names) == USAGE_COLUMNS


def test_version_3_has_payloads_of_a_graph_events_and_scores() -> None:
    record = RunRecord.read(VERSION_3.path)
    assert (record.format_version, record.status) == (3, "complete")
    assert record.backends["state"] == "sqlite"
    own = own_files(VERSION_3.payloads)
    assert [one.headers for one in read_payloads(own["hello"])] == [
        {"X-Who": f"caller {number}"} for number in range(6)
    ]
    (trial,) = [t for t in VERSION_3.trials() if t.place.sut == "monolith:default"]
    assert trial.verification
    assert trial.verification.not_compared == {"hello": "answers vary"}
    assert [(event.action, event.ends, event.answer) for event in trial.events] == [
        ("cheer", False, {"mood": "glad"}),
        ("cheer", True, {"mood": "calm"}),
    ]
    assert trial.phases
    for event in trial.events:
        assert trial.phases.steady_ns < event.intended_ns <= (event.sent_ns or 0)
        assert (event.sent_ns or 0) < (event.received_ns or 0) < trial.phases.drained_ns
    assert trial.quality["hello"]["named"] == Measure(mean=1.0, n=29)
    scores = pq.read_table(VERSION_3.trial(trial.place) / SCORES)
    assert tuple(scores.column_names) == SCORE_COLUMNS
    assert set(scores["measure"].to_pylist()) == {"named", "long"}


def test_version_4_bears_tags_and_what_is_older_has_none() -> None:
    record = RunRecord.read(VERSION_4.path)
    assert (record.format_version, record.status) == (4, "complete")
    assert record.tags == ("golden", "nightly")
    assert [trial.place for trial in VERSION_4.trials()] == list(record.schedule)
    for old in (VERSION_1, VERSION_2, VERSION_3):
        assert RunRecord.read(old.path).tags == ()


def test_writing_is_whole_and_reading_gives_the_same(tmp_path: Path) -> None:
    record = RunRecord.read(VERSION_1.path)
    write_record(tmp_path / "run.json", record)
    assert RunRecord.read(tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_an_unknown_key_is_an_error() -> None:
    record = RunRecord.read(VERSION_1.path).model_dump()
    with pytest.raises(ValidationError, match="extra_forbidden"):
        RunRecord.model_validate({**record, "colour": "blue"})


def test_latest_follows_the_newest_run_and_never_replaces_a_real_folder(tmp_path: Path) -> None:
    record = RunRecord.read(VERSION_1.path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        RunDirectory(tmp_path / name).save_run(record)
    assert (tmp_path / "latest").resolve() == (tmp_path / "two").resolve()
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").mkdir()
    RunDirectory(tmp_path / "one").save_run(record)
    assert not (tmp_path / "latest").is_symlink()
