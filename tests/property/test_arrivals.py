import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.arrivals import ARRIVALS, arrivals

rates_rps = st.floats(0.5, 300.0)
durations_s = st.floats(0.1, 20.0)
seeds = st.integers(0, 2**63)


@settings(deadline=None)
@given(st.sampled_from(sorted(ARRIVALS)), rates_rps, durations_s, seeds)
def test_offsets_ascend_within_the_duration_and_repeat(
    name: str, rate_rps: float, duration_s: float, seed: int
) -> None:
    offsets_ns = arrivals(name, rate_rps, duration_s, seed)
    assert offsets_ns.dtype == np.int64
    assert (np.diff(offsets_ns) >= 0).all()
    assert len(offsets_ns) == 0 or (offsets_ns[0] >= 0 and offsets_ns[-1] < duration_s * 1e9)
    assert np.array_equal(offsets_ns, arrivals(name, rate_rps, duration_s, seed))


@settings(deadline=None)
@given(rates_rps, durations_s, seeds)
def test_constant_gaps_are_all_the_same(rate_rps: float, duration_s: float, seed: int) -> None:
    offsets_ns = arrivals("constant", rate_rps, duration_s, seed)
    assert abs(len(offsets_ns) - rate_rps * duration_s) <= 1
    assert np.abs(np.diff(offsets_ns) - 1e9 / rate_rps).max(initial=0) <= 1.0


@settings(deadline=None)
@given(rates_rps, durations_s, st.floats(0.1, 10.0), seeds)
def test_a_longer_trial_only_adds_arrivals(
    rate_rps: float, duration_s: float, more_s: float, seed: int
) -> None:
    """So the warm-up's length never changes which requests the same seed begins with."""
    for name in ARRIVALS:
        short = arrivals(name, rate_rps, duration_s, seed)
        long = arrivals(name, rate_rps, duration_s + more_s, seed)
        assert np.array_equal(short, long[: len(short)])


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_poisson_counts_have_the_rate_and_the_dispersion_of_poisson(seed: int) -> None:
    """Six standard errors: a wrong law fails at once, a right one about never."""
    windows, per_window = 400, 5.0
    offsets_ns = arrivals("poisson", 100.0, windows * per_window / 100.0, seed)
    counts, _ = np.histogram(offsets_ns, windows, (0, windows * per_window / 100.0 * 1e9))
    expected = windows * per_window
    assert len(offsets_ns) == pytest.approx(expected, abs=6 * np.sqrt(expected))
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=6 * np.sqrt(2 / windows))


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_constant_counts_have_no_dispersion(seed: int) -> None:
    offsets_ns = arrivals("constant", 100.0, 20.0, seed)
    counts, _ = np.histogram(offsets_ns, 400, (0, 20e9))
    assert counts.var() / counts.mean() < 0.01
