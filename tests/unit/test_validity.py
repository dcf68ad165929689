"""Each reason is found when its cause is there, and only then."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.signal import lfilter

from harness.record import Phases, PlayedEvent, Verification
from harness.validity import CHECKS, Evidence, reasons, samples_needed
from harness.validity.of_window import effective_samples
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
            "generator": GENERATOR,
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


def played_event(intended_ns: int, **changes: Any) -> PlayedEvent:
    fields = {"event": 0, "to": "sut", "action": "promote", "intended_ns": intended_ns}
    return PlayedEvent(**fields | changes)


def all_of(column: str, value: Any) -> dict[str, dict[int, Any]]:
    return {column: dict.fromkeys(range(400), value)}


def responses(response_ns: Any, **changes: Any) -> Evidence:
    """A steady state with these response times, evenly spaced."""
    count = len(response_ns)
    table = samples(count)
    received_ns = dict(enumerate(table["intended_ns"].to_numpy()[10:] + response_ns))
    return evidence(samples(count, received_ns=received_ns), planned=count, **changes)


def growing(share: float) -> Any:
    """20 ms, scattered by a tenth, that grow by so much."""
    draw = np.random.default_rng(5)
    return (2e7 * np.linspace(1, 1 + share, 400) * draw.normal(1, 0.1, 400)).astype(np.int64)


def shifted(low_ns: float, high_ns: float) -> Any:
    """One level, and from two fifths on another: a step, not a trend."""
    draw = np.random.default_rng(1)
    level_ns = np.where(np.arange(400) < 160, low_ns, high_ns)
    return (level_ns * draw.normal(1, 0.02, 400)).astype(np.int64)


GENERATOR = {"workers": 1.0, "cores": 0.2, "loop_lag_p99_ns": 1e6}
WRONG = Verification(before=10, before_different=0, under_load=40, under_load_different=1)
STOPPED = {i: 2 * S + i * S // 40 + (28 - i) * S // 40 for i in range(28)}
HEARD = {i: sent_ns + 10**7 for i, sent_ns in STOPPED.items()}
"""The generator lay still for the first 0.7 s of ten: 7 % of its requests went late."""

FAILED = {0: Outcome.HTTP_ERROR}


def test_a_good_trial_has_no_reason() -> None:
    assert reasons(evidence()) == ()


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("schedule_lag", evidence(samples(lag_ns=6_000_000))),
        ("sent_below_offered", evidence(planned=420)),
        ("schedule_lag", evidence(samples(sent_ns=STOPPED, received_ns=HEARD), percentile=95.0)),
        ("generator_starved", evidence(generator=GENERATOR | {"cores": 0.9})),
        ("generator_starved", evidence(generator=GENERATOR | {"loop_lag_p99_ns": 12e6})),
        ("generator_starved", evidence(pressure={"generator_wait_share": 0.2})),
        ("schedule_lag", evidence(generator=GENERATOR | {"schedule_lag_p95_worst_ns": 6e6})),
        ("clocks_apart", evidence(generator=GENERATOR | {"clock_error_ns": 6e6})),
        ("dropped", evidence(samples(outcome={3: Outcome.DROPPED}, sent_ns={3: 0}))),
        ("too_few_samples", evidence(samples(steady=199), planned=199)),
        ("too_few_samples", evidence(percentile=99.0)),
        ("few_effective_samples", responses(shifted(2e7, 4e7))),
        ("no_steady_state", responses(growing(0.3))),
        ("no_steady_state", responses(growing(0.3)[::-1])),
        ("ended_early", evidence(ended_early="the disk is full")),
        ("answers_differ", evidence(verification=WRONG)),
        ("errors", evidence(samples(outcome=FAILED, status={0: 500}))),
        ("errors", evidence(samples(outcome=FAILED, status={0: 504}))),
        ("errors", evidence(samples(outcome={0: Outcome.TIMED_OUT}))),
        ("errors", evidence(samples(outcome={0: Outcome.CONNECTION_ERROR}))),
        ("host_under_pressure", evidence(pressure={"outside_sut_cores": 0.06})),
        ("steal", evidence(pressure={"stolen_cores": 0.03})),
        ("throttled", evidence(pressure={"throttled_share": 0.02})),
        ("throttled", evidence(pressure={"thermal_throttles": 1.0})),
        ("host_under_pressure", evidence(pressure={"memory_stall_share": 0.02})),
        ("memory_over_budget", evidence(pss_bytes=2**31)),
        ("component_died", evidence(exits=("component 'server' ended with exit code 3",))),
        ("event_failed", evidence(events=(played_event(7 * S, error="HTTP 404"),))),
        (
            "errors",
            evidence(samples(outcome=FAILED, status={0: 500}), events=(played_event(3 * S),)),
        ),
    ],
)
def test_each_reason_is_found_alone(code: str, seen: Evidence) -> None:
    assert [reason.code for reason in reasons(seen)] == [code]


def test_every_reason_is_tested() -> None:
    marks = test_each_reason_is_found_alone.pytestmark  # type: ignore[attr-defined]
    assert {code for code, _ in marks[0].args[1]} == {check.code for check in CHECKS}


def test_what_fails_after_an_event_is_a_finding() -> None:
    failed = samples(outcome={200: Outcome.HTTP_ERROR}, status={200: 500})
    assert [reason.code for reason in reasons(evidence(failed))] == ["errors"]
    assert reasons(evidence(failed, events=(played_event(7 * S),))) == ()


def test_shedding_is_saturation_and_no_fault() -> None:
    shed = dict.fromkeys(range(0, 400, 3), Outcome.HTTP_ERROR)
    status = dict.fromkeys(shed, 503)
    assert reasons(evidence(samples(outcome=shed, status=status))) == ()


def test_slow_answers_are_no_fault_of_the_trial() -> None:
    assert reasons(responses(np.full(400, 3 * S))) == ()
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
    pressed = evidence(pressure={"outside_sut_cores": 0.06})
    assert reasons(replace(pressed, sut_cores=2)) == ()


@pytest.mark.parametrize(("percentile", "needed"), [(50, 20), (90, 100), (95, 200), (99, 1000)])
def test_samples_needed(percentile: float, needed: int) -> None:
    assert samples_needed(percentile) == needed


def test_every_reason_ends_in_words() -> None:
    for reason in reasons(evidence(planned=900, exits=("x",))):
        assert reason.seen
        assert reason.threshold
        assert reason.remedy


def test_a_short_stop_of_the_generator_is_seen_where_it_moves_a_percentile() -> None:
    """3 % late is hidden from the lag's p95, and moves p99 where there are samples to carry it."""
    late = dict.fromkeys(range(30), 2 * S + 3 * S // 10)
    heard = {i: sent_ns + 10**7 for i, sent_ns in late.items()}
    table = samples(1000, sent_ns=late, received_ns=heard)
    found = reasons(evidence(table, planned=1000))
    assert [reason.code for reason in found] == ["schedule_lag"]
    assert found[0].seen.startswith("p99 is")
    few = samples(400, sent_ns=dict(list(late.items())[:12]), received_ns=heard)
    assert reasons(evidence(few)) == ()


def test_a_closed_loop_plans_nothing_by_the_clock() -> None:
    assert reasons(evidence(planned=10_000, closed=True)) == ()
    unsent = samples(outcome={399: Outcome.DROPPED}, sent_ns={399: 0})
    assert reasons(evidence(unsent, closed=True)) == ()


def test_a_load_that_varies_by_design_owes_no_steady_state() -> None:
    assert reasons(responses(growing(0.3), stationary=False)) == ()
    assert reasons(responses(shifted(2e7, 4e7), stationary=False)) == ()


def test_one_freeze_is_the_suts_and_is_kept() -> None:
    """Refusing trials for what happened to be slow would hide exactly that."""
    response_ns = growing(0.0)
    response_ns[100:140] += np.linspace(10**9, 0, 40).astype(np.int64)
    assert reasons(responses(response_ns)) == ()


def test_correlation_of_what_hardly_differs_is_no_matter() -> None:
    slight = np.sort(shifted(2e7, 2e7).reshape(2, 200)).reshape(-1) // 50 + 2 * 10**7
    assert effective_samples(shifted(2e7, 4e7)) < 10
    assert effective_samples(slight) < effective_samples(shifted(2e7, 2e7)) / 5
    assert reasons(responses(slight)) == ()


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_effective_samples_are_those_of_a_known_process(phi: float) -> None:
    """Signs of a Gaussian AR(1) correlate by the arcsine law."""
    noise = np.random.default_rng(2).standard_normal(130_000)
    lags = phi ** np.arange(1, 2000)
    expected = 1 / (1 + 2 * (2 / np.pi * np.arcsin(lags)).sum())
    series = (lfilter([1.0], [1.0, -phi], noise) * 1e6).astype(np.int64)
    assert effective_samples(series) / len(series) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("shed", "codes"),
    [
        ((50, 150, 250, 350), []),
        ((10, 20, 30, 40), ["few_effective_samples"]),
        ((50, 150, 250), ["few_effective_samples"]),
    ],
)
def test_a_sut_that_was_full_throughout_is_believed_its_throughput(
    shed: tuple[int, ...], codes: list[str]
) -> None:
    """Two levels and nothing between count as few, but where the queue was full in each quarter."""
    received_ns = dict(enumerate(samples()["intended_ns"].to_numpy()[10:] + shifted(2e7, 4e7)))
    outcome = dict.fromkeys(shed, Outcome.HTTP_ERROR)
    table = samples(received_ns=received_ns, outcome=outcome, status=dict.fromkeys(shed, 503))
    assert [reason.code for reason in reasons(evidence(table))] == codes


def test_failures_of_another_kind_are_no_full_queue() -> None:
    failed = (50, 150, 250, 350)
    received_ns = dict(enumerate(samples()["intended_ns"].to_numpy()[10:] + shifted(2e7, 4e7)))
    outcome = dict.fromkeys(failed, Outcome.HTTP_ERROR)
    table = samples(received_ns=received_ns, outcome=outcome, status=dict.fromkeys(failed, 500))
    found = [reason.code for reason in reasons(evidence(table))]
    assert found == ["few_effective_samples", "errors"]


def test_effective_samples_of_nothing_and_of_equals() -> None:
    assert effective_samples(np.empty(0, dtype=np.int64)) == 0
    assert effective_samples(np.full(50, 7)) == 50


def test_the_page_has_every_row() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "validity.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rows = [row for row in cells if len(row) == 3 and row[0].startswith("`")]
    written = [(code.strip("`"), threshold, remedy) for code, threshold, remedy in rows]
    assert written == [(check.code, check.threshold, check.remedy) for check in CHECKS]
