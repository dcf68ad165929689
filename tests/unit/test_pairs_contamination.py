"""Blocks are played again for what others did to them, never for what the SUT did."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.drive import result_of
from harness.pairs.contamination import GENERATOR, HOST, Limit, contaminated
from harness.record import Phases, Reason, TrialPlace, TrialRecord, Verification
from harness.validity import of_host, reasons
from tests.unit.test_validity import evidence
from workloads.plan import read_plan
from workloads.sample import Outcome

RECORDED = Path(__file__).parents[1] / "golden" / "record"
TRIALS = sorted(RECORDED.glob("version-[23]/trials/*/trial.json"))
QUIET = {"outside_sut_cores": 0.01, "stolen_cores": 0.0, "throttled_share": 0.0}
PROMPT = {
    "cores": 0.2,
    "planned": 1000.0,
    "sent": 1000.0,
    "dropped": 0.0,
    "schedule_lag_p95_worst_ns": 1e6,
    "loop_lag_p99_ns": 2e6,
}


def block(
    pressure: dict[str, float] | None = None,
    generator: dict[str, float] | None = None,
    **changes: Any,
) -> TrialRecord:
    fields: dict[str, Any] = {
        "place": TrialPlace(order=0, block=0, step=0, sut="monolith:default"),
        "outcome": "ok",
        "offered_rps": 40.0,
        "phases": Phases(start_ns=0, steady_ns=1, end_ns=2, drained_ns=3),
        "pressure": QUIET | (pressure or {}),
        "generator": PROMPT | (generator or {}),
    }
    return TrialRecord(**fields | changes)


def named(path: Path) -> str:
    return f"{path.parts[-4]}/{path.parent.name}"


def test_a_quiet_block_counts() -> None:
    assert contaminated(block(), 1) == ()


@pytest.mark.parametrize(
    ("readings", "limit"),
    [("pressure", limit) for limit in HOST] + [("generator", limit) for limit in GENERATOR],
    ids=lambda value: getattr(value, "key", value),
)
def test_each_row_speaks_alone_and_only_beyond_its_limit(readings: str, limit: Limit) -> None:
    at = limit.most * limit.scale
    assert contaminated(block(**{readings: {limit.key: at}}), 1) == ()
    seen = contaminated(block(**{readings: {limit.key: at * 1.5 + 0.5 * (at == 0)}}), 1)
    assert len(seen) == 1
    assert any(figure.isdigit() for figure in seen[0])


def test_cores_of_others_are_measured_by_how_many_the_sut_has() -> None:
    taken = block({"outside_sut_cores": 0.15})
    assert contaminated(taken, 1) == ("others used 0.150 of the SUT's cores (at most 0.05)",)
    assert contaminated(taken, 4) == ()


@pytest.mark.parametrize("limit", HOST[:-1], ids=lambda limit: limit.key)
@pytest.mark.parametrize("value", [0.001, 0.015, 0.03, 0.06, 0.2])
def test_what_refuses_a_trial_for_its_host_is_played_again_and_no_less(
    limit: Limit, value: float
) -> None:
    pressure = {limit.key: value}
    refused = [check.code for check in of_host.CHECKS if check.find(evidence(pressure=pressure))]
    assert bool(contaminated(block(pressure), 1)) == bool(refused)


@pytest.mark.parametrize("key", ["generator_wait_share", "loop_lag_p99_ns", "cores"])
@pytest.mark.parametrize("value", [0.01, 0.2, 0.9, 2e7])
def test_and_likewise_for_its_generator(key: str, value: float) -> None:
    readings = "pressure" if key == "generator_wait_share" else "generator"
    refused = reasons(evidence(**{readings: {key: value}}))
    assert bool(contaminated(block(**{readings: {key: value}}), 1)) == bool(refused)


@pytest.mark.parametrize("path", TRIALS, ids=named)
def test_a_recorded_trial_is_played_again_for_its_recorded_disturbances(path: Path) -> None:
    trial = TrialRecord.model_validate_json(path.read_text())
    codes = {reason.code for reason in trial.reasons}
    disturbed = codes & {"host_under_pressure", "steal", "throttled", "generator_starved"}
    if disturbed:
        assert contaminated(trial, 1)
    if not trial.reasons:
        assert contaminated(trial, 1) == ()


@pytest.mark.parametrize("path", TRIALS, ids=named)
@pytest.mark.parametrize("pressure", [{}, {"outside_sut_cores": 0.4}])
def test_nothing_that_the_sut_did_changes_the_answer(
    path: Path, pressure: dict[str, float]
) -> None:
    trial = TrialRecord.model_validate_json(path.read_text())
    trial = trial.model_copy(update={"pressure": trial.pressure | pressure})
    wrong = Verification(before=5, before_different=5, under_load=5, under_load_different=5)
    codes = ("schedule_lag", "dropped", "errors", "component_died", "no_steady_state")
    changes: tuple[dict[str, Any], ...] = (
        {"reasons": ()},
        {"reasons": tuple(Reason(code=c, seen="", threshold="", remedy="") for c in codes)},
        {"verification": wrong, "ended_early": "a component died: 'server'"},
        {"start_up_s": 100.0, "quality": {}, "events": (), "info": None},
        {"outcome": "failed", "error": "it could not be played"},
        {"generator": trial.generator | {"censored": 90.0, "connections": 900.0}},
    )
    for change in changes:
        assert contaminated(trial.model_copy(update=change), 1) == contaminated(trial, 1)


@pytest.mark.parametrize("path", [path for path in TRIALS if "-s" in path.parent.name], ids=named)
def test_no_response_time_or_outcome_reaches_what_it_looks_at(path: Path, tmp_path: Path) -> None:
    """The generator's figures are made again from samples whose every answer is another."""
    trial = TrialRecord.model_validate_json(path.read_text())
    folder = tmp_path / "trial"
    shutil.copytree(path.parent, folder)
    plan = read_plan(path.parents[2] / "plans" / "b00-s00.parquet")
    before = result_of(folder, plan, 1, None).report
    for file in folder.glob("samples-*.parquet"):
        table = pq.read_table(file)
        slow = pa.array(table["received_ns"].to_numpy() * 2, pa.int64())
        names = table.column_names
        failed = np.full(len(table), int(Outcome.TIMED_OUT))
        outcome = pa.array(failed).cast(table.schema.field("outcome").type)
        table = table.set_column(
            names.index("received_ns"), table.schema.field("received_ns"), slow
        )
        table = table.set_column(names.index("outcome"), table.schema.field("outcome"), outcome)
        pq.write_table(table, file)
    after = result_of(folder, plan, 1, None).report
    assert after == before
    assert before["schedule_lag_p95_worst_ns"] > 0
    again = trial.model_copy(update={"generator": trial.generator | after})
    assert contaminated(again, 1) == contaminated(trial, 1)


def test_requests_dropped_at_the_cap_are_the_suts_doing() -> None:
    assert contaminated(block(generator={"sent": 500.0, "dropped": 500.0}), 1) == ()


def test_requests_that_were_never_sent_are_the_generators() -> None:
    assert contaminated(block(generator={"sent": 979.0}), 1) == ()
    assert contaminated(block(generator={"sent": 970.0}), 1) == (
        "the generator sent 970 of 1000 requests (at least 98%)",
    )


def test_a_closed_loop_has_no_rate_to_fall_short_of() -> None:
    assert contaminated(block(generator={"sent": 10.0}, concurrency=4), 1) == ()


def test_an_old_record_without_figures_is_not_held_against_it() -> None:
    trial = block()
    bare = trial.model_copy(update={"pressure": {}, "generator": {}})
    assert contaminated(bare, 1) == ()
