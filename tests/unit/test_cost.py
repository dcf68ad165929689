"""Costs against hand arithmetic on what was put into a simulated run."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from reports.__main__ import main
from reports.cost import Reserved, Spending, usd_energy, usd_reserved, usd_used
from reports.estimate import Missing
from reports.frames import open_run
from reports.prices import Energy, Price, PriceSheet
from reports.results import measure_run
from tests.golden.report.simulated_run import GPU_POWER_W, GPU_SHARE, MONOLITH, Plan, simulate

PRICE = Price.model_validate(
    {
        "cloud": "ours",
        "product": "a machine",
        "region": "here",
        "as_of": dt.date(2026, 11, 22),
        "source": "https://example.org",
        "vcpu_hour_usd": 0.036,
        "gib_hour_usd": 0.0072,
    }
)
WITH_GPU = PRICE.model_copy(update={"gpu": "a GPU", "gpu_hour_usd": 0.72})
ENERGY = Energy(usd_per_kwh=0.36, assumption="our bill")
SPENT = Spending(Reserved(2, 5, 0), 1000.0, 10.0, 6.0, 20.0, 0.0, Missing("none"))
SHEET = PriceSheet(default="here", energy=ENERGY, price={"here": PRICE, "gpu": WITH_GPU})
PLAN = Plan(suts=(MONOLITH,), rates=(60.0,), blocks=2, steady_s=5.0)


def test_reserved_is_the_whole_budget_for_the_time_the_answers_took() -> None:
    # (2 x 0.036 + 5 x 0.0072) USD an hour = 3e-5 USD a second, 10 s, 1,000 good answers
    assert usd_reserved(SPENT, PRICE) == pytest.approx(3e-5 * 10 / 1000 * 1e6)


def test_used_is_what_was_really_taken() -> None:
    # 6 CPU-s at 1e-5 USD and 20 GiB-s at 2e-6 USD, 1,000 good answers
    assert usd_used(SPENT, PRICE) == pytest.approx((6e-5 + 4e-5) / 1000 * 1e6)


def test_a_gpu_is_priced_where_there_is_one_and_only_there() -> None:
    on_gpu = replace(SPENT, reserved=Reserved(2, 5, 1), gpu_s=4.0, gpu_j=1000.0)
    assert usd_reserved(on_gpu, WITH_GPU) == pytest.approx((3e-5 + 2e-4) * 10 / 1000 * 1e6)
    assert usd_used(on_gpu, WITH_GPU) == pytest.approx((1e-4 + 4 * 2e-4) / 1000 * 1e6)
    assert usd_energy(on_gpu, ENERGY) == pytest.approx(1000 / 3.6e6 * 0.36 / 1000 * 1e6)
    assert isinstance(usd_reserved(on_gpu, PRICE), Missing)
    assert isinstance(usd_reserved(SPENT, WITH_GPU), Missing)
    assert isinstance(usd_used(SPENT, WITH_GPU), Missing)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"good": 0.0}, "no good answer in steady state"),
        ({"good": Missing("the scenario sets no SLO")}, "the scenario sets no SLO"),
        ({"reserved": Missing("not known")}, "not known"),
    ],
)
def test_what_is_not_known_has_no_price(change: dict, why: str) -> None:
    assert usd_reserved(replace(SPENT, **change), PRICE) == Missing(why)
    assert usd_energy(SPENT, ENERGY) == Missing("none")


def test_a_runs_cost_is_what_its_rows_make_it(tmp_path: Path) -> None:
    simulate(tmp_path / "run", PLAN)
    results = measure_run(open_run(tmp_path / "run"), SHEET)
    trial = results.cells[0].trials[0]
    phases = trial.record.phases
    assert phases is not None
    files = (tmp_path / "run/trials" / trial.record.place.directory).glob("samples-*.parquet")
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    done = [r for r in rows if phases.steady_ns <= r["received_ns"] < phases.end_ns]
    good = sum(r["received_ns"] - r["intended_ns"] <= PLAN.slo_s * 1e9 for r in done)
    hour_usd = 1 * 0.036 + 4 * 0.0072
    expected = hour_usd / (good / 5 * 3600) * 1e6
    assert trial.values["usd_per_million_reserved"] == pytest.approx(expected)
    # evenly spent CPU, and PSS that stands at its full height through the steady state
    speed = trial.values["cpu_ms"] / MONOLITH.cpu_ms
    cpu_usd = len(done) * MONOLITH.cpu_ms * speed / 1e3 * 1e-5
    memory_usd = MONOLITH.pss_mb * 1e6 / 2**30 * 5 * 2e-6
    expected = (cpu_usd + memory_usd) / good * 1e6
    assert trial.values["usd_per_million_used"] == pytest.approx(expected, rel=1e-5)


def test_without_a_sheet_or_a_budget_it_says_what_is_missing(tmp_path: Path) -> None:
    simulate(tmp_path / "run", replace(PLAN, blocks=1, budget={}))
    run = open_run(tmp_path / "run")
    values = measure_run(run).cells[0].trials[0].values
    assert values["usd_per_million_reserved"] == Missing("no price sheet was given")
    values = measure_run(run, SHEET).cells[0].trials[0].values
    assert values["usd_per_million_reserved"] == Missing("the scenario records no budget")
    assert isinstance(values["usd_per_million_used"], float)


def test_energy_is_that_of_the_gpu_the_sut_is_on(tmp_path: Path) -> None:
    simulate(tmp_path / "run", replace(PLAN, blocks=1, device="cuda"))
    sheet = SHEET.model_copy(update={"default": "gpu"})
    trial = measure_run(open_run(tmp_path / "run"), sheet).cells[0].trials[0]
    assert trial.spending is not None
    assert trial.spending.gpu_j == pytest.approx(GPU_POWER_W * 5)
    assert trial.spending.gpu_s == pytest.approx(GPU_SHARE * 5)
    assert trial.values["gpu_power_w"] == pytest.approx(GPU_POWER_W)
    assert trial.values["gpu_memory_mb"] == pytest.approx(3000)
    hour_usd = 1 * 0.036 + 4 * 0.0072 + 0.72
    expected = hour_usd / 3600 * 5 / trial.spending.good * 1e6
    assert trial.values["usd_per_million_reserved"] == pytest.approx(expected)


def test_an_old_run_is_priced_anew_without_load(tmp_path: Path) -> None:
    old = Path(__file__).parents[1] / "golden/record/version-1"
    sheet = tmp_path / "prices.toml"
    row = 'cloud = "c"\nproduct = "p"\nregion = "r"\nas_of = 2026-01-01\nsource = "https://e.org"\n'
    text = 'default = "a"\n[energy]\nusd_per_kwh = 0.1\nassumption = "none"\n'
    for name, usd in (("a", 0.04), ("b", 0.12)):
        text += f"[price.{name}]\n{row}vcpu_hour_usd = {usd}\ngib_hour_usd = 0.0\n"
    sheet.write_text(text)
    costs = []
    for name in ("a", "b"):
        out = tmp_path / name / "report.html"
        out.parent.mkdir()
        words = [str(old), "--out", str(out), "--prices", str(sheet), "--price", name]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        summary = json.loads((out.parent / "summary.json").read_text())
        assert summary["prices"]["default"] == name
        costs.append(summary["trials"][0]["values"]["usd_per_million_reserved"])
    assert costs[1] == pytest.approx(3 * costs[0])


def test_a_row_that_is_not_there_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tmp_path), "--price", "aws-fargat"])
    assert done.exit_code == 2
    assert "did you mean 'aws-fargate'" in done.output
    assert "Traceback" not in done.output
