"""Recorded traces: what is read of a file, and the words for one that cannot be replayed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workloads.arrivals import WorkloadError
from workloads.plan import PlanHeader, build_plan
from workloads.trace import read_trace

WHOLE = """timestamp_s,client,graph,payload
3.5,a,tag,2
4,b,other,0
4,a,tag,1
13.5,c,tag,0
"""


def trace_file(folder: Path, text: str) -> Path:
    path = folder / "recorded.csv"
    path.write_text(text)
    return path


def test_a_csv_is_read_from_its_first_arrival_on(tmp_path: Path) -> None:
    trace = read_trace(trace_file(tmp_path, WHOLE))
    assert trace.times_ns.tolist() == [0, 500_000_000, 500_000_000, 10_000_000_000]
    assert trace.payloads is not None
    assert trace.payloads.tolist() == [2, 0, 1, 0]
    assert trace.graphs == ("tag", "other", "tag", "tag")
    assert trace.rate_rps == pytest.approx(0.3)


def test_only_times_are_needed(tmp_path: Path) -> None:
    trace = read_trace(trace_file(tmp_path, "timestamp_s\n0\n0.1\n0.300000001\n"))
    assert trace.times_ns.tolist() == [0, 100_000_000, 300_000_001]
    assert (trace.payloads, trace.graphs) == (None, None)


def test_date_times_are_utc_unless_they_say_otherwise(tmp_path: Path) -> None:
    text = "timestamp_s\n2026-03-01T10:00:00\n2026-03-01T10:00:01.25Z\n2026-03-01T12:00:02+02:00\n"
    assert read_trace(trace_file(tmp_path, text)).times_ns.tolist() == [0, 1_250_000_000, 2 * 10**9]


START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([5.0, 5.25, 7.0]),
        pa.array([5.0, 5.25, 7.0], pa.float32()),
        pa.array(["5", "5.25", "7"]),
        pa.array([START, START + timedelta(seconds=0.25), START + timedelta(seconds=2)]),
        pa.array([0, 250, 2000], pa.timestamp("ms")),
        pa.array([0, 250_000_000, 2_000_000_000], pa.timestamp("ns", "Europe/Berlin")),
    ],
)
def test_parquet_may_hold_times_of_any_kind(tmp_path: Path, times: pa.Array) -> None:
    path = tmp_path / "recorded.parquet"
    pq.write_table(pa.table({"payload": [1, 0, 2], "timestamp_s": times}), path)
    trace = read_trace(path)
    assert trace.times_ns.tolist() == [0, 250_000_000, 2_000_000_000]
    assert trace.payloads is not None
    assert trace.payloads.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as a trace"),
        ("time\n1\n2\n", "has no column 'timestamp_s', but time; name one so"),
        ("timestamp_s\n", "has 0 rows and no two different times"),
        ("timestamp_s\n1\n", "has 1 rows and no two different times"),
        ("timestamp_s\n1\n1\n1\n", "has 3 rows and no two different times"),
        ("timestamp_s\n1\n2\n1.5\n4\n", "row 3: timestamp_s is earlier .* sort the file"),
        ("timestamp_s\n-1\n2\n", "row 1: timestamp_s = '-1' is no time"),
        ("timestamp_s\n1\nnan\n", "row 2: timestamp_s = 'nan' is no time"),
        ("timestamp_s\n1\ninf\n", "row 2: timestamp_s = 'inf' is no time"),
        ("timestamp_s\n1\nnoon\n", "row 2: timestamp_s = 'noon' is no time; give seconds"),
        ("timestamp_s,graph\n1,tag\n,tag\n", "row 2: timestamp_s = None is empty"),
        ("timestamp_s,payload\n1,0\n2,-1\n", "row 2: payload = '-1' is no row"),
        ("timestamp_s,payload\n1,0\n2,1.5\n", "row 2: payload = '1.5' is no row"),
        ("timestamp_s,payload\n1,0\n2,\n", "row 2: payload = None is no row"),
        ("timestamp_s,graph\n1,tag\n2,\n", "row 2: graph = None is no graph's name"),
        ("timestamp_s,graph\n1,tag\n2\n", "cannot be read as a trace .*Expected 2 columns"),
    ],
)
def test_mistakes_name_the_file_and_the_row(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(WorkloadError, match=rf"recorded\.csv: {words}"):
        read_trace(trace_file(tmp_path, text))


@pytest.mark.parametrize("times", [[1.0, float("nan")], [1.0, None], [-2.0, 1.0]])
def test_mistakes_in_parquet_too(tmp_path: Path, times: list[Any]) -> None:
    path = tmp_path / "recorded.parquet"
    pq.write_table(pa.table({"timestamp_s": pa.array(times, pa.float64())}), path)
    with pytest.raises(WorkloadError, match=r"recorded\.parquet: row [12]: timestamp_s = "):
        read_trace(path)


def test_a_file_of_another_kind_and_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"a trace is a \.csv or \.parquet file"):
        read_trace(tmp_path / "recorded.json")
    with pytest.raises(WorkloadError, match=r"none\.csv: cannot be read"):
        read_trace(tmp_path / "none.csv")


def test_what_it_sends_must_be_there(tmp_path: Path) -> None:
    trace = read_trace(trace_file(tmp_path, WHOLE))
    trace.check_payloads(3)
    trace.check_graphs(("tag", "other"))
    with pytest.raises(WorkloadError, match=r"row 1: payload 2 is no row .* 0 to 1; raise load\."):
        trace.check_payloads(2)
    with pytest.raises(WorkloadError, match=r"row 2: .* 'other' \(did you mean 'others'\?\);"):
        trace.check_graphs(("tag", "others"))


def header(graphs: tuple[str, ...], steady_s: float, **shape: float) -> PlanHeader:
    return PlanHeader("trace", graphs, 0.6, 0.0, steady_s, 1, shape)


def test_a_plan_sends_what_was_recorded_at_the_speed_asked_for(tmp_path: Path) -> None:
    trace = read_trace(trace_file(tmp_path, WHOLE))
    plan = build_plan(header(("other", "tag"), 6.0), 3, trace=trace)
    assert plan.offsets_ns.tolist() == [0, 250_000_000, 250_000_000, 5_000_000_000]
    assert plan.payloads.tolist() == [2, 0, 1, 0]
    assert [plan.graph(i) for i in range(4)] == ["tag", "other", "tag", "tag"]


def test_a_repeated_trace_repeats_all_of_it(tmp_path: Path) -> None:
    trace = read_trace(trace_file(tmp_path, WHOLE))
    with pytest.raises(WorkloadError, match=r"4 arrivals last 6\.66667 s at 0\.6 rps.*repeat = 1"):
        build_plan(header(("tag", "other"), 20.0), 3, trace=trace)
    plan = build_plan(header(("tag", "other"), 20.0, repeat=1.0), 3, trace=trace)
    assert len(plan.offsets_ns) == 12
    assert plan.payloads.tolist() == [2, 0, 1, 0] * 3
    assert np.array_equal(plan.graphs, [0, 1, 0, 0] * 3)


def test_a_trace_at_its_own_speed_lasts_as_long_as_it_did(tmp_path: Path) -> None:
    """Rates are floats: rounding one must not make a trace a hair too short for its own length."""
    for gaps in range(1, 60):
        text = "timestamp_s\n" + "\n".join(f"{at * 0.7:.1f}" for at in range(gaps + 1))
        trace = read_trace(trace_file(tmp_path, text + "\n"))
        own = PlanHeader("trace", ("tag",), trace.rate_rps, 0.0, round((gaps + 1) * 0.7, 1), 1)
        assert len(build_plan(own, 1, trace=trace).offsets_ns) == gaps + 1
