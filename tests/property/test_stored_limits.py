"""The prediction limit against its definition: how often one more value of the same law is beyond.

The smallest change that is spoken of would hide false alarms, so spreads are drawn wide enough for
the limit itself to decide.
"""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.gate.holm import adjusted_p
from reports.gate.metrics import BY_KEY
from reports.stored.check import ERROR
from reports.stored.limits import LEAST_CHANGE, LEVEL, Limit, factor

TIMES = 2500
ABOVE = 3 * np.sqrt(LEVEL * (1 - LEVEL) / TIMES)
"""Three standard errors of a share of so many simulations."""


def limit_of(key: str, values: np.ndarray, requests: int = 0) -> Limit:
    return Limit(BY_KEY[key], tuple(map(float, values)), (requests,) * len(values))


@pytest.mark.parametrize(("k", "tabled"), [(3, 8.0), (5, 4.1), (10, 3.0), (20, 2.6)])
def test_the_factors_are_those_tabled(k: int, tabled: float) -> None:
    assert factor(k) == pytest.approx(tabled, abs=0.05)


@pytest.mark.parametrize("key", ["cpu_ms", "goodput_rps"])
@pytest.mark.parametrize("k", [10, 20])
def test_one_value_in_a_hundred_is_beyond_and_no_more(key: str, k: int) -> None:
    draws = np.exp(np.random.default_rng(k).normal(2.0, 0.25, (TIMES, k + 1)))
    false = sum(limit_of(key, row[:k]).beyond(row[k]) for row in draws)
    assert 1 - LEVEL - ABOVE <= false / TIMES <= 1 - LEVEL + ABOVE


def test_p_and_the_limit_say_the_same() -> None:
    for row in np.exp(np.random.default_rng(1).normal(0, 0.3, (300, 11))):
        limit = limit_of("cpu_ms", row[:10])
        if abs(row[10] / limit.bound() - 1) > 1e-9 and limit.material(row[10]):
            assert (limit.p(row[10]) < 1 - LEVEL) == limit.beyond(row[10])


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.02])
def test_rare_errors_are_seldom_called_a_change(rate: float) -> None:
    rng, requests = np.random.default_rng(2), 200
    draws = rng.binomial(requests, rate, (TIMES, 11)) / requests
    found = [limit_of("error_share", row[:10], requests).p(row[10], requests) for row in draws]
    assert np.mean(np.asarray(found) < 1 - LEVEL) <= 1 - LEVEL + ABOVE


def test_errors_that_were_never_seen_are_found() -> None:
    limit = limit_of("error_share", np.zeros(10), 200)
    assert limit.p(1 / 200, 200) > 1 - LEVEL
    assert limit.p(20 / 200, 200) < 1e-6
    assert limit.bound() < 20 / 200


def test_half_a_percentage_point_of_errors_is_no_gross_change() -> None:
    limit = limit_of("error_share", np.full(10, 0.001), 100_000)
    assert limit.p(0.005, 100_000) < 1e-6
    assert not limit.beyond(0.0059, 0.99)
    assert not limit.material(0.0059)
    assert limit.beyond(0.0061)
    assert limit.material(0.0061)


@pytest.mark.parametrize("together", [0.0, 0.9])
def test_a_whole_check_shares_one_error(together: float) -> None:
    """16 figures of one unchanged service, alone or nearly in step."""
    rng, figures, times = np.random.default_rng(3), 16, 600
    common = rng.normal(0, 1, (times, 1, 11)) * np.sqrt(together)
    own = rng.normal(0, 1, (times, figures, 11)) * np.sqrt(1 - together)
    draws = np.exp(0.3 * (common + own))
    false = 0
    for run in draws:
        asked = [limit_of("cpu_ms", row[:10]).p(row[10]) for row in run]
        false += any(p is not None and p < ERROR for p in adjusted_p(asked))
    assert false / times <= ERROR + 3 * np.sqrt(ERROR * (1 - ERROR) / times)


@given(
    st.lists(st.floats(0.01, 1e4), min_size=10, max_size=30),
    st.sampled_from(["cpu_ms", "goodput_rps", "start_up_s", "pss_peak_mb"]),
)
@example([100.0] * 10, "cpu_ms")
@example([100.0] * 10, "goodput_rps")
def test_whatever_was_stored_the_limit_is_a_number_at_least_a_tenth_away(
    values: list[float], key: str
) -> None:
    limit = limit_of(key, np.asarray(values))
    bound, centre = limit.bound(), limit.centre
    assert np.isfinite(bound)
    worse = bound / centre if BY_KEY[key].better == "lower" else centre / max(bound, 1e-300)
    assert worse >= (1 + LEAST_CHANGE) * (1 - 1e-9)
    assert not limit.beyond(centre)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=40))
def test_holm_keeps_order_and_never_sharpens(p_values: list[float | None]) -> None:
    found = adjusted_p(p_values)
    pairs = [(p, q) for p, q in zip(p_values, found, strict=True) if p is not None]
    assert [q is None for q in found] == [p is None for p in p_values]
    assert all(q is not None and p <= q <= 1 for p, q in pairs)
    assert [q for _, q in sorted(pairs)] == sorted(q for _, q in pairs if q is not None)
