"""Words about two SUTs, from paired blocks."""

import math

import pytest

from reports.compare import compare
from reports.estimate import Missing

T_95_DF2 = 4.302652729911275


def test_the_ratio_is_the_paired_mean_of_logarithms() -> None:
    found = compare({0: 20.0, 1: 44.0, 2: 60.0}, {0: 10.0, 1: 20.0, 2: 30.0})
    logs = [math.log(2), math.log(2.2), math.log(2)]
    mean = sum(logs) / 3
    sd = math.sqrt(sum((x - mean) ** 2 for x in logs) / 2)
    half = T_95_DF2 * sd / math.sqrt(3)
    assert found.ratio.point == pytest.approx(math.exp(mean))
    assert found.ratio.low == pytest.approx(math.exp(mean - half))
    assert found.word == "higher"


def test_only_blocks_both_have_are_paired() -> None:
    found = compare({0: 1.0, 1: 1.1, 2: 9.0}, {0: 2.0, 1: 2.2, 5: 1.0})
    assert found.ratio.n == 2
    assert found.word == "lower"


@pytest.mark.parametrize(
    ("this", "other", "note"),
    [
        ({0: 5.0}, {0: 1.0}, "one pair: no interval"),
        ({0: 5.0}, {1: 1.0}, "no block in which both trials are trusted"),
        ({0: 5.0, 1: 0.0}, {0: 1.0, 1: 1.0}, "a value is zero: no ratio"),
        ({0: 5.0, 1: Missing("not carried")}, {0: 1.0, 1: 1.0}, "not carried"),
    ],
)
def test_where_nothing_can_be_told_it_says_why(this: dict, other: dict, note: str) -> None:
    found = compare(this, other)
    assert found.word == "cannot tell"
    assert found.ratio.note == note


def test_a_stricter_level_widens_the_interval() -> None:
    this, other = {0: 1.0, 1: 1.2, 2: 1.1}, {0: 1.0, 1: 1.0, 2: 1.0}
    loose, strict = compare(this, other, 0.9), compare(this, other, 0.99)
    assert strict.ratio.low < loose.ratio.low < loose.ratio.high < strict.ratio.high
