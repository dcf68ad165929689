"""A probe's verdict: what is counted, what the rule grants, and what excuses what."""

import pyarrow as pa
import pytest

from harness.capacity.tally import Tally, tally
from harness.capacity.verdict import Objective, hopeless, judge
from harness.drive import Counts
from harness.record import Phases, Reason, TrialPlace, TrialRecord
from workloads.sample import SCHEMA, Outcome

P99 = Objective(percentile=99.0, response_time_s=0.2, error_ratio=0.002, confidence=0.99)
MS = 1_000_000
PHASES = Phases(start_ns=0, steady_ns=1000 * MS, end_ns=3000 * MS, drained_ns=3500 * MS)


def record(*codes: str, **changes: object) -> TrialRecord:
    reasons = tuple(Reason(code=c, seen=f"{c}!", threshold="", remedy="") for c in codes)
    place = TrialPlace(order=0, block=0, step=0, sut="a:b", probe=0)
    whole = {"place": place, "outcome": "ok", "offered_rps": 50.0, "reasons": reasons, **changes}
    return TrialRecord.model_validate(whole)


def seen(missed: int = 0, failed: int = 0, whole: int = 1307, **more: float) -> Tally:
    return Tally(
        whole=whole,
        planned=int(more.get("planned", whole)),
        missed=missed,
        failed=failed,
        completed=whole,
        steady_s=10.0,
        rising=bool(more.get("rising", False)),
    )


def test_holds_and_fails_where_loadgen_is_valid_and_invalid() -> None:
    assert judge(P99, record(), seen(5)) == (
        "holds",
        "5 of 1307 requests missed p99 <= 200 ms; 1307 forgive 5",
    )
    assert judge(P99, record(), seen(6))[0] == "fails"
    assert judge(P99, record(), seen(0, whole=459))[0] == "holds"
    assert judge(P99, record(), seen(1, whole=459))[0] == "fails"


def test_a_plan_too_short_decides_only_where_it_refutes() -> None:
    verdict, why = judge(P99, record(), seen(0, whole=458))
    assert verdict == "undecided"
    assert "458 requests cannot carry p99, which needs 459" in why
    assert "raise capacity.most_probe_s" in why
    assert judge(P99, record(), seen(4, whole=100))[0] == "undecided"
    assert judge(P99, record(), seen(5, whole=100)) == (
        "fails",
        "5 of 100 requests missed p99 <= 200 ms: too many for so few",
    )


def test_the_share_of_failures_is_judged_beside_the_percentile() -> None:
    assert judge(P99, record(), seen(2, failed=2))[0] == "holds"
    verdict, why = judge(P99, record(), seen(3, failed=3))
    assert (verdict, "slo.error_ratio" in why) == ("fails", True)


@pytest.mark.parametrize(
    ("codes", "holding", "failing"),
    [
        (["too_few_samples"], "holds", "fails"),
        (["errors", "dropped"], "undecided", "fails"),
        (["host_under_pressure"], "undecided", "undecided"),
        (["errors", "generator_starved"], "undecided", "undecided"),
        (["component_died"], "undecided", "undecided"),
    ],
)
def test_a_full_suts_own_faults_excuse_no_failure(
    codes: list[str], holding: str, failing: str
) -> None:
    assert judge(P99, record(*codes), seen(0))[0] == holding
    assert judge(P99, record(*codes), seen(40))[0] == failing


def test_what_only_rises_is_not_carried_and_what_falls_is_no_verdict() -> None:
    verdict, why = judge(P99, record("no_steady_state"), seen(0, rising=True))
    assert (verdict, why) == ("fails", "not carried for long: no_steady_state!")
    verdict, why = judge(P99, record("no_steady_state"), seen(0))
    assert (verdict, why) == ("undecided", "not to be trusted: no_steady_state (no_steady_state!)")
    both = record("no_steady_state", "host_under_pressure")
    assert judge(P99, both, seen(0, rising=True))[0] == "undecided"


def test_a_hopeless_probe_ends_and_fails_by_what_its_whole_plan_forgives() -> None:
    end = hopeless(P99, 1307)
    assert end(Counts(ended=500, missed=5)) is None
    why = end(Counts(ended=60, missed=6))
    assert why == ("hopeless: 6 requests missed p99 <= 200 ms, and the 1307 of the plan forgive 5")
    ended = record(ended_early=why)
    assert judge(P99, ended, seen(6, planned=60))[0] == "fails"
    assert judge(P99, ended, seen(5, planned=60))[0] == "undecided"
    assert hopeless(P99, 100)(Counts(ended=100, missed=100)) is None


def test_what_could_not_be_played_is_undecided_and_says_why() -> None:
    assert judge(P99, record(outcome="failed", error="no core"), Tally()) == (
        "undecided",
        "no core",
    )


def samples(*rows: tuple[int, int, Outcome]) -> pa.Table:
    columns = {name: [0] * len(rows) for name in SCHEMA.names}
    columns |= {"server_timing": [None] * len(rows), "answer": [None] * len(rows)}
    columns["index"] = list(range(len(rows)))
    columns["intended_ns"] = [at * MS for at, _, _ in rows]
    columns["received_ns"] = [(at + took) * MS if took else 0 for at, took, _ in rows]
    columns["outcome"] = [int(outcome) for _, _, outcome in rows]
    return pa.table(columns, schema=SCHEMA)


def test_counts_are_of_the_steady_state_from_the_intended_start() -> None:
    table = samples(
        (500, 800, Outcome.OK),  # warm-up, but completed in the steady state
        (1000, 200, Outcome.OK),
        (1100, 201, Outcome.OK),  # late
        (1200, 20, Outcome.HTTP_ERROR),
        (1300, 0, Outcome.DROPPED),
        (1400, 0, Outcome.CENSORED),  # unanswered for two seconds
        (2900, 150, Outcome.OK),  # in time, completed after the end
        (3000, 20, Outcome.OK),  # of the drain
    )
    found = tally(table, PHASES, 9, 0.2)
    assert (found.whole, found.planned) == (9, 6)
    assert (found.missed, found.failed, found.completed) == (4, 3, 3)
    assert found.steady_s == 2.0


def test_what_was_given_up_before_it_was_late_has_missed_nothing() -> None:
    early = PHASES.model_copy(update={"drained_ns": 1500 * MS, "end_ns": 1500 * MS})
    table = samples((1290, 0, Outcome.CENSORED), (1310, 0, Outcome.CENSORED))
    found = tally(table, early, 100, 0.2)
    assert (found.planned, found.missed, found.failed) == (2, 1, 1)


def test_rising_compares_the_halves_by_their_medians() -> None:
    quick_then_slow = [(1000 + 10 * i, 5 if i < 100 else 50, Outcome.OK) for i in range(200)]
    assert tally(samples(*quick_then_slow), PHASES, 200, 0.2).rising
    wandering = [(1000 + 10 * i, 50 if i < 100 else 60, Outcome.OK) for i in range(200)]
    assert not tally(samples(*wandering), PHASES, 200, 0.2).rising
    slow_then_quick = [(1000 + 10 * i, 50 if i < 100 else 5, Outcome.OK) for i in range(200)]
    assert not tally(samples(*slow_then_quick), PHASES, 200, 0.2).rising
    assert not tally(samples(), PHASES, 200, 0.2).rising
