"""Each reason is found when its cause is there, and only then."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from harness.record import Phases, Verification
from harness.validity import CHECKS, Evidence, reasons, samples_needed
from workloads.sample import SCHEMA, Outcome

S = 10**9
PHASES = Phases(start_ns=0, steady_ns=2 * S, end_ns=12 * S, drained_ns=13 * S)


def samples(steady: int = 400, lag_ns: int = 100_000, **changes: dict[int, Any]) -> pa.Table:
    """A warm-up of ten terrible requests, and a steady state that ``changes`` spoils."""
    rows = [_row(i, i * 10**8, 5 * S, Outcome.TIMED_OUT) for i in range(10)]
    for i in range(steady):
        intended_ns = PHASES.steady_ns + i * 10 * S // steady
        rows.append(_row(10 + i, intended_ns, lag_ns, Outcome.OK))
    for column, values in changes.items():
        for i, value in values.items():
            rows[10 + i][column] = value
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(index: int, intended_ns: int, lag_ns: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "index": index,
        "worker": 0,
        "intended_ns": intended_ns,
        "sent_ns": intended_ns + lag_ns,
        "received_ns": intended_ns + lag_ns + 10**7,
        "outcome": outcome,
        "status": 200,
        "response_bytes": 10,
        "server_timing": None,
        "answer": None,
    }


def evidence(table: pa.Table | None = None, **changes: Any) -> Evidence:
    return Evidence(
        **{
            "samples": samples() if table is None else table,
            "phases": PHASES,
            "planned": 400,
            "percentile": 95.0,
            "generator_cores": 0.2,
            "generator_workers": 1,
            "pressure": {"outside_sut_cores": 0.01, "stolen_cores": 0.0},
            "sut_cores": 1,
            "pss_bytes": 2**29,
            "memory_bytes": 2**30,
            "verification": Verification(
                before=10, before_different=0, under_load=40, under_load_different=0
            ),
        }
        | changes
    )


def all_of(column: str, value: Any) -> dict[str, dict[int, Any]]:
    return {column: dict.fromkeys(range(400), value)}


WRONG = Verification(before=10, before_different=0, under_load=40, under_load_different=1)
FAILED = {0: Outcome.HTTP_ERROR}


def test_a_good_trial_has_no_reason() -> None:
    assert reasons(evidence()) == ()


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("schedule_lag", evidence(samples(lag_ns=6_000_000))),
        ("sent_below_offered", evidence(planned=420)),
        ("generator_saturated", evidence(generator_cores=0.9)),
        ("generator_saturated", evidence(generator_cores=1.7, generator_workers=2)),
        ("dropped", evidence(samples(outcome={3: Outcome.DROPPED}, sent_ns={3: 0}))),
        ("too_few_samples", evidence(samples(steady=199), planned=199)),
        ("too_few_samples", evidence(percentile=99.0)),
        ("answers_differ", evidence(verification=WRONG)),
        ("errors", evidence(samples(outcome=FAILED, status={0: 500}))),
        ("errors", evidence(samples(outcome=FAILED, status={0: 504}))),
        ("errors", evidence(samples(outcome={0: Outcome.TIMED_OUT}))),
        ("errors", evidence(samples(outcome={0: Outcome.CONNECTION_ERROR}))),
        ("host_under_pressure", evidence(pressure={"outside_sut_cores": 0.11})),
        ("host_under_pressure", evidence(pressure={"stolen_cores": 0.03})),
        ("host_under_pressure", evidence(pressure={"memory_stall_share": 0.02})),
        ("memory_over_budget", evidence(pss_bytes=2**31)),
        ("component_died", evidence(exits=("component 'server' ended with exit code 3",))),
    ],
)
def test_each_reason_is_found_alone(code: str, seen: Evidence) -> None:
    assert [reason.code for reason in reasons(seen)] == [code]


def test_every_reason_is_tested() -> None:
    marks = test_each_reason_is_found_alone.pytestmark  # type: ignore[attr-defined]
    assert {code for code, _ in marks[0].args[1]} == {check.code for check in CHECKS}


def test_shedding_is_saturation_and_no_fault() -> None:
    shed = dict.fromkeys(range(0, 400, 3), Outcome.HTTP_ERROR)
    status = dict.fromkeys(shed, 503)
    assert reasons(evidence(samples(outcome=shed, status=status))) == ()


def test_slow_answers_are_no_fault_of_the_trial() -> None:
    late = dict.fromkeys(range(400), PHASES.drained_ns)
    assert reasons(evidence(samples(received_ns=late))) == ()
    censored = dict.fromkeys(range(350, 400), Outcome.CENSORED)
    assert reasons(evidence(samples(outcome=censored))) == ()


def test_warm_up_is_not_judged() -> None:
    assert (samples()["outcome"].to_numpy() == Outcome.TIMED_OUT).sum() == 10
    assert reasons(evidence()) == ()


def test_a_generator_that_slips_past_the_end_has_sent_below_what_was_offered() -> None:
    slipped = {i: PHASES.end_ns + i for i in range(380, 400)}
    codes = {reason.code for reason in reasons(evidence(samples(sent_ns=slipped)))}
    assert "sent_below_offered" in codes


def test_outside_use_is_judged_by_the_core() -> None:
    pressed = evidence(pressure={"outside_sut_cores": 0.11})
    assert reasons(replace(pressed, sut_cores=2)) == ()


@pytest.mark.parametrize(("percentile", "needed"), [(50, 20), (90, 100), (95, 200), (99, 1000)])
def test_samples_needed(percentile: float, needed: int) -> None:
    assert samples_needed(percentile) == needed


def test_every_reason_ends_in_words() -> None:
    for reason in reasons(evidence(planned=900, generator_cores=0.95, exits=("x",))):
        assert reason.seen
        assert reason.threshold
        assert reason.remedy
