"""Every number that is drawn says its interval and its n, in words and in columns."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from reports.charts.hover import COLUMNS, said, told
from reports.estimate import Estimate
from reports.frames import open_run
from reports.page_sections import sections
from reports.prices import read_prices
from reports.results import Results, measure_run
from reports.wording import DASH
from tests.golden.report.simulated_patterns import add_patterns
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, SLOW_HOST, Plan, simulate

PLAN = Plan(
    suts=(MONOLITH, MICROSERVICES),
    rates=(40.0, 90.0, 220.0),
    concurrency=(2, 4),
    blocks=2,
    steady_s=3.0,
    warm_up_s=1.0,
    device="cuda:1",
    searched_rps={MONOLITH.key: ((60.0, 120.0, 160.0, 120.0),) * 2},
    doubts={(1, 0, MONOLITH.key): (SLOW_HOST,)},
)


def test_an_estimate_says_its_value_unit_interval_and_n() -> None:
    assert said(Estimate(0.5, 0.4, 0.6, 3), "share") == (
        f"50.0 %<br>95 % interval 40.0{DASH}60.0 %<br>n = 3 blocks"
    )
    assert said(Estimate(12.0, None, None, 1, "one block: no interval"), "ms") == (
        "12.0 ms<br>one block: no interval"
    )
    assert said(Estimate(None, None, None, 2, "not carried"), "ms") == "not carried"


def test_columns_are_low_high_and_n_as_they_are_drawn() -> None:
    trace = told([Estimate(0.5, 0.4, 0.6, 3), Estimate(0.2, None, None, 1)], "share", "%{x}", 100)
    assert trace["customdata"] == [[40.0, 60.0, 3], [None, None, 1]]
    assert trace["meta"] == {"columns": list(COLUMNS)}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, PLAN)
    add_patterns(path)
    return measure_run(open_run(path), read_prices())


def drawn(results: Results) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in sections(results):
        for chart in section.charts:
            for trace in chart.figure["data"]:
                yield chart.key, trace


def test_nothing_with_an_interval_hides_it(results: Results) -> None:
    intervals = 0
    for key, trace in drawn(results):
        if "error_x" in trace or "error_y" in trace or trace["type"] == "bar":
            intervals += 1
            assert trace["meta"]["columns"][:3] == list(COLUMNS), key
            assert len(trace["hovertext"]) == len(trace["x"])
            assert any("n = " in text for text in trace["hovertext"] if text), key
    assert intervals > 40


def test_columns_fit_their_points_and_every_trace_answers_or_is_skipped(results: Results) -> None:
    keys = set()
    for key, trace in drawn(results):
        keys.add(key)
        assert ("hovertemplate" in trace) != (trace.get("hoverinfo") == "skip"), key
        columns = trace.get("meta", {}).get("columns", [])
        for row in trace.get("customdata", []):
            assert len(row) == len(columns), key
        assert len(trace.get("customdata", trace["x"])) == len(trace["x"]), key
        assert all(x is None or isinstance(x, str) or math.isfinite(x) for x in trace["x"])
        json.dumps(trace, allow_nan=False)
    expected = {
        "capacities", "sweep-response_p95_ms", "closed-sweep-throughput", "cdf-0", "tail-0",
        "violin-1", f"series-0-{MONOLITH.key}", f"waterfall-1-{MONOLITH.key}",
        f"load-cores-{MONOLITH.key}", f"load-pss-{MONOLITH.key}", f"load-gpu-{MONOLITH.key}",
        f"closed-load-cores-{MICROSERVICES.key}", "load-gpu_utilization", "cpu-1",
        "efficiency_cpu", "by-block-start-up", "capacity-efficiency",
    }  # fmt: skip
    assert expected <= keys


def test_a_sut_has_one_colour_everywhere(results: Results) -> None:
    suts = {sut.key for sut in results.record.suts}
    colours = {
        (trace["name"], trace["line"]["color"])
        for _, trace in drawn(results)
        if trace.get("name") in suts and "line" in trace
    }
    assert len(colours) == len(suts)


def test_components_stack_to_what_the_sut_used(results: Results) -> None:
    figures = {key: [] for key, _ in drawn(results)}
    for key, trace in drawn(results):
        figures[key].append(trace)
    traces = figures[f"load-cores-{MICROSERVICES.key}"]
    assert [trace["name"] for trace in traces] == list(MICROSERVICES.components)
    cell = results.cell(MICROSERVICES.key, 1)
    total = sum(trace["y"][1] for trace in traces)
    per_block = [
        float(t.values["cpu_ms"]) / 1e3 * float(t.values["throughput_rps"]) for t in cell.trusted
    ]
    assert total == pytest.approx(sum(per_block) / len(per_block), rel=1e-3)


def test_saturation_is_marked_and_explained(results: Results) -> None:
    traces = [trace for key, trace in drawn(results) if key == "sweep-response_p50_ms"]
    assert [trace["marker"]["symbol"][2] for trace in traces[:2]] == ["x", "x"]
    assert "saturated" in traces[0]["hovertext"][2]
    assert "saturated" in [trace["name"] for trace in traces[2:]]
