"""Metrics of simulated trials against plain-Python arithmetic on the recorded rows."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.record import CeilingPoint
from reports.ceiling import BlockCeiling, block_ceiling, ceilings
from reports.estimate import Missing
from reports.frames import TrialFrames, open_run, read_trial
from reports.metrics import BY_KEY, Subject, measure
from tests.golden.report.simulated_run import SENT_BYTES, START_NS, SWITCHES, Plan, Truth, simulate

STEADY_NS, END_NS = START_NS + 2 * 10**9, START_NS + 10 * 10**9
SLO_S = 0.05
BUSY = Truth("monolith:batched", 9.0, 7.0, 300, queue_bound=6)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialFrames, list[dict]]:
    """A trial that sheds load, and its raw rows."""
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, Plan(suts=(BUSY,), rates=(130.0,), blocks=1))
    run = open_run(path)
    found = read_trial(run, run.trials[0])
    assert found is not None
    files = sorted(path.glob("trials/*/samples-*.parquet"))
    return found, [row for file in files for row in pq.read_table(file).to_pylist()]


@pytest.fixture(scope="module")
def measured(trial: tuple[TrialFrames, list[dict]]) -> dict:
    return measure(Subject(trial[0], SLO_S, BlockCeiling(200.0, 5.0)))


def median(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return (ordered[half] + ordered[~half]) / 2


def test_rates_count_what_became_whole_in_steady_state(
    trial: tuple[TrialFrames, list[dict]], measured: dict
) -> None:
    rows = trial[1]
    done = [r for r in rows if STEADY_NS <= r["received_ns"] < END_NS]
    good = [r for r in done if r["status"] == 200]
    timely = [r for r in good if r["received_ns"] - r["intended_ns"] <= SLO_S * 1e9]
    planned = [r for r in rows if STEADY_NS <= r["intended_ns"] < END_NS]
    assert measured["offered_rps"] == pytest.approx(len(planned) / 8)
    assert measured["achieved_rps"] == pytest.approx(len(done) / 8)
    assert measured["throughput_rps"] == pytest.approx(len(good) / 8)
    assert measured["goodput_rps"] == pytest.approx(len(timely) / 8)
    assert measured["goodput_rps"] < measured["throughput_rps"] < measured["achieved_rps"]


def test_shares_are_of_what_was_planned(
    trial: tuple[TrialFrames, list[dict]], measured: dict
) -> None:
    planned = [r for r in trial[1] if STEADY_NS <= r["intended_ns"] < END_NS]
    shed = [r for r in planned if r["status"] == 503]
    timely = [
        r
        for r in planned
        if r["status"] == 200 and r["received_ns"] - r["intended_ns"] <= SLO_S * 1e9
    ]
    assert shed
    assert measured["shed_share"] == pytest.approx(len(shed) / len(planned))
    assert measured["error_share"] == pytest.approx(len(shed) / len(planned))
    assert measured["slo_share"] == pytest.approx(len(timely) / len(planned))


def test_refusals_never_improve_a_percentile(
    trial: tuple[TrialFrames, list[dict]], measured: dict
) -> None:
    planned = [r for r in trial[1] if STEADY_NS <= r["intended_ns"] < END_NS]
    good = [r for r in planned if r["status"] == 200]
    response = [(r["received_ns"] - r["intended_ns"]) / 1e6 for r in good]
    service = [(r["received_ns"] - r["sent_ns"]) / 1e6 for r in good]
    assert measured["response_p50_ms"] == pytest.approx(median(response))
    assert measured["service_p50_ms"] == pytest.approx(median(service))
    assert measured["response_p95_ms"] > measured["response_p50_ms"]
    assert measured["response_p99_ms"] == Missing(f"not carried: {len(good)} samples, needs 1000")


def test_cpu_and_memory_are_the_truth_put_in(measured: dict) -> None:
    assert measured["cpu_ms"] == pytest.approx(BUSY.cpu_ms, rel=1e-6)
    assert measured["pss_peak_mb"] == pytest.approx(300)
    assert measured["start_up_s"] == pytest.approx(BUSY.start_up_s)
    assert measured["idle_cores"] == pytest.approx(0.01)
    assert measured["efficiency_cpu"] == pytest.approx(5 / 7)
    assert measured["efficiency_rate"] == pytest.approx(measured["throughput_rps"] / 200)


def test_switches_and_bytes_are_the_truth_put_in(measured: dict) -> None:
    assert measured["voluntary_switches_per_request"] == pytest.approx(SWITCHES, rel=0.01)
    assert measured["involuntary_switches_per_request"] == pytest.approx(2, rel=0.01)
    assert measured["sent_bytes_per_request"] == pytest.approx(SENT_BYTES, rel=0.01)
    assert measured["received_bytes_per_request"] == pytest.approx(SENT_BYTES * 3, rel=0.01)
    assert measured["written_bytes_per_request"] == 0
    assert measured["gpu_utilization"] == Missing("no GPU was read")


def test_a_run_from_before_these_were_read_says_so(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(BUSY,), rates=(50.0,), blocks=1, old_usage=True))
    run = open_run(tmp_path / "run")
    found = read_trial(run, run.trials[0])
    assert found is not None
    values = measure(Subject(found, None, None))
    why = Missing("not recorded by the version that made this run")
    assert values["sent_bytes_per_request"] == why
    assert isinstance(values["cpu_ms"], float)


def test_without_slo_ceiling_or_usage_it_says_what_is_missing(
    trial: tuple[TrialFrames, list[dict]],
) -> None:
    whole = trial[0]
    blind = TrialFrames(
        whole.record, whole.phases, whole.samples, whole.stages, whole.usage[:0], whole.planned
    )
    found = measure(Subject(blind, None, None))
    assert found["goodput_rps"] == Missing("the scenario sets no SLO")
    assert found["cpu_ms"] == Missing("no usage readings")
    assert found["pss_peak_mb"] == Missing("no PSS readings of every component")
    assert found["efficiency_rate"] == Missing("no ceiling was measured in this block")


def test_usage_that_ends_early_is_not_taken_for_thrift(
    trial: tuple[TrialFrames, list[dict]],
) -> None:
    whole = trial[0]
    for until, expected in ((END_NS - 400_000_000, 7.0), (END_NS - 4 * 10**9, None)):
        usage = whole.usage[whole.usage["t_ns"] <= until]
        cut = TrialFrames(
            whole.record, whole.phases, whole.samples, whole.stages, usage, whole.planned
        )
        found = BY_KEY["cpu_ms"].of(Subject(cut, None, None))
        if expected is None:
            assert found == Missing("usage readings cover 50% of the window")
        else:
            assert found == pytest.approx(expected, rel=1e-6)


def test_the_ceiling_is_the_blocks_own_and_the_search_is_left_out(tmp_path: Path) -> None:
    record = simulate(tmp_path / "run", Plan(suts=(BUSY,), rates=(50.0,), blocks=2))
    lucky = CeilingPoint(block=-1, batch_size=32, images=1000, wall_s=1.0, cpu_s=1.0)
    record = record.model_copy(update={"ceiling": (*record.ceiling, lucky)})
    found = block_ceiling(record, 1, 16)
    assert found is not None
    assert found.rate_rps == pytest.approx(200)
    assert block_ceiling(record, 7, 16) is None
    assert [(c.batch_size, c.best, c.rate_rps.n) for c in ceilings(record)] == [
        (1, False, 2),
        (16, True, 2),
    ]


def test_every_sample_lost_is_an_error_not_a_crash(
    trial: tuple[TrialFrames, list[dict]],
) -> None:
    whole = trial[0]
    empty = TrialFrames(
        whole.record,
        whole.phases,
        whole.samples[:0],
        whole.stages[:0],
        whole.usage,
        whole.planned,
    )
    found = measure(Subject(empty, SLO_S, None))
    assert found["error_share"] == 1.0
    assert found["goodput_rps"] == 0.0
    assert found["cpu_ms"] == Missing("no OK answer in steady state")
