"""A million samples behind it, and the page stays small and keeps its slowest answers."""

import json
import re
from typing import Any

import pytest

from reports.frames import open_run
from reports.page import render
from reports.results import measure_run
from tests.golden.report.simulated_many import SLOWEST_S, simulate_many
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, Plan

PLAN = Plan(suts=(MONOLITH, MICROSERVICES), rates=(60.0,), blocks=2, warm_up_s=0.0, steady_s=10.0)
ANSWERS = 250_000


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate_many(path, PLAN, ANSWERS)
    results = measure_run(open_run(path))
    assert sum(t.picture.planned for c in results.cells for t in c.trials if t.picture) == 1_000_000
    return render(results)


def figure(page: str, key: str) -> Any:
    data = r'<script type="application/json"[^>]*>(.*?)</script>'
    found = re.search(rf'id="{key}".*?{data}', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_it_stays_under_6_mb(page: str) -> None:
    assert len(page.encode()) < 6_000_000
    assert "n = 500,000 answers of 500,000 planned" in page


@pytest.mark.parametrize("key", ["cdf-0", "tail-0"])
def test_curves_reach_the_slowest_answer_in_few_points(page: str, key: str) -> None:
    drawn = figure(page, key)["data"]
    assert max(x for trace in drawn for x in trace["x"]) == SLOWEST_S * 1e3
    assert all(len(trace["x"]) < 700 for trace in drawn)


def test_violins_and_time_series_keep_the_slowest_answers(page: str) -> None:
    violin = figure(page, "violin-0")["data"]
    slowest = [trace for trace in violin if "slowest" in trace["name"]]
    expected = [(SLOWEST_S - i / 10) * 1e3 for i in reversed(range(10))] * PLAN.blocks
    assert len(slowest) == 2
    assert all(trace["y"] == pytest.approx(expected) for trace in slowest)
    assert all(len(trace["x"]) < 300 for trace in violin)
    series = figure(page, f"series-0-{MONOLITH.key}")["data"]
    worst = [y for trace in series if "slowest" in trace["name"] for y in trace["y"] if y]
    assert max(worst) == SLOWEST_S * 1e3
