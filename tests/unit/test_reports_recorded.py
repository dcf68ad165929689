"""Runs recorded by every version of the format still report, and report what their rows say."""

import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from harness.record import Phases
from reports.__main__ import main
from reports.estimate import Missing
from reports.frames import open_run
from reports.results import TrialResult, measure_run

RECORDED = sorted((Path(__file__).parents[1] / "golden" / "record").glob("version-*"))

Rows = list[dict[str, Any]]


@pytest.mark.parametrize("run", RECORDED, ids=lambda run: run.name)
def test_an_old_run_still_makes_its_page(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(run), "--out", str(tmp_path / "report.html")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "report.html").stat().st_size > 1_000_000


@pytest.mark.parametrize("run", RECORDED, ids=lambda run: run.name)
def test_its_figures_are_what_plain_arithmetic_makes_of_its_rows(run: Path) -> None:
    results = measure_run(open_run(run))
    assert results.slo is not None
    trials = [trial for cell in results.cells for trial in cell.trials if trial.values]
    assert trials
    for trial in trials:
        for key, expected in by_hand(run, trial, results.slo.response_time_s).items():
            found = trial.values[key]
            assert not isinstance(found, Missing), (key, found)
            assert found == pytest.approx(expected), (trial.record.place, key)


def by_hand(run: Path, trial: TrialResult, slo_s: float) -> dict[str, float]:
    folder, phases = run / "trials" / trial.record.place.directory, trial.record.phases
    assert phases is not None
    files = sorted(folder.glob("samples-*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    steady_s = (phases.end_ns - phases.steady_ns) / 1e9
    planned = [r for r in rows if phases.steady_ns <= r["intended_ns"] < phases.end_ns]
    good = [(r["received_ns"] - r["intended_ns"]) / 1e9 for r in planned if r["outcome"] == 0]
    done = [r for r in rows if phases.steady_ns <= r["received_ns"] < phases.end_ns]
    whole = [r for r in done if r["outcome"] == 0]
    timely = [r for r in whole if r["received_ns"] - r["intended_ns"] <= slo_s * 1e9]
    usage = pq.read_table(folder / "usage.parquet").to_pylist()
    usage = [row for row in usage if row["component"] != "generator"]
    figures = {
        "offered_rps": len(planned) / steady_s,
        "achieved_rps": len(done) / steady_s,
        "throughput_rps": len(whole) / steady_s,
        "goodput_rps": len(timely) / steady_s,
        "error_share": 1 - len(good) / len(planned),
        "cpu_ms": cpu_s(usage, phases) / len(whole) * 1e3,
        "pss_peak_mb": peak_pss(usage) / 1e6,
    }
    if len(good) >= 20:
        figures["response_p50_ms"] = statistics.median(good) * 1e3
    return figures


def cpu_s(usage: Rows, phases: Phases) -> float:
    names = {row["component"] for row in usage}
    return sum(
        read_at(usage, name, phases.end_ns) - read_at(usage, name, phases.steady_ns)
        for name in names
    )


def read_at(usage: Rows, component: str, t_ns: int) -> float:
    found = sorted((r["t_ns"], r["cpu_s"]) for r in usage if r["component"] == component)
    for (t0, c0), (t1, c1) in pairwise(found):
        if t0 <= t_ns <= t1:
            return float(c0 + (c1 - c0) * (t_ns - t0) / (t1 - t0))
    raise AssertionError(f"{component} was not read around {t_ns}")


def peak_pss(usage: Rows) -> int:
    sums: dict[int, int] = {}
    for row in usage:
        if row["pss_bytes"] is not None:
            sums[row["t_ns"]] = sums.get(row["t_ns"], 0) + row["pss_bytes"]
    return max(sums.values())
