"""What is drawn is what was measured, down to the slowest answer."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.charts.responses import thinned


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 100), max_size=3000))
def test_thinning_keeps_the_tail_and_moves_no_point(values: list[float]) -> None:
    ascending = np.sort(np.asarray(values, dtype=np.float64))
    kept, counts = thinned(ascending)
    assert len(kept) <= 700
    assert (np.diff(counts) > 0).all()
    assert (ascending[counts.astype(int) - 1] == kept).all()
    tail = min(len(ascending), 100)
    assert kept[len(kept) - tail :].tolist() == ascending[len(ascending) - tail :].tolist()
    if len(ascending):
        assert kept[0] == ascending[0]


def test_a_million_answers_draw_as_a_few_hundred_points() -> None:
    ascending = np.sort(np.random.default_rng(1).exponential(1, 1_000_000))
    kept, counts = thinned(ascending)
    assert len(kept) < 700
    nearest = np.interp(ascending, kept, counts) / len(ascending)
    truth = np.arange(1, len(ascending) + 1) / len(ascending)
    assert np.abs(nearest - truth).max() < 0.005
