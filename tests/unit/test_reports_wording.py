"""Numbers as they are printed."""

import pytest

from reports.estimate import Estimate
from reports.wording import figure, inside, listed, number, plural


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (9.996, "10.0"),
        (0.012345, "0.0123"),
        (1.5, "1.50"),
        (99.96, "100"),
        (123.4, "123"),
        (1234.5, "1,234"),
        (-0.5, "\N{MINUS SIGN}0.500"),
    ],
)
def test_a_number_has_three_figures(value: float, text: str) -> None:
    assert number(value) == text


def test_a_figure_never_stands_without_its_doubt() -> None:
    assert figure(Estimate(6.0, 5.5, 6.5, 3), "ms") == "6.00 ms (5.50\N{EN DASH}6.50, n = 3)"
    lone = Estimate(0.5, None, None, 1, "one block: no interval")
    assert figure(lone, "share") == "50.0 % (one block: no interval)"
    assert figure(Estimate(None, None, None, 0, "no trusted trial"), "ms") == "no trusted trial"


def test_lists_and_counts_read_as_words() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert plural(1, "trial") == "1 trial"
    assert plural(0, "trial") == "0 trials"
    assert inside("CPU per request") == "CPU per request"
    assert inside("Throughput") == "throughput"
