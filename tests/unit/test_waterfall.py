"""Where stages stand in a waterfall, worked out by hand."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from architectures.contract import StageTiming, format_server_timing
from harness.record import TrialRecord, write_record
from reports.charts.ways import stage_charts
from reports.frames import open_run
from reports.results import Cell, measure_run
from reports.waterfall import Waterfall, waterfalls
from tests.golden.report.simulated_patterns import NODES
from tests.golden.report.simulated_run import MONOLITH, Plan, simulate
from workloads.sample import SCHEMA

MS = 1_000_000
PLAN = Plan(suts=(MONOLITH,), rates=(50.0,), blocks=2, steady_s=4.0)


def node(
    kind: str, *after: str, answers: bool = False, detached: bool = False
) -> dict[str, object]:
    return {"kind": kind, "after": sorted(after), "answers": answers, "detached": detached}


DIAMOND = {
    "first": node("io"),
    "short": node("model", "first"),
    "long": node("model", "first"),
    "seldom": node("model", "first"),
    "last": node("io", "short", "long", "seldom", answers=True),
    "aside": node("io", "last", detached=True),
}
EVERY = (
    StageTiming("first", 2 * MS, 1 * MS, MS // 2, 1),  # 1 queue, .5 compute, .5 hop
    StageTiming("short", 1 * MS, 0, 1 * MS, 1),
    StageTiming("long", 3 * MS, 0, 3 * MS, 1),
    StageTiming("last", 1 * MS, 0, 1 * MS, 0),  # a batch of none: it waits
    StageTiming("aside", 2 * MS, 0, 2 * MS, 1),
)
SELDOM = StageTiming("seldom", 4 * MS, 0, 4 * MS, 1)  # of every second answer


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, PLAN)
    tell(path, {"tag": DIAMOND})
    for file in path.glob("trials/*/samples-*.parquet"):
        rewrite(file)
    return measure_run(open_run(path)).cells[0]


def tell(path: Path, nodes: object) -> None:
    for file in path.glob("trials/*/trial.json"):
        record = TrialRecord.model_validate_json(file.read_text())
        write_record(file, record.model_copy(update={"info": {"nodes": nodes}}))


def rewrite(file: Path) -> None:
    rows = pq.read_table(file).to_pylist()
    for place, row in enumerate(rows):
        stages = (*EVERY, SELDOM) if place % 2 else EVERY
        row["server_timing"] = format_server_timing(list(stages), 9 * MS)
        row["received_ns"] = row["intended_ns"] + 10 * MS
        row["outcome"], row["status"] = 0, 200
    columns = {name: [row[name] for row in rows] for name in SCHEMA.names}
    pq.write_table(pa.table(columns, schema=SCHEMA), file)


@pytest.fixture(scope="module")
def fall(cell: Cell) -> Waterfall:
    (found,) = waterfalls(cell)
    return found


def test_each_stage_starts_where_its_last_input_ends(fall: Waterfall) -> None:
    starts = {bar.name: bar.start_ms.point for bar in fall.bars}
    assert starts == pytest.approx(
        {"first": 0, "short": 2, "long": 2, "seldom": 2, "last": 5, "aside": 6}
    )


def test_a_stage_counts_as_nothing_in_answers_that_did_not_run_it(fall: Waterfall) -> None:
    seldom = next(bar for bar in fall.bars if bar.name == "seldom")
    assert seldom.share == pytest.approx(0.5, abs=0.01)
    assert seldom.parts["compute_ms"].point == pytest.approx(2, abs=0.05)


def test_parts_are_queue_compute_wait_and_hop(fall: Waterfall) -> None:
    parts = {b.name: {k: round(e.point or 0, 6) for k, e in b.parts.items()} for b in fall.bars}
    assert parts["first"] == {"queue_ms": 1, "compute_ms": 0.5, "wait_ms": 0, "hop_ms": 0.5}
    assert parts["last"] == {"queue_ms": 0, "compute_ms": 0, "wait_ms": 1, "hop_ms": 0}


def test_what_the_mean_response_leaves_is_the_rest(fall: Waterfall) -> None:
    assert fall.response_ms is not None
    assert fall.rest_ms is not None
    assert fall.response_ms.point == pytest.approx(10)
    assert fall.end_ms.point == pytest.approx(6)
    assert fall.rest_ms.point == pytest.approx(4)
    assert fall.rest_ms.n == PLAN.blocks


def test_it_is_drawn_as_it_is_reckoned_and_says_so(cell: Cell, tmp_path: Path) -> None:
    results_path = tmp_path / "run"
    simulate(results_path, PLAN)
    tell(results_path, NODES)
    results = measure_run(open_run(results_path))
    (chart,) = stage_charts(results, results.record.steps[0])
    assert "not traced" in chart.summary
    names = [trace["name"] for trace in chart.figure["data"]]
    assert names == ["queue", "compute", "hop", "door, network"]
    assert json.dumps(chart.figure, allow_nan=False)


def test_a_sut_that_tells_no_graph_has_bars_without_an_order(tmp_path: Path) -> None:
    simulate(tmp_path / "run", PLAN)
    results = measure_run(open_run(tmp_path / "run"))
    assert list(waterfalls(results.cells[0])) == []
    (chart,) = stage_charts(results, results.record.steps[0])
    assert chart.key.startswith("stages-")
