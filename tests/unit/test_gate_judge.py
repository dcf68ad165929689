"""Pairs judged: metric by metric, look after look, up to a verdict."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest

from harness.pairs.record import CapacityReading, GateRecord, PairRecord, SideRecord
from harness.pairs.section import GateSection
from reports.estimate import Missing, Value
from reports.gate.conclude import Shelf, conclude
from reports.gate.judge import judge, judged
from reports.gate.measured import BlockValues, PairMeasured
from reports.gate.metrics import ANSWERS, ERRORS, GATE_METRICS
from reports.gate.verdict import Verdict

USUAL = {
    "cpu_ms": 10.0,
    "response_p50_ms": 20.0,
    "response_p95_ms": 50.0,
    "goodput_rps": 50.0,
    "pss_peak_mb": 300.0,
    "start_up_s": 2.0,
    "generator_cpu_ms": 0.3,
}
LACKING: Mapping[str, Value] = {"response_p99_ms": Missing("not carried: 250 samples, needs 1000")}


def block(
    rng: np.random.Generator,
    noise: float,
    factors: Mapping[str, float],
    *,
    failed: int = 0,
    wrong: int = 0,
    absent: Mapping[str, Value] = LACKING,
) -> BlockValues:
    values: dict[str, Value] = {
        key: usual * factors.get(key, 1.0) * float(np.exp(noise * rng.standard_normal()))
        for key, usual in USUAL.items()
    }
    values |= {ERRORS: failed / 250, **absent}
    return BlockValues(values, failed, 250, wrong, 25, {"stolen_cores": 0.001})


def pairs(
    count: int,
    *,
    noise: float = 0.02,
    seed: int = 1,
    failed: int = 0,
    wrong: int = 0,
    candidate_lacks: Mapping[str, Value] | None = None,
    **factors: float,
) -> tuple[PairMeasured, ...]:
    rng = np.random.default_rng(seed)
    lacks = {**LACKING, **(candidate_lacks or {})}
    changed = partial(block, failed=failed, wrong=wrong, absent=lacks)
    return tuple(
        PairMeasured(number, block(rng, noise, {}), changed(rng, noise, factors))
        for number in range(count)
    )


def word(found: tuple[PairMeasured, ...], key: str, section: GateSection | None = None) -> str:
    rows = judge(found, section or GateSection())
    return next(row.word for row in rows if row.key == key)


def verdict_of(
    found: tuple[PairMeasured, ...],
    section: GateSection | None = None,
    *,
    fresh: bool = True,
    why_unfit: str = "",
) -> Verdict:
    sides = tuple(
        SideRecord(name=name, kind="variant", label=name, sut="a:b", scenario="s.toml", fresh=fresh)
        for name in ("baseline", "candidate")
    )
    record = GateRecord(
        gate_id="g",
        created_utc="2026-11-22T00:00:00+00:00",
        version="0",
        name="n",
        kind="gate",
        section=section or GateSection(),
        seed=1,
        sides=(sides[0], sides[1]),
        rate_rps=50.0,
        capacity=CapacityReading(how="given", capacity_rps=100.0),
        pairs=tuple(PairRecord(block=pair.block, first="baseline", wall_s=20.0) for pair in found),
        status="unfit" if why_unfit else "complete",
        why_unfit=why_unfit,
    )
    return conclude(record, found, None, Shelf())


def test_no_change_passes_at_the_first_look() -> None:
    found = judged(pairs(16), GateSection())
    assert [look.pairs for look in found.looks] == [6], "one look was enough; no other was taken"
    assert found.looks[0].outcome == "pass"
    assert found.ended


@pytest.mark.parametrize("key", ["cpu_ms", "response_p50_ms", "pss_peak_mb", "start_up_s"])
def test_half_as_much_again_is_a_regression_of_that_metric_alone(key: str) -> None:
    found = judged(pairs(6, **{key: 1.5}), GateSection())
    words = {row.key: row.word for row in found.rows if row.gating}
    assert words.pop(key) == "regression"
    assert set(words.values()) == {"pass"}


def test_less_goodput_is_worse_and_more_is_not() -> None:
    assert word(pairs(6, goodput_rps=0.8), "goodput_rps") == "regression"
    assert word(pairs(6, goodput_rps=1.2), "goodput_rps") == "pass"


def test_noise_makes_it_inconclusive_and_the_gate_goes_on_to_its_last_look() -> None:
    section = GateSection(looks=(6, 8))
    found = judged(pairs(8, noise=0.4), section)
    assert [look.outcome for look in found.looks] == ["inconclusive", "inconclusive"]
    assert found.ended, "the last look was taken"
    assert not judged(pairs(7, noise=0.4), section).ended


def test_a_small_but_certain_slowdown_passes_and_says_so() -> None:
    found = pairs(16, noise=0.005, cpu_ms=1.03)
    row = next(row for row in judge(found, GateSection()) if row.key == "cpu_ms")
    assert row.word == "pass"
    assert "small, but real" in row.says


def test_one_more_wrong_answer_is_a_regression_whatever_the_speed() -> None:
    assert word(pairs(6, wrong=1), ANSWERS) == "regression"
    assert word(pairs(6), ANSWERS) == "pass"


def test_errors_are_counted_and_two_in_a_hundred_are_found() -> None:
    assert word(pairs(6, failed=5), ERRORS) == "regression"


def test_what_the_baseline_cannot_carry_is_informational_unless_it_was_asked_for() -> None:
    found = pairs(6)
    row = next(r for r in judge(found, GateSection()) if r.key == "response_p99_ms")
    assert (row.gating, row.estimate) == (False, None)
    assert "needs 1000" in row.why_not
    asked = judge(found, GateSection(only=("response_p99_ms", "cpu_ms")))
    row = next(r for r in asked if r.key == "response_p99_ms")
    assert (row.gating, row.word) == (True, "inconclusive")
    assert {r.key for r in asked if r.gating} == {"response_p99_ms", "cpu_ms"}


def test_what_only_the_candidate_cannot_carry_never_passes() -> None:
    lacks: dict[str, Value] = {"response_p95_ms": Missing("not carried: 90 samples, needs 200")}
    found = judged(pairs(6, candidate_lacks=lacks), GateSection())
    row = next(row for row in found.rows if row.key == "response_p95_ms")
    assert (row.gating, row.word) == (True, "inconclusive")
    assert "the candidate gives none" in row.says
    assert found.looks[-1].outcome == "inconclusive"


def test_an_absolute_floor_widens_the_margin_of_small_amounts() -> None:
    rows = judge(pairs(6, noise=0.001, start_up_s=1.11), GateSection(margins={"start_up_s": 0.1}))
    row = next(row for row in rows if row.key == "start_up_s")
    assert row.margin == pytest.approx(0.125, rel=0.01), "a quarter of a second of two"
    assert "is never too much" in row.margin_note
    assert row.word == "pass"


def test_the_verdict_carries_the_exit_code_that_was_asked_for() -> None:
    noisy = pairs(8, noise=0.4)
    looks = (6, 8)
    fail, warn = (
        verdict_of(noisy, GateSection(looks=looks, inconclusive=how)) for how in ("fail", "warn")
    )
    assert (fail.outcome, fail.exit_code) == ("inconclusive", 3)
    assert (warn.outcome, warn.exit_code) == ("inconclusive", 0)
    assert (verdict_of(pairs(6)).exit_code, verdict_of(pairs(6, cpu_ms=2.0)).exit_code) == (0, 1)
    unfit = verdict_of(pairs(2), why_unfit="too busy")
    assert (unfit.outcome, unfit.exit_code, unfit.unfit) == ("unfit", 4, ("too busy",))


def test_services_that_nobody_restarts_are_never_called_worse() -> None:
    stale = verdict_of(pairs(6, cpu_ms=1.5), fresh=False)
    assert (stale.outcome, stale.exit_code) == ("inconclusive", 3)
    assert any("luck of its start" in note for note in stale.notes)
    assert verdict_of(pairs(6), fresh=False).outcome == "pass"


def test_a_gate_of_several_is_stricter() -> None:
    alone, one_of_ten = GateSection(), GateSection(family=10)
    found = pairs(6, noise=0.05, cpu_ms=1.16)
    levels = [
        next(row.holm_level for row in judge(found, section) if row.key == "cpu_ms")
        for section in (alone, one_of_ten)
    ]
    assert levels[0] is not None
    assert levels[1] is not None
    assert levels[1] < levels[0] / 8


def test_every_metric_has_a_row_and_a_sentence() -> None:
    rows = judge(pairs(6), GateSection())
    assert [row.key for row in rows] == [metric.key for metric in GATE_METRICS]
    assert all(row.says for row in rows)
