"""The answer's words against runs whose truth is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.record import Step
from reports.answer import answer, at
from reports.frames import open_run
from reports.ranking import Sentence
from reports.results import Results, measure_run
from reports.saturation import common_step, overload_step, state
from reports.wording import TIMES
from tests.golden.report.simulated_run import (
    MICROSERVICES,
    MONOLITH,
    RAY,
    SLOW_HOST,
    Plan,
    simulate,
)

STEADY = replace(MONOLITH, block_spread=0.001)
DEARER = replace(MICROSERVICES, block_spread=0.001)
TWIN = replace(STEADY, key="twin:batched")
SHORT = Plan(suts=(STEADY, DEARER), warm_up_s=1.0, steady_s=5.0)


def measured(path: Path, plan: Plan) -> Results:
    simulate(path, plan)
    return measure_run(open_run(path))


def texts(results: Results, kind: str) -> str:
    return " ".join(s.text for s in answer(results) if s.kind == kind)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return measured(tmp_path_factory.mktemp("runs") / "run", SHORT)


def test_a_known_difference_is_named_with_its_ratio(results: Results) -> None:
    said = texts(results, "answer")
    assert f"0.3 {TIMES} ceiling (60.0 rps)" in said
    assert "monolith:batched spent the least CPU on a request, 6.0" in said
    assert "it was 1.50 times that (1.4" in said or "it was 1.50 times that (1.5" in said
    assert "reached the highest throughput" in said


def test_steps_are_judged_by_what_was_put_in(results: Results) -> None:
    low, high = results.record.steps
    assert {state(results, c) for c in results.at(low.index)} == {"held"}
    assert {state(results, c) for c in results.at(high.index)} == {"saturated"}
    assert common_step(results) == low
    assert overload_step(results) == high
    assert f"held up to 0.3 {TIMES} ceiling" in texts(results, "answer")


def test_equal_suts_are_never_ranked(tmp_path: Path) -> None:
    noisy = [replace(sut, block_spread=0.05) for sut in (STEADY, TWIN)]
    found = measured(tmp_path / "run", replace(SHORT, suts=tuple(noisy)))
    said = texts(found, "answer")
    assert "least" not in said
    assert "highest throughput" not in said
    assert "cannot be told from it" in said


def test_one_block_ranks_nobody(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", replace(SHORT, blocks=1))
    said = texts(found, "answer")
    assert "least" not in said
    assert "one block: no interval" in said


def test_what_is_left_out_is_counted_and_does_not_move_the_figures(
    tmp_path: Path, results: Results
) -> None:
    key = (1, 0, STEADY.key)
    found = measured(tmp_path / "run", replace(SHORT, doubts={key: (SLOW_HOST,)}))
    said = texts(found, "caution")
    assert "1 of 12 trials was not trusted and left out of every figure (host-pressure 1)" in said
    cell, whole = found.cell(STEADY.key, 0), results.cell(STEADY.key, 0)
    kept = [whole.by_block("cpu_ms")[block] for block in (0, 2)]
    assert list(cell.by_block("cpu_ms").values()) == kept
    assert cell.estimates["cpu_ms"].n == 2


def test_an_unfinished_run_says_so(tmp_path: Path) -> None:
    absent = frozenset({(2, 1, STEADY.key), (2, 1, DEARER.key)})
    found = measured(tmp_path / "run", replace(SHORT, status="interrupted", absent=absent))
    said = texts(found, "caution")
    assert "This run is unfinished (interrupted): 10 of 12 planned trials ended." in said


def test_no_trusted_trial_is_no_answer(tmp_path: Path) -> None:
    keys = [(b, s, sut.key) for b in range(3) for s in range(2) for sut in (STEADY, DEARER)]
    found = measured(tmp_path / "run", replace(SHORT, doubts=dict.fromkeys(keys, (SLOW_HOST,))))
    assert answer(found)[0] == Sentence("There is no answer yet: no trial can be trusted.")
    assert "12 of 12 trials were not trusted" in texts(found, "caution")


def test_untrained_weights_are_announced(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", replace(SHORT, meaningful=False, blocks=1, rates=(60.0,)))
    assert "the answers carry no meaning" in texts(found, "caution")


def test_a_sut_that_failed_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    failed = frozenset({(b, s, RAY.key) for b in range(3) for s in range(2)})
    found = measured(tmp_path / "run", replace(SHORT, suts=(STEADY, DEARER, RAY), failed=failed))
    assert "there is no CPU per request of ray_serve:tuned" in texts(found, "caution")


def test_a_closed_loop_holds_no_rate_and_warns_against_comparing(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", replace(SHORT, rates=(60.0,), concurrency=(1, 8)))
    _, *closed = found.record.steps
    for step in closed:
        assert {state(found, c) for c in found.at(step.index)} == {"closed"}
        for cell in found.at(step.index):
            assert cell.estimates["offered_rps"].point is None
            assert cell.estimates["offered_rps"].note == "none offered: closed loop"
            assert cell.estimates["throughput_rps"].point is not None
    assert "must not be compared with those of open-loop steps" in texts(found, "caution")
    assert "at once" not in texts(found, "answer")
    assert "held up to 0.3" in texts(found, "answer")


def test_closed_loops_alone_are_compared_among_themselves(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", replace(SHORT, rates=(), concurrency=(1, 8)))
    said = texts(found, "answer")
    assert "At closed loop, 8 at once monolith:batched spent the least CPU on a request" in said
    assert "held" not in said
    assert common_step(found) == overload_step(found) == found.record.steps[1]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(index=0, asked="0.5 ceiling", offered_rps=60), f"0.5 {TIMES} ceiling (60.0 rps)"),
        (Step(index=0, asked="2 trace", offered_rps=12.5), f"2 {TIMES} trace (12.5 rps)"),
        (Step(index=0, asked="40 rps", offered_rps=40), "40 rps"),
        (Step(index=0, asked="8 at once", offered_rps=0, concurrency=8), "closed loop, 8 at once"),
    ],
)
def test_a_step_is_named_with_the_rate_it_offers(step: Step, words: str) -> None:
    assert at(step) == words
