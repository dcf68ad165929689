"""Planted runs: a slower service is worse, an equal one is not, and a slower machine is neither."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.record import Step
from reports.compared.agreement import matched, refusals
from reports.compared.conclude import NotComparableError, compare_runs
from reports.compared.controls import allowance
from reports.compared.margins import NO_MARGIN, Margins
from reports.compared.record import Compared, Row
from reports.compared.sides import Chosen
from reports.frames import open_run
from reports.prices import read_prices
from reports.results import Results, measure_run
from tests.compared_runs import SLOWER, A, B, plant
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, SLOW_HOST

SUTS = (MONOLITH, MICROSERVICES)
SEARCHED = {MONOLITH.key: ((60.0, 120.0, 120.0), (60.0, 100.0, 100.0))}
Measured = dict[str, Results]


def measured(folder: Path) -> Results:
    return measure_run(open_run(folder), read_prices())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("runs")
    planted = {
        "before": plant(folder, "before", A, *SUTS),
        "slower": plant(folder, "slower", B, SLOWER, MICROSERVICES, seed=8),
        "same": plant(folder, "same", B, *SUTS, seed=9),
        "faster_machine": plant(folder, "faster_machine", B, SLOWER, seed=8, ceiling=0.9),
    }
    return {name: measured(path) for name, path in planted.items()}


def compared(
    mine: Results, theirs: Results, margins: Margins = NO_MARGIN, *, anyway: bool = False
) -> Compared:
    chosen = tuple(Chosen("asked", side.run.directory, "the run") for side in (mine, theirs))
    return compare_runs(chosen, (mine, theirs), margins, anyway=anyway)  # type: ignore[arg-type]


def row(found: Compared, sut: str, metric: str) -> Row:
    return next(row for row in found.rows if (row.sut, row.metric) == (sut, metric))


def test_a_fifth_slower_is_worse_by_a_fifth_and_the_other_sut_is_left_alone(
    runs: Measured,
) -> None:
    found = compared(runs["before"], runs["slower"])
    cpu = row(found, MONOLITH.key, "cpu_ms")
    assert cpu.word == "worse"
    assert cpu.change
    assert cpu.change.low
    assert cpu.change.high
    assert 1.1 < cpu.change.low < 1.2 < cpu.change.high < 1.3
    assert cpu.margin == pytest.approx(0.013, abs=0.01), "what the ceiling leaves open"
    assert {r.word for r in found.rows if r.sut == MICROSERVICES.key} == {"cannot tell", None}
    assert not [r for r in found.rows if r.word == "better"]
    assert "worse than A in" in found.words[0]
    assert any("CPU per request 1.2" in text or "CPU per request 1.1" in text
               for text in found.words), found.words  # fmt: skip


def test_the_other_way_round_it_is_better_by_as_much(runs: Measured) -> None:
    there = row(compared(runs["before"], runs["slower"]), MONOLITH.key, "cpu_ms")
    back = row(compared(runs["slower"], runs["before"]), MONOLITH.key, "cpu_ms")
    assert back.word == "better"
    assert there.change
    assert back.change
    assert back.change.point == pytest.approx(1 / (there.change.point or 0))


def test_equals_are_told_apart_in_nothing_and_are_within_a_margin(runs: Measured) -> None:
    found = compared(runs["before"], runs["same"], Margins(0.01, {"cpu_ms": 0.2}))
    words = {r.word for r in found.rows if r.word is not None}
    assert words == {"cannot tell"}
    assert row(found, MONOLITH.key, "cpu_ms").within
    assert not row(found, MONOLITH.key, "response_p50_ms").within
    worse, better = (
        compared(a, b, Margins(0.1))
        for a, b in ((runs["before"], runs["slower"]), (runs["slower"], runs["before"]))
    )
    assert not row(worse, MONOLITH.key, "cpu_ms").within
    assert not row(better, MONOLITH.key, "cpu_ms").within
    wide = compared(runs["before"], runs["slower"], Margins(0.5))
    assert row(wide, MONOLITH.key, "cpu_ms").word == "cannot tell"
    assert row(wide, MONOLITH.key, "cpu_ms").why == "the interval reaches into the margin"


def test_where_the_ceiling_moved_nothing_is_called_anything(runs: Measured) -> None:
    found = compared(runs["before"], runs["faster_machine"])
    assert [control.moved for control in found.controls] == [True, True]
    assert found.controls[0].change.point == pytest.approx(1 / 0.9)
    assert {r.word for r in found.rows if r.word} == {"cannot tell"}
    assert "a control moved" in found.words[0]
    cpu = row(found, MONOLITH.key, "cpu_ms")
    assert cpu.change
    assert cpu.change.low
    assert cpu.change.low > 1.1, "it would have been worse"


def test_capacities_and_what_they_cost_stand_side_by_side(tmp_path: Path) -> None:
    small = {"blocks": 2, "steady_s": 1.0, "searched_rps": SEARCHED}
    mine, theirs = (measured(plant(tmp_path, name, name * 40, MONOLITH, **small)) for name in "ab")
    found = compared(mine, theirs)
    rows = {r.metric: r for r in found.at("at capacity")}
    assert set(rows) == {"capacity_rps", "usd_per_million_reserved", "usd_per_million_used"}
    assert rows["capacity_rps"].baseline.point
    assert rows["usd_per_million_used"].word is None
    assert rows["usd_per_million_used"].candidate.point


def test_a_start_up_is_spoken_of_once_and_p99_says_what_it_lacks(runs: Measured) -> None:
    found = compared(runs["before"], runs["slower"])
    assert row(found, MONOLITH.key, "start_up_s").word == "cannot tell"
    assert "needs 1000" in row(found, MONOLITH.key, "response_p99_ms").why


def test_what_it_says_survives_its_file(runs: Measured) -> None:
    found = compared(runs["before"], runs["slower"])
    text = found.model_dump_json()
    assert Compared.model_validate_json(text) == found
    assert json.loads(text)["compared_version"] == 1


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("small")
    return measured(plant(folder, "small", A, MONOLITH, blocks=2, steady_s=1.0))


def changed(results: Results, section: str, **entries: Any) -> Results:
    """The same run, as if its record said otherwise."""
    document = results.record.model_dump(mode="json")
    part = document["environment"] if section in document["environment"] else document
    if section in part:
        part[section] = {**part[section], **entries}
    else:
        document |= entries
    record = type(results.record).model_validate(document)
    run = type(results.run)(results.run.directory, record, results.run.trials)
    return type(results)(
        run, results.slo, results.ceilings, results.cells, results.prices, (), results.capacities
    )


@pytest.mark.parametrize(
    ("section", "entries", "says"),
    [
        ("fingerprint", {"cpu_model": "Another"}, ("cpu_model", "not recorded", "Another")),
        ("fingerprint", {"sut_cores": "2"}, ("sut_cores", "'2'", "same machine")),
        ("scenario", {"budget": {"cores": 2, "memory_gib": 4.0}}, ("budget.cores", " 1 ", " 2 ")),
        ("scenario", {"slo": {"response_time_s": 0.5}}, ("objective", "250 ms", "500 ms")),
        ("ensemble", {"weights_digest": "beef"}, ("weights_digest", "00ff", "beef")),
        ("ensemble", {"tier": "small"}, ("ensemble.tier", "tiny", "small")),
        ("", {"backends": {"state": "redis"}}, ("state", "sqlite", "redis")),
        ("", {"digests": {"payloads.parquet": "x", "plans/b00-s00.parquet": "q"}}, ("payloads",)),
        ("", {"digests": {}}, ("no digests",)),
    ],
)
def test_another_question_is_refused_with_its_key_both_values_and_what_to_do(
    section: str, entries: dict[str, Any], says: tuple[str, ...], small: Results
) -> None:
    reasons = refusals(small, changed(small, section, **entries))
    assert reasons
    assert all(": " in why for why in reasons), "what to do"
    for word in says:
        assert any(word in why for why in reasons), (word, reasons)


def test_plans_of_one_rate_must_ask_the_same_whatever_their_bytes(
    small: Results, tmp_path: Path
) -> None:
    digests = {"payloads.parquet": "p", "plans/b00-s00.parquet": "x"}
    assert refusals(small, changed(small, "", digests=digests)) == (), "the same file says the same"
    seeded = plant(tmp_path, "seeded", B, MONOLITH, seed=8, blocks=2, steady_s=1.0,
                   fields={"digests": digests})  # fmt: skip
    (why,) = refusals(small, measured(seeded))
    assert "plans/b00-s00.parquet differs (q and x)" in why


def test_a_policy_that_both_record_must_agree_and_one_that_only_one_knows_is_shown(
    small: Results,
) -> None:
    here = changed(small, "scenario", policy={"max_batch": 16})
    there = changed(small, "scenario", policy={"max_batch": 8, "queue_bound": 64})
    (why,) = refusals(here, there)
    assert "policy.max_batch is 16" in why
    found = compared(here, there, anyway=True)
    assert [d.key for d in found.differs] == ["policy.queue_bound"]


def test_versions_revision_and_kernel_merely_differ(small: Results) -> None:
    other = changed(small, "description", kernel="6.9", revision=B, load_average="9")
    other = changed(other, "fingerprint", torch="9.9")
    assert refusals(small, other) == ()
    keys = {d.key for d in compared(small, other).differs}
    assert keys == {"kernel", "revision", "torch"}
    assert any("kernel (6.1 and 6.9)" in text for text in compared(small, other).cautions)


def test_anyway_shows_both_without_a_ratio_or_a_word(small: Results) -> None:
    other = changed(small, "ensemble", weights_digest="beef")
    with pytest.raises(NotComparableError, match="weights_digest"):
        compared(small, other)
    found = compared(small, other, anyway=True)
    assert not found.comparable
    assert found.refusals
    assert {(r.word, r.change) for r in found.rows} == {(None, None)}
    assert "better" in found.words[0]
    assert "nothing here says" in found.words[0]


def test_steps_are_matched_by_words_and_rates_far_apart_carry_none(
    small: Results, tmp_path: Path
) -> None:
    other = measured(plant(tmp_path, "other", B, MONOLITH, seed=8, blocks=2, steady_s=1.0,
                           rates=(66.0,)))  # fmt: skip
    step = other.record.steps[0].model_dump()
    asked = changed(other, "", steps=[step | {"asked": small.record.steps[0].asked}])
    assert matched(small.record, asked.record)[0].apart == pytest.approx(1.1)
    assert refusals(small, asked) == ()
    found = compared(small, asked)
    assert [(s.baseline_rps, s.candidate_rps) for s in found.steps] == [(60.0, 66.0)]
    spoken = {r.metric for r in found.rows if r.word}
    assert spoken == {"start_up_s"}
    assert any("60.0 rps in A and 66.0 rps in B" in text for text in found.cautions)
    (why,) = refusals(small, changed(small, "", steps=[step | {"asked": "66 rps"}]))
    assert "0.3 ceiling and 66 rps" in why


def test_too_few_trusted_blocks_carry_no_word_and_no_ceiling_no_comparison(
    tmp_path: Path, small: Results
) -> None:
    doubts = {(block, 0, MONOLITH.key): (SLOW_HOST,) for block in (0, 1, 2)}
    doubted = measured(plant(tmp_path, "doubted", B, MONOLITH, blocks=5, steady_s=1.0,
                             doubts=doubts))  # fmt: skip
    found = compared(small, doubted)
    assert row(found, MONOLITH.key, "cpu_ms").why == "2 of 5 blocks of the candidate can be trusted"
    blind = changed(small, "", ceiling=[], best_batch=0)
    found = compared(small, blind)
    assert allowance(found.controls) == 0.0
    assert "no control was measured" in found.words[0]


def test_a_closed_loop_is_matched_by_its_clients(small: Results) -> None:
    record = small.record
    two, four = (
        record.model_copy(
            update={"steps": (Step(index=0, asked=f"{n} at once", offered_rps=0, concurrency=n),)}
        )
        for n in (2, 4)
    )
    assert matched(two, two)[0].apart == 1.0
    assert matched(two, four) == ()
