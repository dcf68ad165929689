"""A violin is counted from every answer; its tail is drawn answer by answer."""

import numpy as np
import pytest

from reports.charts.violin import MOST_SLICES, violins
from reports.frames import open_run
from reports.results import Results, measure_run
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, SLOW_HOST, Plan, simulate

PLAN = Plan(
    suts=(MONOLITH, MICROSERVICES),
    rates=(70.0,),
    blocks=2,
    steady_s=8.0,
    doubts={(1, 0, MONOLITH.key): (SLOW_HOST,)},
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, PLAN)
    return measure_run(open_run(path))


@pytest.fixture(scope="module")
def traces(results: Results) -> dict[str, dict[str, object]]:
    chart = violins(results, results.record.steps[0])
    assert chart is not None
    return {trace["name"]: trace for trace in chart.figure["data"]}


def test_the_width_of_a_violin_is_the_share_of_answers(
    results: Results, traces: dict[str, dict[str, object]]
) -> None:
    widths = {}
    for cell in results.cells:
        for trial in cell.trials:
            assert trial.picture is not None
            times_ms = trial.picture.responses_s * 1e3
            outline = traces[f"{cell.sut.key}, block {trial.record.place.block}"]
            x, y = np.asarray(outline["x"]), np.asarray(outline["y"])
            half = len(x) // 2
            lower, upper = y[0:half:2], y[1:half:2]
            width = (x[0:half:2] - x[::-1][0:half:2]).round(9)
            assert len(width) <= MOST_SLICES
            assert (y[:half] == y[::-1][:half]).all()
            inside = [
                ((times_ms >= a) & (times_ms < b)).mean() for a, b in zip(lower, upper, strict=True)
            ]
            assert sum(inside) == pytest.approx(1, abs=0.01)
            widths |= {(cell.sut.key, trial.record.place.block): max(width)}
            scale = width.sum() / sum(inside)
            assert width / scale == pytest.approx(inside, abs=0.01)
    assert list(widths.values()) == pytest.approx([0.92] * 4, abs=0.01)


def test_marks_are_the_tables_percentiles_and_the_slowest_answers(
    results: Results, traces: dict[str, dict[str, object]]
) -> None:
    cell = results.cell(MICROSERVICES.key, 0)
    values = [t.values["response_p50_ms"] for t in cell.trials]
    marks = traces[f"{MICROSERVICES.key}, median"]
    assert marks["y"] == pytest.approx(values, rel=1e-3)
    assert marks["meta"] == {"columns": ["block", "n"]}
    slowest = traces[f"{MICROSERVICES.key}, slowest answers"]
    expected = [t.picture.responses_s[-10:] * 1e3 for t in cell.trials if t.picture]
    assert slowest["y"] == pytest.approx(np.concatenate(expected), rel=1e-3)
    assert "answers of" in str(slowest["hovertext"])


def test_a_block_that_is_not_trusted_is_drawn_faint(traces: dict[str, dict[str, object]]) -> None:
    assert traces[f"{MONOLITH.key}, block 0"]["opacity"] == 1
    assert traces[f"{MONOLITH.key}, block 1"]["opacity"] != 1
