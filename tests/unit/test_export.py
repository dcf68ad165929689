"""Exports: read back, they are the summary's very numbers and the recorded rows."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from harness.effort.record import EFFORT_FILE, EffortRecord, EffortRow
from harness.record import RunRecord
from reports.__main__ import main
from reports.export.run_sheets import COMPARISONS, ESTIMATES, TRIALS
from reports.export.samples import SAMPLES
from tests.golden.report.simulated_run import (
    MICROSERVICES,
    MONOLITH,
    SLOW_HOST,
    START_NS,
    Plan,
    simulate,
)
from workloads.sample import Outcome, read_samples

PLAN = Plan(
    suts=(MONOLITH, MICROSERVICES),
    blocks=2,
    steady_s=1.5,
    warm_up_s=0.5,
    concurrency=(4,),
    searched_rps={MONOLITH.key: ((60.0, 160.0, 60.0),) * 2},
    doubts={(0, 0, MONOLITH.key): (SLOW_HOST,)},
    failed=frozenset({(1, 1, MICROSERVICES.key)}),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, PLAN)
    assert CliRunner().invoke(main, [str(path)]).exit_code == 0
    return path


@pytest.fixture(scope="module")
def said(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "summary.json").read_text())
    return found


def export(run: Path, *arguments: object) -> str:
    done = CliRunner().invoke(main, ["export", str(run), *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


def rows_of(text: str) -> list[dict[str, Any]]:
    """CSV rows, each number as Python reads it; an empty field is None."""
    rows = csv.DictReader(io.StringIO(text))
    return [{key: value or None for key, value in row.items()} for row in rows]


def same(row: dict[str, Any], estimate: dict[str, Any]) -> None:
    for end in ("point", "low", "high"):
        assert (None if row[end] is None else float(row[end])) == estimate[end]
    assert int(row["n"]) == estimate["n"]
    assert row["unit"] == (estimate["unit"] or None)
    assert (row["note"] or "") == estimate["note"]
    assert float(row["level"]) == 0.95


def estimates_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every estimate in a document, wherever it stands."""
    if isinstance(node, dict) and {"point", "low", "high"} <= node.keys():
        yield node
    elif isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from estimates_in(inner)


def numbers(row: dict[str, Any]) -> tuple[Any, ...]:
    ends = (None if row[end] is None else float(row[end]) for end in ("point", "low", "high"))
    return (*ends, int(row["n"]), row["unit"] or "", row["note"] or "")


def test_estimates_are_all_the_summarys_very_numbers(run: Path, said: dict[str, Any]) -> None:
    rows = rows_of(export(run))
    assert list(rows[0]) == ESTIMATES.names
    every = [said["cells"], said["capacities"], said["deployments"], said["ceiling"]]
    assert Counter(map(numbers, rows)) == Counter(map(numbers, estimates_in(every)))
    assert len(rows) > 400
    assert {row["scenario"] for row in rows} == {"simulated"}


def test_estimates_are_found_by_what_they_are_of(run: Path, said: dict[str, Any]) -> None:
    names = ("sut", "asked", "about", "part", "metric")
    rows = rows_of(export(run))
    found = {tuple(row[name] for name in names): row for row in rows}
    assert len(found) == len(rows)
    for cell in said["cells"]:
        place = (cell["sut"], cell["asked"])
        for key, estimate in cell["estimates"].items():
            row = found[(*place, "metric", None, key)]
            same(row, estimate)
            assert (row["offered_rps"] and float(row["offered_rps"])) == cell["offered_rps"]
            assert int(row["trusted_trials"]) == cell["trusted"]
        for part, estimate in cell["cpu_ms"].items():
            same(found[(*place, "component", part, "cpu_ms")], estimate)
    (capacity,) = said["capacities"]
    same(found[(MONOLITH.key, "capacity", "capacity", None, "capacity_rps")], capacity["rps"])


