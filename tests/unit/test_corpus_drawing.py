"""Draws and polygon filling against exact oracles."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from architectures.ensemble.draws import TURN, Draws, cos, sin
from architectures.ensemble.raster import fill
from architectures.ensemble.types import Point

corners = st.lists(
    st.tuples(st.integers(-64, 320), st.integers(-64, 320)), min_size=3, max_size=9
).map(lambda points: [(x / 16, y / 16) for x, y in points])


def inside(points: list[Point], column: int, row: int) -> bool:
    """The even-odd rule at a pixel's centre, in fractions."""
    x, y = Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2)
    crossings = 0
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        low, high = sorted((Fraction(y0), Fraction(y1)))
        if low <= y < high:
            at = Fraction(x0) + (y - Fraction(y0)) * Fraction(x1 - x0) / Fraction(y1 - y0)
            crossings += at <= x
    return crossings % 2 == 1


@settings(deadline=None, max_examples=60)
@given(corners)
def test_fill_sets_exactly_the_pixels_whose_centre_is_inside(points: list[Point]) -> None:
    expected = [[inside(points, column, row) for column in range(16)] for row in range(14)]
    np.testing.assert_array_equal(fill(points, 14, 16), np.array(expected, np.uint8))


def test_draws_are_named_streams() -> None:
    assert [Draws(1, 2).below(1000) for _ in range(2)] == [Draws(1, 2).below(1000)] * 2
    assert Draws(1, 2).octets(64).tolist() != Draws(1, 3).octets(64).tolist()


def test_draws_stay_in_their_range_and_fill_it() -> None:
    draw = Draws(5)
    assert {draw.integer(-2, 2) for _ in range(200)} == {-2, -1, 0, 1, 2}
    numbers = [draw.between(2, 3) for _ in range(500)]
    assert 2 <= min(numbers) < 2.05
    assert 2.95 < max(numbers) < 3
    assert 400 < sum(draw.chance(0.25) for _ in range(2000)) < 600


def test_octets_are_of_the_length_asked() -> None:
    assert [len(Draws(9).octets(count)) for count in (1, 7, 8, 9)] == [1, 7, 8, 9]


def test_the_circle_is_a_circle() -> None:
    for angle in range(-TURN, 2 * TURN, 97):
        assert abs(cos(angle) ** 2 + sin(angle) ** 2 - 1) < 1e-4
    assert (cos(0), sin(TURN // 4), cos(TURN // 2)) == (1, 1, -1)
