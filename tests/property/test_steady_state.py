"""What must hold of a test for trends whatever the series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.steady_state import BINS, MOST_CHANCE, Floats, Window, in_flight, mann_kendall

series = st.lists(
    st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 3)), min_size=BINS, max_size=BINS
).map(np.array)


@given(series)
def test_time_reversed_changes_the_sign_and_nothing_else(values: Floats) -> None:
    forward, backward = mann_kendall(values), mann_kendall(values[::-1])
    assert forward.change == pytest.approx(-backward.change, abs=1e-9)
    assert forward.chance == pytest.approx(backward.chance, abs=0.05)


@given(series, st.sampled_from([0.5, 2.0, 1024.0]))
def test_the_unit_does_not_matter(values: Floats, scale: float) -> None:
    """Powers of two, so that floating point does not matter either."""
    one, other = mann_kendall(values), mann_kendall(values * scale)
    assert other.change == pytest.approx(one.change * scale)
    assert other.chance == pytest.approx(one.chance)


@given(series)
def test_a_chance_is_a_probability(values: Floats) -> None:
    assert 0 <= mann_kendall(values).chance <= 1


@given(st.floats(-5, 5), st.integers(0, BINS // 2))
def test_equals_have_no_trend_nor_have_too_few(value: float, missing: int) -> None:
    values = np.full(BINS, value)
    values[:missing] = np.nan
    assert mann_kendall(values).chance == 1
    assert mann_kendall(np.arange(BINS // 2 - 1, dtype=float)).chance == 1


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_noise_is_called_a_trend_no_more_often_than_said(seed: int) -> None:
    draw = np.random.default_rng(seed)
    marked = sum(mann_kendall(draw.normal(size=BINS)).marked for _ in range(600))
    assert marked <= 600 * MOST_CHANCE * 6


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 3000)), min_size=1, max_size=30))
def test_in_flight_is_what_counting_gives(requests: list[tuple[int, int]]) -> None:
    sent, took = np.array(requests).T.astype(np.int64)
    span = (400, 400 + 100 * BINS)
    ok = np.ones(len(sent), dtype=bool)
    seen = in_flight(Window(span, sent + 1, sent + 1, sent + 1 + took, ok))
    instants = np.arange(span[0], span[1]) + 0.5
    inside = (sent[:, None] + 1 < instants) & (instants < (sent + 1 + took)[:, None])
    assert seen == pytest.approx(inside.sum(axis=0).reshape(BINS, 100).mean(axis=1))