def test_trials_hold_every_value_and_every_reason(run: Path, said: dict[str, Any]) -> None:
    rows = rows_of(export(run, "--what", "trials"))
    assert list(rows[0]) == TRIALS.names
    found = {(r["block"], r["step"], r["sut"], r["probe"], r["metric"]): r for r in rows}
    assert len(found) == len(rows)
    every = [*said["trials"], *said["probes"]]
    for trial in every:
        step = None if trial["probe"] is not None else str(trial["step"])
        probe = None if trial["probe"] is None else str(trial["probe"])
        place = (str(trial["block"]), step, trial["sut"], probe)
        for metric, value in trial["values"].items():
            row = found[(*place, metric)]
            assert (None if row["value"] is None else float(row["value"])) == value
            assert row["missing"] == trial["missing"].get(metric)
            assert row["trusted"] == str(trial["valid"]).lower()
    assert len(rows) == sum(max(1, len(trial["values"])) for trial in every)
    doubted = found[("0", "0", MONOLITH.key, None, "cpu_ms")]
    assert (doubted["trusted"], doubted["reasons"]) == ("false", "host-pressure")
    failed = found[("1", "1", MICROSERVICES.key, None, None)]
    assert (failed["outcome"], failed["error"]) == ("failed", "did not start")
    searched = [row for row in rows if row["probe"] is not None]
    assert {row["asked"] for row in searched} == {"capacity search"}
    assert {float(row["offered_rps"] or 0) for row in searched} == {60.0, 160.0}


def test_comparisons_are_the_summarys(run: Path, said: dict[str, Any]) -> None:
    rows = rows_of(export(run, "--what", "comparisons"))
    assert list(rows[0]) == COMPARISONS.names
    assert len(rows) == len(said["comparisons"])
    for row, one in zip(rows, said["comparisons"], strict=True):
        same(row, one["ratio"])
        assert (row["this"], row["other"]) == (one["this"], one["other"])
        assert (row["metric"], row["word"]) == (one["metric"], one["word"])


@pytest.mark.parametrize("what", ["estimates", "trials", "comparisons"])
def test_every_form_says_the_same(run: Path, tmp_path: Path, what: str) -> None:
    out = tmp_path / "out.parquet"
    assert export(run, "--what", what, "--out", out).strip() == str(out)
    parquet = pq.read_table(out)
    as_csv = pd.read_csv(
        io.StringIO(export(run, "--what", what)), dtype_backend="pyarrow", engine="pyarrow"
    )
    assert json.loads(export(run, "--what", what, "--format", "json")) == parquet.to_pylist()
    frame = parquet.to_pandas()
    assert list(as_csv.columns) == parquet.column_names
    for name in ("point", "low", "high", "value"):
        if name in frame:
            given = pd.to_numeric(as_csv[name]).to_numpy(float, na_value=float("nan"))
            assert pd.Series(given).equals(frame[name].astype(float))


def test_json_alone_is_the_summary_itself(run: Path) -> None:
    assert export(run, "--format", "json") == (run / "summary.json").read_text()


def test_without_a_summary_of_the_run_as_it_stands_it_is_measured_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    simulate(run, Plan(suts=(MONOLITH,), rates=(20.0,), blocks=1, steady_s=1.0, warm_up_s=0.0))
    first = export(run, "--format", "json")
    assert json.loads(first)["status"] == "complete"
    assert not (run / "summary.json").exists()
    stale = first.replace('"status": "complete"', '"status": "running"', 1)
    (run / "summary.json").write_text(stale)
    assert export(run, "--format", "json") == first
    assert (run / "summary.json").read_text() == stale


def of_trial(frame: pd.DataFrame, trial: dict[str, Any]) -> pd.DataFrame:
    """A trial's rows."""
    place = trial["place"]
    step = "step" if place["probe"] is None else "probe"
    closed = frame["concurrency"].notna() == (trial["concurrency"] is not None)
    same = (frame["block"] == place["block"]) & (frame["sut"] == place["sut"]) & closed
    return frame[same & (frame[step] == place[step])]


