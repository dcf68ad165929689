"""Estimates against tables and hand formulas, not against themselves."""

import math

import pytest

from reports.estimate import Estimate, Missing, over_blocks, percentile, samples_needed, within

T_95_DF2 = 4.302652729911275  # printed tables: 4.303
T_95_DF4 = 2.7764451051977987  # printed tables: 2.776


@pytest.mark.parametrize(
    ("quantile", "needed"), [(0.5, 20), (0.95, 200), (0.99, 1000), (0.999, 10_000), (0.05, 200)]
)
def test_a_percentile_needs_ten_samples_beyond_it(quantile: float, needed: int) -> None:
    assert samples_needed(quantile) == needed
    short = percentile(range(needed - 1), quantile)
    assert short == Missing(f"not carried: {needed - 1} samples, needs {needed}")
    assert percentile(range(needed), quantile) == pytest.approx((needed - 1) * quantile)


def test_the_linear_interval_is_students() -> None:
    found = over_blocks([10.0, 12.0, 14.0], "linear")
    half = T_95_DF2 * 2.0 / math.sqrt(3)
    assert found == Estimate(
        pytest.approx(12), pytest.approx(12 - half), pytest.approx(12 + half), 3
    )


def test_the_log_interval_is_students_on_logarithms() -> None:
    found = over_blocks([1.0, 10.0, 100.0, 1.0, 100.0], "log")
    half = T_95_DF4 * 1.0 / math.sqrt(5)  # log10 values 0, 1, 2, 0, 2: variance 1
    assert found.point == pytest.approx(10)
    assert found.low == pytest.approx(10 ** (1 - half))
    assert found.high == pytest.approx(10 ** (1 + half))


def test_one_block_has_a_point_and_no_interval_and_says_so() -> None:
    assert over_blocks([3.0], "log") == Estimate(3.0, None, None, 1, "one block: no interval")


def test_no_block_has_nothing_and_says_so() -> None:
    assert over_blocks([], "log") == Estimate(None, None, None, 0, "no trusted trial")


def test_a_block_that_cannot_carry_the_figure_refuses_it_for_all() -> None:
    found = over_blocks([3.0, Missing("not carried: 80 samples, needs 200")], "log")
    assert found == Estimate(None, None, None, 2, "not carried: 80 samples, needs 200")


def test_a_zero_has_no_logarithm_and_is_averaged_as_it_is() -> None:
    assert over_blocks([0.0, 1.0, 2.0], "log") == over_blocks([0.0, 1.0, 2.0], "linear")


def test_a_share_keeps_within_its_bounds() -> None:
    found = within(over_blocks([1.0, 0.98, 1.0], "linear"), 0, 1)
    assert found.high == 1.0
    assert found.low is not None
    assert found.low < 0.98
