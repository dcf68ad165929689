"""Two sets of blocks that share nothing: against scipy, a margin, and where nothing changed."""

import numpy as np
import pytest
from scipy import stats

from reports.compared.change import change, log_margin
from reports.compared.welch import CannotTellError, welch
from reports.estimate import LEVEL, Missing
from reports.gate.holm import holm

MINE, THEIRS = [1.0, 1.1, 0.9, 1.05], [1.3, 1.25, 1.6, 1.2, 1.35, 1.28]


def test_it_is_welchs_test_as_scipy_has_it() -> None:
    found = welch(MINE, THEIRS)
    other = stats.ttest_ind(THEIRS, MINE, equal_var=False)
    interval = other.confidence_interval(LEVEL)
    assert found.p() == pytest.approx(other.pvalue)
    assert found.df == pytest.approx(other.df)
    assert found.ends(LEVEL) == pytest.approx((interval.low, interval.high))


def test_beside_a_margin_p_and_interval_never_disagree() -> None:
    found = welch(MINE, THEIRS)
    low, _ = found.ends(LEVEL)
    assert found.p(low - 1e-9) < 1 - LEVEL < found.p(low + 1e-9)
    turned = welch(THEIRS, MINE)
    assert turned.p(low) == pytest.approx(found.p(low))
    assert found.p(10.0) == 1.0


@pytest.mark.parametrize(
    ("mine", "theirs", "says"),
    [([1.0], THEIRS, "baseline has 1 of the 2"), (MINE, [], "candidate has 0"),
     ([2.0, 2.0], [2.0, 2.0], "same on both sides"), ([2.0, 2.0], [3.0, 3.0], "same on both")],
)  # fmt: skip
def test_what_has_no_spread_has_no_interval(
    mine: list[float], theirs: list[float], says: str
) -> None:
    with pytest.raises(CannotTellError, match=says):
        welch(mine, theirs)


def test_a_ratio_is_of_geometric_means_and_a_share_a_difference() -> None:
    ratio = change([1.0, 4.0], [4.0, 16.0], "ratio").shown
    assert ratio.point == pytest.approx(4.0)
    assert ratio.n == 4
    points = change([0.1, 0.2], [0.2, 0.3], "difference").shown
    assert points.point == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("theirs", "says"),
    [([0.0, 1.0], "zero"), ([Missing("not carried"), 1.0], "not carried"),
     ([], "candidate has no trusted trial"), ([2.0], "candidate has 1")],
)  # fmt: skip
def test_one_block_without_a_figure_refuses_it(theirs: list[float | Missing], says: str) -> None:
    found = change([1.0, 2.0], theirs, "ratio")
    assert found.welch is None
    assert says in found.shown.note


def alarms(rng: np.random.Generator, figures: int, true: float, margin: float) -> bool:
    """Whether a comparison of so many figures calls any of them changed."""
    chances = {}
    for figure in range(figures):
        spread = rng.uniform(0.005, 0.1, 2)
        mine = np.exp(rng.normal(0.0, spread[0], 4)).tolist()
        theirs = np.exp(rng.normal(true, spread[1], 6)).tolist()
        found = change(mine, theirs, "ratio").welch
        assert found is not None
        chances[str(figure)] = found.p(log_margin(margin, "ratio"))
    return any(place.rejected for place in holm(chances, 0.05).values())


@pytest.mark.parametrize(("true", "margin"), [(0.0, 0.0), (float(np.log(1.05)), 0.05)])
def test_of_comparisons_of_equals_one_in_twenty_at_most_calls_a_change(
    true: float, margin: float
) -> None:
    """Twelve figures of unlike scatter and number of blocks; 400 comparisons, five sigma."""
    rng = np.random.default_rng(20261123)
    called = sum(alarms(rng, 12, true, margin) for _ in range(400))
    assert called / 400 < 0.05 + 5 * (0.05 * 0.95 / 400) ** 0.5


def test_a_fifth_is_found_where_blocks_scatter_by_a_fiftieth() -> None:
    rng = np.random.default_rng(7)
    found = [
        change(np.exp(rng.normal(0, 0.02, 6)).tolist(),
               np.exp(rng.normal(np.log(1.2), 0.02, 6)).tolist(), "ratio")
        for _ in range(200)
    ]  # fmt: skip
    assert all(one.welch and one.welch.p(log_margin(0.03, "ratio")) < 1e-3 for one in found)
    ends = [(one.shown.low or 0.0, one.shown.high or 0.0) for one in found]
    assert sum(low < 1.2 < high for low, high in ends) > 180