def test_samples_are_every_request_as_recorded(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "samples.parquet"
    export(run, "--what", "samples", "--out", out)
    frame = pq.read_table(out).to_pandas()
    assert list(frame.columns) == SAMPLES.names
    seen = 0
    for folder in sorted((run / "trials").iterdir()):
        trial = json.loads((folder / "trial.json").read_text())
        if trial["phases"] is None:
            continue
        rows = read_samples(sorted(folder.glob("samples-*.parquet"))).to_pylist()
        mine = of_trial(frame, trial)
        assert mine["index"].tolist() == [row["index"] for row in rows]
        for got, row in zip(mine.to_dict("records"), rows, strict=True):
            for name in ("intended", "sent", "received"):
                assert got[f"{name}_s"] == (row[f"{name}_ns"] - START_NS) / 1e9
            assert got["outcome"] == Outcome(row["outcome"]).name.lower()
            assert got["status"] == row["status"]
            assert got["trusted"] == (not trial["reasons"])
            late = row["intended_ns"] >= trial["phases"]["steady_ns"]
            assert got["phase"] == ("steady" if late else "warm-up")
        seen += len(rows)
    assert seen == len(frame) > 1000


def test_samples_read_back_from_csv_to_the_last_digit(run: Path, tmp_path: Path) -> None:
    export(run, "--what", "samples", "--out", tmp_path / "samples.parquet")
    frame = pq.read_table(tmp_path / "samples.parquet").to_pandas()
    again = pd.read_csv(io.StringIO(export(run, "--what", "samples")))
    for name in ("intended_s", "sent_s", "received_s"):
        assert again[name].equals(frame[name])
    assert again["phase"].tolist() == frame["phase"].tolist()


def test_a_request_without_an_answer_has_no_time_of_one(tmp_path: Path) -> None:
    record = simulate(
        tmp_path / "run", Plan(suts=(MONOLITH,), rates=(20.0,), blocks=1, steady_s=1, warm_up_s=0)
    )
    (folder,) = (tmp_path / "run/trials").iterdir()
    path = folder / "samples-0.parquet"
    table = pq.read_table(path)
    received = table.column_names.index("received_ns")
    nothing = table["received_ns"].combine_chunks().take([0] * table.num_rows)
    zero = nothing.cast("int64").to_pandas() * 0
    pq.write_table(table.set_column(received, "received_ns", [zero.to_numpy()]), path)
    export(tmp_path / "run", "--what", "samples", "--out", tmp_path / "s.parquet")
    frame = pq.read_table(tmp_path / "s.parquet").to_pandas()
    assert frame.loc[frame["worker"] == 0, "received_s"].isna().all()
    assert frame.loc[frame["worker"] == 1, "received_s"].notna().all()
    assert set(frame["run_id"]) == {record.run_id}


def test_markdown_is_the_headline(run: Path, said: dict[str, Any]) -> None:
    text = export(run, "--format", "markdown")
    assert text.startswith("### simulated\n")
    assert "| SUT | Goodput, rps | Response p50, ms |" in text
    assert "| monolith:batched |" in text
    assert "**Capacity**" in text
    cell = next(cell for cell in said["cells"] if cell["sut"] == MICROSERVICES.key)
    cpu = cell["estimates"]["cpu_ms"]
    point, low, high = (f"{cpu[end]:.3g}" for end in ("point", "low", "high"))
    assert f"{point} ({low}\N{EN DASH}{high}, n = 2)" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    widths = {line.count("|") for line in lines}
    assert widths == {5, 10}
    assert "Run `simulated`, servebench 0.1.0" in text


def test_markup_stays_text_in_markdown(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(20.0,), blocks=1, steady_s=1))
    record = RunRecord.read(tmp_path / "run")
    evil = "<img src=x> | **bold** @everyone\n# head"
    scenario = {**record.scenario, "summary": evil}
    evil_record = record.model_copy(update={"scenario": scenario})
    (tmp_path / "run/run.json").write_text(evil_record.model_dump_json())
    text = export(tmp_path / "run", "--format", "markdown")
    assert "<img" not in text
    assert "**bold**" not in text
    assert "\n# head" not in text
    assert "@everyone" not in text


