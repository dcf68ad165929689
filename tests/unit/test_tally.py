"""What counts as missed, by hand."""

import pytest

from workloads.tally import Tally


@pytest.mark.parametrize(
    ("intended_ns", "response_ns", "good", "expected"),
    [
        (99, 500, True, (0, 0)),  # warming up
        (100, 50, True, (1, 0)),
        (100, 51, True, (1, 1)),
        (100, 10, False, (1, 1)),  # a fast failure is no answer in time
    ],
)
def test_a_request_of_the_steady_state_counts_once(
    intended_ns: int, response_ns: int, *, good: bool, expected: tuple[int, int]
) -> None:
    tally = Tally(steady_ns=100, slo_ns=50)
    tally.count(intended_ns, response_ns, good=good)
    assert (tally.ended, tally.missed) == expected


def test_without_an_objective_none_is_missed() -> None:
    tally = Tally(steady_ns=0, slo_ns=None)
    tally.count(1, 10**12, good=False)
    assert (tally.ended, tally.missed) == (1, 0)
    assert not tally.is_overdue(1, 10**12)


def test_what_is_unanswered_is_missed_once_it_is_late() -> None:
    tally = Tally(steady_ns=100, slo_ns=50)
    assert not tally.is_overdue(100, 50)
    assert tally.is_overdue(100, 51)
    assert not tally.is_overdue(99, 51)
