"""Money and efficiency as they are drawn: the tables' figures, beside the ceiling."""

from pathlib import Path

import pytest

from reports.charts.cost import cost_charts
from reports.charts.figure import Chart
from reports.frames import open_run
from reports.prices import read_prices
from reports.results import Results, measure_run
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, Plan, simulate

PLAN = Plan(suts=(MONOLITH, MICROSERVICES), rates=(40.0, 90.0), blocks=2, steady_s=4.0)


def priced(path: Path, plan: Plan) -> tuple[Results, dict[str, Chart]]:
    simulate(path, plan)
    results = measure_run(open_run(path), read_prices())
    charts = cost_charts(results, results.record.steps)
    return results, {chart.key: chart for chart in charts}


def test_over_rates_each_suts_cost_and_its_share_of_the_ceiling(tmp_path: Path) -> None:
    results, charts = priced(tmp_path / "run", PLAN)
    assert set(charts) == {
        "cost-usd_per_million_reserved",
        "cost-usd_per_million_used",
        "efficiency_rate",
        "efficiency_cpu",
    }
    used = charts["cost-usd_per_million_used"].figure["data"][1]
    cells = [results.cell(MICROSERVICES.key, step) for step in (0, 1)]
    expected = [cell.estimates["usd_per_million_used"].point for cell in cells]
    assert used["x"] == [40.0, 90.0]
    assert used["y"] == pytest.approx(expected, rel=1e-3)
    efficiency = charts["efficiency_cpu"].figure
    share = cells[0].estimates["efficiency_cpu"]
    assert share.point is not None
    assert efficiency["data"][1]["y"][0] == pytest.approx(share.point * 100, rel=1e-3)
    assert efficiency["data"][1]["customdata"][0][0] == pytest.approx((share.low or 0) * 100, 1e-3)
    assert [shape["y0"] for shape in efficiency["layout"]["shapes"]] == [100.0]


def test_at_a_single_step_they_stand_sut_by_sut(tmp_path: Path) -> None:
    results, charts = priced(tmp_path / "run", Plan(suts=PLAN.suts, rates=(40.0,), blocks=1))
    dots = charts["at-0-usd_per_million_reserved"].figure["data"][0]
    assert dots["y"] == [MICROSERVICES.key, MONOLITH.key]
    assert "one block: no interval" in dots["hovertext"][0]
    assert charts["at-0-efficiency_rate"].figure["layout"]["shapes"][0]["x0"] == 100.0
    assert not results.capacities
