"""From intervals to words: every direction, both sides, the bound itself."""

import math

import pytest
from scipy import stats

from reports.claims.effect import alone, clopper_pearson, ratio_of_runs, side_by_side
from reports.claims.reading import Reading
from reports.claims.rule import (
    Bound,
    Word,
    bound_of_ratio,
    bound_of_value,
    rule,
    shared_level,
    whole,
)
from reports.claims.written import DIRECTIONS, Direction
from reports.estimate import Estimate, Missing, Value


def between(low: float | None, high: float | None) -> Estimate:
    return Estimate(1.0, low, high, 4)


@pytest.mark.parametrize(
    ("direction", "bound", "above", "below"),
    [
        ("higher", 1.25, "supported", "refuted"),
        ("lower", 0.75, "refuted", "supported"),
        ("not higher", 1.25, "refuted", "supported"),
        ("not lower", 0.75, "supported", "refuted"),
    ],
)
def test_the_whole_interval_decides(
    direction: Direction, bound: float, above: str, below: str
) -> None:
    found = bound_of_ratio(direction, 0.25)
    assert found.at == bound
    assert rule(found, between(bound + 0.01, bound + 0.1)) == above
    assert rule(found, between(bound - 0.1, bound - 0.01)) == below
    for low, high in ((bound - 0.1, bound + 0.1), (bound, bound + 1), (bound - 1, bound)):
        assert rule(found, between(low, high)) == "inconclusive"
    assert rule(found, between(None, None)) == "inconclusive"


def test_no_change_is_refuted_where_a_change_is_claimed_and_the_other_way_round() -> None:
    nothing = between(0.99, 1.01)
    words = [rule(bound_of_ratio(direction, 0.1), nothing) for direction in DIRECTIONS]
    assert words == ["refuted", "refuted", "supported", "supported"]


def test_a_figure_is_held_against_a_value_in_its_unit() -> None:
    assert bound_of_value("higher", 0.01) == Bound(0.01, "above")
    assert bound_of_value("lower", 0.01) == Bound(0.01, "below")
    assert rule(bound_of_value("lower", 0.01), between(0.0, 0.009)) == "supported"
    assert rule(bound_of_value("lower", 0.01), between(0.02, 0.3)) == "refuted"


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["supported", "refuted", "not tested", "inconclusive"], "refuted"),
        (["supported", "inconclusive", "not tested"], "not tested"),
        (["supported", "inconclusive"], "inconclusive"),
        (["supported", "supported"], "supported"),
    ],
)
def test_a_claim_is_no_better_than_its_parts(words: list[Word], word: str) -> None:
    assert whole(words) == word


def test_a_claims_intervals_share_five_percent() -> None:
    assert shared_level(1) == pytest.approx(0.95)
    assert shared_level(2) == pytest.approx(0.975)


def test_two_runs_are_compared_as_scipy_does_on_logarithms() -> None:
    this, other = [2.1, 2.0, 2.4, 1.9], [1.0, 1.3, 0.8]
    found = ratio_of_runs(dict(enumerate(this)), dict(enumerate(other)), 0.975)
    logs = [[math.log(value) for value in side] for side in (this, other)]
    ends = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.975)
    assert (found.low, found.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)))
    assert found.n == 4


@pytest.mark.parametrize(
    ("this", "other", "note"),
    [
        ({0: 1.0}, {0: 2.0, 1: 2.1}, "one block"),
        ({}, {0: 2.0}, "no trusted trial"),
        ({0: 1.0, 1: 0.0}, {0: 2.0, 1: 2.1}, "zero"),
        ({0: 1.0, 1: Missing("not carried")}, {0: 2.0}, "not carried"),
        ({0: 1.0, 1: 1.0}, {0: 2.0, 1: 2.0}, "reads the same"),
    ],
)
def test_two_runs_without_an_interval_say_why(
    this: dict[int, Value], other: dict[int, Value], note: str
) -> None:
    found = ratio_of_runs(this, other, 0.95)
    assert found.low is None
    assert note in found.note


def test_counts_that_never_differ_are_exact_and_others_are_not() -> None:
    three, twelve, varying = (
        Reading(dict(enumerate(map(float, values))), "Processes", "", counts=True)
        for values in ((4, 4, 4), (13, 13, 13), (13, 13, 14))
    )
    exact = side_by_side(twelve, three, 0.95)
    assert exact.way == "exact"
    assert (exact.estimate.point, exact.estimate.low, exact.estimate.high) == (3.25,) * 3
    assert side_by_side(varying, three, 0.95).way == "paired"
    once = Reading({0: 13.0}, "Processes", "", counts=True)
    assert (
        side_by_side(once, Reading({0: 4.0}, "Processes", "", counts=True), 0.95).estimate.low
        is None
    )
    timed = Reading({0: 4.0, 1: 4.0}, "Deploy", "s")
    assert side_by_side(timed, timed, 0.95).way == "paired"


def test_blocks_without_a_failure_do_not_claim_that_there_is_none() -> None:
    few = Reading({0: 0.0, 1: 0.0}, "Errors", "share", bounds=(0, 1), requests=100)
    found = alone(few, 0.95).estimate
    assert found.low == 0
    assert found.high == pytest.approx(stats.binomtest(0, 100).proportion_ci(0.95).high)
    assert rule(bound_of_value("lower", 0.01), found) == "inconclusive"
    many = Reading({0: 0.0, 1: 0.0}, "Errors", "share", bounds=(0, 1), requests=1000)
    assert rule(bound_of_value("lower", 0.01), alone(many, 0.95).estimate) == "supported"


@pytest.mark.parametrize("failed", [0, 1, 7, 100])
def test_clopper_and_pearson_as_scipy_has_it(failed: int) -> None:
    ends = stats.binomtest(failed, 100).proportion_ci(0.975, method="exact")
    assert clopper_pearson(failed / 100, 100, 0.975) == pytest.approx((ends.low, ends.high))


def test_blocks_that_differ_more_than_their_requests_say_widen_it() -> None:
    apart = Reading({0: 0.0, 1: 0.2}, "Errors", "share", bounds=(0, 1), requests=10_000)
    found = alone(apart, 0.95).estimate
    assert (found.low, found.high) == (0.0, 1.0)
