"""One metric over its pairs: ratios and differences, and what they refuse."""

import math

import numpy as np
import pytest

from reports.gate.difference import Pooled, _pooled_low, difference
from reports.gate.effect import effect
from reports.gate.robust import robust
from reports.gate.rule import rule
from reports.gate.sentences import says

LEVEL = 0.017


def test_above_one_is_worse_whichever_way_the_metric_is_better() -> None:
    assert effect([10, 20], [11, 22], "lower").estimate == pytest.approx(1.1)
    assert effect([10, 20], [11, 22], "higher").estimate == pytest.approx(1 / 1.1)


def test_equal_changes_have_bounds_at_the_estimate() -> None:
    worse = effect([1.0] * 4, [1.25] * 4, "lower")
    assert (worse.spread, worse.p) == (0.0, 0.0)
    assert worse.low(LEVEL) == worse.high(LEVEL) == worse.estimate == pytest.approx(1.25)
    same = effect([3.0] * 4, [3.0] * 4, "lower")
    assert (same.p, same.low(LEVEL), same.high(LEVEL)) == (0.5, 1.0, 1.0)
    assert effect([1.0] * 4, [0.5] * 4, "lower").p == 1.0


@pytest.mark.parametrize("value", [math.inf, math.nan, 0.0, -1.0])
@pytest.mark.parametrize("side", ["baseline", "candidate"])
def test_a_value_without_a_logarithm_is_refused_with_its_place(value: float, side: str) -> None:
    odd, plain = [1.0, value], [1.0, 1.0]
    both = (odd, plain) if side == "baseline" else (plain, odd)
    with pytest.raises(ValueError, match=f"pair 1, {side}: {value} has no ratio"):
        effect(*both, "lower")


def test_sides_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(ValueError, match="one of each a pair"):
        effect([1.0, 2.0], [1.0], "lower")
    with pytest.raises(ValueError, match="one of each a pair"):
        difference([(0, 9)], [(0, 9), (0, 9)])
    with pytest.raises(ValueError, match="1 pairs have no spread"):
        effect([1.0], [1.0], "lower")
    with pytest.raises(ValueError, match="1 pairs say nothing"):
        robust([1.0], "ratio")
    with pytest.raises(ValueError, match=r"pair 1, candidate: 10 failed of 9"):
        difference([(0, 9), (0, 9)], [(0, 9), (10, 9)])
    with pytest.raises(ValueError, match="a level of 0"):
        effect([1.0, 1.0], [1.0, 2.0], "lower").low(0)


def test_a_ratio_no_float_can_hold_is_infinite() -> None:
    wild = effect([1.0, 1.0], [1e-300, 1e300], "lower")
    assert (wild.low(0.001), wild.high(0.001)) == (0.0, math.inf)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [  # Newcombe 1998, table II, method 10, two-sided 95 %
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_pooled_bounds_are_newcombes(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    z = 1.959964
    assert _pooled_low(Pooled(*second), Pooled(*first), z) == pytest.approx(low, abs=5e-5)
    assert -_pooled_low(Pooled(*first), Pooled(*second), z) == pytest.approx(high, abs=5e-5)


def _word(baseline: list[tuple[int, int]], candidate: list[tuple[int, int]]) -> str:
    seen = {"errors": difference(baseline, candidate)}
    return rule(seen, {"errors": 0.005}, LEVEL, ["errors", *"abcde"])["errors"].word


def test_no_failures_in_thousands_of_requests_pass_with_a_small_doubt() -> None:
    clean = [(0, 600)] * 6
    found = difference(clean, clean)
    assert found.estimate == 0
    assert 0 < found.high(LEVEL) < 0.005
    assert found.low(LEVEL) < 0
    assert found.p == 0.5
    assert _word(clean, clean) == "pass"


def test_no_failures_in_few_requests_do_not() -> None:
    few = difference([(0, 60)] * 6, [(0, 60)] * 6)
    ruling = rule({"errors": few}, {"errors": 0.005}, LEVEL, ["errors"])["errors"]
    assert ruling.word == "inconclusive"
    assert "more requests in each block would settle it" in says(few, ruling, 0.005)


def test_one_burst_in_one_pair_is_no_regression_though_pooled_counts_swear_it_is() -> None:
    clean, burst = [(0, 600)] * 6, [(0, 600)] * 5 + [(90, 600)]
    found = difference(clean, burst)
    assert _pooled_low(found.baseline, found.candidate, 4.0) > 0
    assert found.p > 0.15
    assert _word(clean, burst) == "inconclusive"


def test_two_percent_in_every_candidate_block_are_a_regression() -> None:
    drawn = np.random.default_rng(1).binomial(600, 0.02, 6)
    clean = [(0, 600)] * 6
    assert _word(clean, [(int(failed), 600) for failed in drawn]) == "regression"
    assert _word(clean, [(12, 600)] * 6) == "regression"
    assert _word([(12, 600)] * 6, clean) == "pass"


def test_a_few_failures_in_all_are_no_regression_however_they_fall() -> None:
    """Alike in each pair, so that the spread says nothing: counts do."""
    assert _word([(0, 100)] * 6, [(1, 100)] * 6) == "inconclusive"


def test_everything_failing_is_certain() -> None:
    found = difference([(0, 5000)] * 6, [(5000, 5000)] * 6)
    assert (found.estimate, found.p) == (1.0, 0.0)


def test_beyond_16_pairs_sign_patterns_are_drawn_and_p_keeps_its_meaning() -> None:
    rng = np.random.default_rng(3)
    changes = rng.normal(0.2, 1, 24)
    drawn, t = robust(changes.tolist(), "difference"), effect([1] * 24, np.exp(changes), "lower")
    assert drawn.p == pytest.approx(t.p, abs=0.02)
    assert drawn.p == robust(changes.tolist(), "difference").p
    assert robust([1.0] * 24, "difference").p == pytest.approx(2**-16)


def test_few_pairs_leave_sign_flips_without_a_bound() -> None:
    few = robust([0.5, 0.5, 0.5, 0.5], "ratio")
    assert few.p == 2**-4
    assert (few.low(0.05), few.high(0.05)) == (0.0, math.inf)
    assert few.low(0.07) == pytest.approx(math.exp(0.5))


def test_hodges_and_lehmann_do_not_follow_one_wild_pair() -> None:
    assert robust([0.1, 0.1, 0.1, 0.1, 9.0], "difference").estimate == pytest.approx(0.1)