def test_a_long_sweep_is_folded(tmp_path: Path) -> None:
    rates = (10.0, 20.0, 30.0, 40.0)
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=rates, blocks=1, steady_s=1))
    text = export(tmp_path / "run", "--format", "markdown")
    assert text.count("<details>") == text.count("</details>") == 1


def test_the_files_name_says_the_form(run: Path, tmp_path: Path) -> None:
    for name, begins in (
        ("a.csv", b'"run_id"'), ("a.json", b"{\n"), ("a.md", b"###"), ("a.parquet", b"PAR1")
    ):  # fmt: skip
        export(run, "--out", tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)


def test_nothing_is_written_over_without_force(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("mine")
    done = CliRunner().invoke(main, ["export", str(run), "--out", str(out)])
    assert done.exit_code == 2
    assert "is there already; name another file, or replace it by --force" in done.output
    assert out.read_text() == "mine"
    export(run, "--out", out, "--force")
    assert out.read_text() == export(run)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "parquet"], "Parquet is not text: name a file"),
        (["--what", "samples", "--format", "json"], "samples may be millions"),
        (["--what", "pairs"], "a run has no pairs; it exports estimates, trials, comparisons and"),
        (["--what", "trials", "--format", "markdown"], "markdown is the headline"),
        (["--out", "no/such/folder/a.csv"], "cannot be written"),
    ],
)
def test_mistakes_are_words(run: Path, arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["export", str(run), *arguments])
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


def test_what_is_no_run_is_not_exported(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["export", str(tmp_path)])
    assert done.exit_code == 2
    assert "is not a run" in done.output


def test_damaged_samples_are_words(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(20.0,), blocks=1, steady_s=1.0))
    next((tmp_path / "run/trials").glob("*/samples-0.parquet")).write_bytes(b"PAR1")
    for what in ("estimates", "samples"):
        out = tmp_path / "out.csv"
        asked = ["export", str(tmp_path / "run"), "--what", what, "--out", str(out)]
        done = CliRunner().invoke(main, asked)
        assert (done.exit_code, out.exists()) == (2, False)
        assert "damaged" in done.output
    done = CliRunner().invoke(main, ["index", str(tmp_path), "--fresh"])
    assert done.exit_code == 0
    assert "index: run has no page" in done.output
    assert "damaged or edited" in done.output
    assert not list(tmp_path.glob(".*"))


def test_an_effort_record_exports_its_own_rows(run: Path, tmp_path: Path) -> None:
    whole = RunRecord.read(run)
    row = EffortRow(sut="monolith:x", deployment="3", repeat=0, start_up_s=2.5, models=3)
    record = EffortRecord(
        run_id="e", created_utc=whole.created_utc, version="0.1.0", name="growth", summary="s",
        axis="models", suts=("monolith:x",), deployments=("3",), code_lines={"monolith:x": 90},
        environment=whole.environment, ensemble=whole.ensemble, complete=True,
        rows=(row, row.model_copy(update={"repeat": 1, "start_up_s": 3.5}),
              EffortRow(sut="monolith:x", deployment="3", repeat=2, error="no")),
    )  # fmt: skip
    (tmp_path / EFFORT_FILE).write_text(record.model_dump_json())
    rows = rows_of(export(tmp_path))
    start = next(row for row in rows if row["metric"] == "start_up_s")
    assert (start["unit"], float(start["point"]), start["n"]) == ("s", 3.0, "2")
    each = rows_of(export(tmp_path, "--what", "deployments"))
    assert [row["start_up_s"] for row in each] == ["2.5", "3.5", None]
    assert [row["error"] for row in each] == [None, None, "no"]
    assert [row["models"] for row in each] == ["3", "3", None]
    assert json.loads(export(tmp_path, "--format", "json"))["name"] == "growth"
    done = CliRunner().invoke(main, ["export", str(tmp_path), "--what", "samples"])
    assert "an effort record has no samples; it exports estimates and deployments" in done.output
