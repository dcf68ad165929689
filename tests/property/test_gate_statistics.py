"""What must hold of a gate's bounds and chances, whatever the pairs say."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.gate.contrast import Contrast
from reports.gate.difference import difference
from reports.gate.effect import effect
from reports.gate.holm import holm
from reports.gate.looks import nominal
from reports.gate.power import detectable, pairs_needed
from reports.gate.robust import robust

LOOKS = (6, 8, 10, 12, 14, 16)
CHANGES = st.lists(st.floats(-2, 2), min_size=2, max_size=9)
LEVELS = st.floats(0.001, 0.4)
BLOCK = st.integers(1, 900).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@st.composite
def contrasts(draw: st.DrawFn) -> Contrast:
    kind = draw(st.sampled_from(("effect", "difference", "robust")))
    if kind == "difference":
        both = draw(st.lists(st.tuples(BLOCK, BLOCK), min_size=2, max_size=9))
        return difference([old for old, _ in both], [new for _, new in both])
    changes = draw(CHANGES)
    if kind == "robust":
        return robust(changes, draw(st.sampled_from(("ratio", "difference"))))
    return effect([1.0] * len(changes), [math.exp(x) for x in changes], "lower")


@settings(deadline=None, max_examples=150)
@given(contrasts(), LEVELS)
def test_p_is_below_a_level_exactly_where_that_levels_low_bound_is_above_no_change(
    contrast: Contrast, level: float
) -> None:
    if contrast.p == pytest.approx(level, rel=1e-6):
        return  # a root found to nine digits
    edge = contrast.low(level) - contrast.none
    assert (edge > 0) == (contrast.p < level) or abs(edge) < 1e-12


@settings(deadline=None, max_examples=150)
@given(contrasts(), LEVELS)
def test_bounds_enclose_the_estimate_and_part_as_the_level_falls(
    contrast: Contrast, level: float
) -> None:
    slack = 1e-9
    assert contrast.low(level / 2) <= contrast.low(level) + slack
    assert contrast.high(level) <= contrast.high(level / 2) + slack
    if level < 0.1:
        assert contrast.low(level) <= contrast.estimate + slack
        assert contrast.estimate <= contrast.high(level) + slack
    assert 0 <= contrast.p <= 1


@settings(deadline=None)
@given(CHANGES, LEVELS)
def test_exchanged_sides_give_the_reciprocal(changes: list[float], level: float) -> None:
    values = [math.exp(x) for x in changes]
    ones = [1.0] * len(values)
    there, back = effect(ones, values, "lower"), effect(values, ones, "lower")
    assert there.estimate == pytest.approx(1 / back.estimate)
    assert there.high(level) == pytest.approx(1 / back.low(level))
    assert effect(ones, values, "higher").estimate == pytest.approx(back.estimate)


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=12, unique=True))
def test_an_effect_is_scipys_paired_t_of_the_logarithms(changes: list[float]) -> None:
    ours = effect([2.0] * len(changes), [2 * math.exp(x) for x in changes], "lower")
    if ours.spread < 1e-6:
        return
    theirs = stats.ttest_1samp(np.log(np.exp(changes)), 0, alternative="greater")
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-9)
    assert ours.low(0.03) == pytest.approx(math.exp(theirs.confidence_interval(0.97).low))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-2, 2), min_size=2, max_size=7))
def test_the_sign_flip_p_counts_every_pattern(changes: list[float]) -> None:
    values = np.round(changes, 3)  # sums that should tie do, to 12 digits
    patterns = np.array(list(product((1, -1), repeat=len(values))))
    expected = np.mean(patterns @ values >= values.sum() - 1e-12)
    means = [np.mean(s) for k in range(1, 8) for s in combinations(values, k)]
    if any(0 < abs(mean) < 1e-12 for mean in means):
        return  # a tie that floats break
    assert robust(values.tolist(), "difference").p == pytest.approx(expected)


@given(st.lists(st.floats(0, 0.1), min_size=1, max_size=6), st.floats(0.001, 0.2))
def test_holm_rejects_what_closed_testing_rejects(values: list[float], error: float) -> None:
    p = {f"metric {i}": value for i, value in enumerate(values)}
    for name, place in holm(p, error).items():
        groups = [
            group for k in range(1, len(p) + 1) for group in combinations(p, k) if name in group
        ]
        closed = all(min(p[x] for x in group) < error / len(group) for group in groups)
        assert place.rejected == closed


def test_the_default_looks_leave_17_in_a_thousand() -> None:
    assert 0.0165 <= nominal(LOOKS, 0.05) <= 0.0178
    assert nominal((6,), 0.05) == 0.05
    assert nominal((6,), 0.05, 5) == pytest.approx(0.01)


def test_two_late_looks_are_pococks() -> None:
    """His level for two looks at two-sided 5 % is .0294."""
    assert nominal((40, 80), 0.025) == pytest.approx(0.0294 / 2, abs=0.0004)


@pytest.mark.parametrize(("looks", "family"), [(LOOKS, 1), (LOOKS, 6), ((4, 7, 20), 1)])
def test_looking_often_at_that_level_errs_as_often_as_asked(
    looks: tuple[int, ...], family: int
) -> None:
    runs, error = 100_000, 0.05 / family
    changes = np.random.default_rng(99).standard_normal((looks[-1], runs))
    ever = np.zeros(runs, bool)
    for pairs in looks:
        some = changes[:pairs]
        t = some.mean(0) / some.std(0, ddof=1) * math.sqrt(pairs)
        ever |= t > stats.t.isf(nominal(looks, 0.05, family), pairs - 1)
    assert ever.mean() == pytest.approx(error, abs=4 * math.sqrt(error / runs) + 0.01 * error)


def test_more_looks_and_more_metrics_are_each_stricter() -> None:
    levels = [nominal(LOOKS[:count], 0.05) for count in (1, 2, 3, 6)]
    assert levels == sorted(levels, reverse=True)
    shares = [nominal(LOOKS, 0.05, family) for family in range(1, 9)]
    assert shares == sorted(shares, reverse=True)
    assert shares[5] < shares[0] / 6  # rare findings of different looks coincide less


@pytest.mark.parametrize("looks", [(), (8, 6), (6, 6), (1, 4)])
def test_looks_that_do_not_ascend_are_refused(looks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must ascend"):
        nominal(looks, 0.05)


TABLE = {  # notes/gating.md 2.6, one-sided 5 %: (margin, power) -> pairs by spread
    0.03: (5, 5, 3, 3, 3),
    0.05: (9, 11, 4, 5, 3),
    0.07: (15, 20, 5, 7, 3),
    0.10: (28, 38, 9, 11, 4),
    0.14: (53, 72, 15, 20, 6),
    0.20: (106, 146, 29, 40, 9),
    0.26: (177, 245, 48, 66, 15),
}


@pytest.mark.parametrize("spread", TABLE)
def test_pairs_needed_are_those_of_the_table(spread: float) -> None:
    asked = ((0.05, 0.8), (0.05, 0.9), (0.1, 0.8), (0.1, 0.9), (0.2, 0.8))
    found = [pairs_needed(spread, margin, 0.05, power, scale="ratio") for margin, power in asked]
    assert found == [pytest.approx(pairs, abs=1) for pairs in TABLE[spread]]


@settings(deadline=None)
@given(st.floats(0.005, 1), st.floats(0.01, 0.5), LEVELS, st.sampled_from(("ratio", "difference")))
def test_so_many_pairs_can_just_detect_the_margin(
    spread: float, margin: float, level: float, scale: str
) -> None:
    pairs = pairs_needed(spread, margin, level, scale=scale)  # type: ignore[arg-type]
    if pairs is None or pairs == 2:
        return
    limit = margin + (scale == "ratio")
    enough, short = (detectable(n, spread, level, scale=scale) for n in (pairs, pairs - 1))  # type: ignore[arg-type]
    assert enough is not None
    assert enough <= limit * (1 + 1e-9)
    assert short is None or short > limit * (1 - 1e-9)


def test_so_many_pairs_settle_both_truths_in_80_of_100_gates_and_one_fewer_do_not() -> None:
    spread, margin, level = 0.07, 0.1, 0.017
    needed = pairs_needed(spread, margin, level, scale="ratio")
    assert needed is not None
    for pairs, enough in ((needed, True), (needed - 1, False)):
        log = np.random.default_rng(4).normal(0, spread, (pairs, 40_000))
        reach = stats.t.isf(level, pairs - 1) * log.std(0, ddof=1) / math.sqrt(pairs)
        passed = np.mean(log.mean(0) + reach < math.log1p(margin))
        called = np.mean(log.mean(0) + math.log1p(margin) - reach > 0)
        assert (passed > 0.8) == enough
        assert (called > 0.8) == enough


def test_what_cannot_be_reckoned_is_not() -> None:
    assert detectable(1, 0.1, 0.05, scale="ratio") is None
    assert detectable(9, 0.0, 0.05, scale="ratio") is None
    assert pairs_needed(9.0, 0.01, 0.05, scale="ratio") is None
    assert pairs_needed(0.0, 0.01, 0.05, scale="ratio") == 2
