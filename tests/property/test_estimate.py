"""What must hold of every estimate, and how often its interval covers a known truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.compare import compare
from reports.estimate import Missing, over_blocks, percentile, samples_needed
from reports.ranking import shared_level

VALUES = st.lists(st.floats(0.01, 1e4), min_size=2, max_size=12)


@pytest.mark.parametrize("blocks", [3, 6])
def test_the_interval_covers_the_truth_in_95_of_100_runs(blocks: int) -> None:
    rng = np.random.default_rng(1)
    truth, runs, covered = 20.0, 4000, 0
    for _ in range(runs):
        values = truth * np.exp(rng.normal(0, 0.1, blocks))
        found = over_blocks(values.tolist(), "log")
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert covered / runs == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / runs))


def test_equal_suts_are_told_apart_in_5_of_100_runs_however_the_machine_drifts() -> None:
    rng = np.random.default_rng(2)
    runs, told = 4000, 0
    for _ in range(runs):
        machine = rng.normal(0, 0.5, 4)  # slow blocks are slow for both
        this, other = np.exp(machine + rng.normal(0, 0.05, (2, 4)))
        found = compare(dict(enumerate(this.tolist())), dict(enumerate(other.tolist())))
        told += found.word != "cannot tell"
    assert told / runs == pytest.approx(0.05, abs=4 * math.sqrt(0.95 * 0.05 / runs))


@pytest.mark.parametrize("suts", [2, 3, 5])
def test_an_answer_ranks_equal_suts_in_at_most_5_of_100_runs(suts: int) -> None:
    """The leader is chosen from the blocks it is then tested on."""
    rng = np.random.default_rng(5)
    runs, false, claims = 1000, 0, 3
    for _ in range(runs):
        wrong = False
        for _ in range(claims):
            values = np.exp(rng.normal(0, 0.1, (suts, 3)))
            order = np.argsort(np.log(values).mean(axis=1))
            leader, *others = (dict(enumerate(values[i].tolist())) for i in order)
            words = [compare(other, leader, shared_level(suts)).word for other in others]
            wrong |= "higher" in words
        false += wrong
    assert false / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_pairing_finds_what_drift_would_hide() -> None:
    rng = np.random.default_rng(3)
    machine = rng.normal(0, 0.5, 6)
    this = np.exp(machine + rng.normal(math.log(1.2), 0.02, 6))
    other = np.exp(machine + rng.normal(0, 0.02, 6))
    found = compare(dict(enumerate(this.tolist())), dict(enumerate(other.tolist())))
    assert found.word == "higher"
    assert found.ratio.point == pytest.approx(1.2, rel=0.03)


@settings(deadline=None)
@given(VALUES, st.floats(0.01, 100))
def test_a_change_of_unit_changes_only_the_unit(values: list[float], factor: float) -> None:
    for scale in ("linear", "log"):
        before = over_blocks(values, scale)
        after = over_blocks([v * factor for v in values], scale)
        for name in ("point", "low", "high"):
            expected = getattr(before, name) * factor
            assert getattr(after, name) == pytest.approx(expected, rel=1e-6, abs=1e-6 * factor)


@settings(deadline=None)
@given(VALUES, st.floats(-1e3, 1e3))
def test_linear_estimates_move_with_their_values(values: list[float], shift: float) -> None:
    before = over_blocks(values, "linear")
    after = over_blocks([v + shift for v in values], "linear")
    assert after.point == pytest.approx(before.point + shift, abs=1e-6)
    assert after.high - after.low == pytest.approx(before.high - before.low, abs=1e-5)


@settings(deadline=None)
@given(VALUES)
def test_the_order_of_blocks_does_not_matter(values: list[float]) -> None:
    forth, back = over_blocks(values, "log"), over_blocks(values[::-1], "log")
    assert forth.point == pytest.approx(back.point)
    assert forth.low == pytest.approx(back.low)


@settings(deadline=None)
@given(VALUES)
def test_the_point_lies_in_its_interval(values: list[float]) -> None:
    found = over_blocks(values, "log")
    assert found.low <= found.point * (1 + 1e-9)
    assert found.point <= found.high * (1 + 1e-9)


@settings(deadline=None)
@given(VALUES)
def test_comparing_the_other_way_round_turns_the_ratio(values: list[float]) -> None:
    this = dict(enumerate(values))
    other = dict(enumerate(values[::-1]))
    forth, back = compare(this, other), compare(other, this)
    assert forth.ratio.point == pytest.approx(1 / back.ratio.point)
    turned = {"higher": "lower", "lower": "higher", "cannot tell": "cannot tell"}
    assert turned[forth.word] == back.word


@settings(deadline=None)
@given(st.integers(1, 1500), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_percentile_is_refused_exactly_when_ten_are_not_beyond_it(
    count: int, quantile: float
) -> None:
    found = percentile(np.arange(count), quantile)
    assert isinstance(found, Missing) == (count * (1 - quantile) < 10 - 1e-9)
    assert (count < samples_needed(quantile)) == isinstance(found, Missing)
