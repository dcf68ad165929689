"""What holds of every arrival process, whatever its numbers and its seed.

Bounds are six standard errors or more: a wrong law fails at once, a right one about never.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.arrivals import ARRIVALS, arrivals, checked_shape, is_stationary

Times = npt.NDArray[np.int64]

RECORDED_NS = np.cumsum([0, *np.random.default_rng(3).integers(0, 10**8, 499)])
rates_rps = st.floats(0.5, 300.0)
durations_s = st.floats(0.1, 20.0)
seeds = st.integers(0, 2**63)
multiples = st.floats(0.0, 8.0)
positive = st.floats(0.01, 8.0)
shapes: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "constant": st.just({}),
    "poisson": st.just({}),
    "gamma": st.fixed_dictionaries({}, optional={"cv": st.floats(0.1, 10.0)}),
    "burst": st.fixed_dictionaries(
        {"every_s": st.floats(0.5, 30), "length_s": st.floats(0.001, 0.4)},
        optional={"factor": multiples},
    ),
    "ramp": st.fixed_dictionaries({"from": multiples, "to": positive}),
    "step": st.fixed_dictionaries(
        {
            "levels": st.lists(
                st.tuples(st.floats(0.01, 30), positive).map(list), min_size=1, max_size=5
            )
        }
    ),
    "diurnal": st.fixed_dictionaries(
        {}, optional={"swing": st.floats(0, 1), "period_s": st.floats(0.5, 100)}
    ),
    "trace": st.just({"repeat": 1.0}),
}
asked = st.sampled_from(sorted(ARRIVALS)).flatmap(
    lambda name: st.tuples(st.just(name), shapes[name])
)


def drawn(name: str, rate_rps: float, duration_s: float, seed: int, shape: dict[str, Any]) -> Times:
    recorded = RECORDED_NS if ARRIVALS[name].replays else None
    return arrivals(name, rate_rps, duration_s, seed, shape=shape, recorded_ns=recorded)


@settings(deadline=None, max_examples=200)
@given(asked, rates_rps, durations_s, seeds)
def test_offsets_ascend_within_the_duration_and_repeat(
    process: tuple[str, dict[str, Any]], rate_rps: float, duration_s: float, seed: int
) -> None:
    name, shape = process
    offsets_ns = drawn(name, rate_rps, duration_s, seed, shape)
    assert offsets_ns.dtype == np.int64
    assert (np.diff(offsets_ns) >= 0).all()
    assert len(offsets_ns) == 0 or (offsets_ns[0] >= 0 and offsets_ns[-1] < duration_s * 1e9)
    assert np.array_equal(offsets_ns, drawn(name, rate_rps, duration_s, seed, shape))


@settings(deadline=None)
@given(asked, rates_rps, durations_s, st.floats(0.1, 10.0), seeds)
def test_a_longer_trial_only_adds_arrivals(
    process: tuple[str, dict[str, Any]],
    rate_rps: float,
    duration_s: float,
    more_s: float,
    seed: int,
) -> None:
    """So the warm-up's length never changes which requests the same seed begins with."""
    name, shape = process
    if name == "ramp":  # its end is the trial's
        return
    short = drawn(name, rate_rps, duration_s, seed, shape)
    long = drawn(name, rate_rps, duration_s + more_s, seed, shape)
    assert np.array_equal(short, long[: len(short)])


@settings(deadline=None)
@given(rates_rps, durations_s, seeds)
def test_constant_gaps_are_all_the_same(rate_rps: float, duration_s: float, seed: int) -> None:
    offsets_ns = arrivals("constant", rate_rps, duration_s, seed)
    assert abs(len(offsets_ns) - rate_rps * duration_s) <= 1
    assert np.abs(np.diff(offsets_ns) - 1e9 / rate_rps).max(initial=0) <= 1.0


def _burst(t: Times, s: dict[str, Any]) -> Any:
    return np.where(t % s["every_s"] >= s["every_s"] - s["length_s"], s["factor"], 1.0)


def _step(t: Times, s: dict[str, Any]) -> Any:
    ends = np.cumsum([length_s for length_s, _ in s["levels"]])
    at = np.minimum(np.searchsorted(ends, t, side="right"), len(ends) - 1)
    return np.array([multiple for _, multiple in s["levels"]])[at]


WATCHED_S = 40.0
MULTIPLE: dict[str, Callable[[Times, dict[str, Any]], Any]] = {
    "burst": _burst,
    "ramp": lambda t, s: s["from"] + (s["to"] - s["from"]) * t / WATCHED_S,
    "step": _step,
    "diurnal": lambda t, s: 1 + s["swing"] * np.sin(2 * np.pi * t / s["period_s"]),
}
"""Each profile written a second time, straight from its law."""


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(MULTIPLE)).flatmap(lambda n: st.tuples(st.just(n), shapes[n])), seeds)
def test_a_profile_offers_its_integral_in_every_part_of_the_trial(
    process: tuple[str, dict[str, Any]], seed: int
) -> None:
    name, shape = process
    rate_rps, parts = 100.0, 8
    offsets_ns = drawn(name, rate_rps, WATCHED_S, seed, shape)
    fine_s = (np.arange(400_000) + 0.5) * WATCHED_S / 400_000
    multiple = MULTIPLE[name](fine_s, checked_shape(name, shape))
    expected = multiple.reshape(parts, -1).mean(axis=1) * rate_rps * WATCHED_S / parts
    counts, _ = np.histogram(offsets_ns, parts, (0, WATCHED_S * 1e9))
    assert (np.abs(counts - expected) <= 7 * np.sqrt(expected) + 0.005 * expected + 7).all()


@settings(deadline=None)
@given(rates_rps, durations_s, seeds, st.sampled_from(["step", "ramp", "diurnal", "burst"]))
def test_a_flat_profile_is_poisson_to_the_nanosecond(
    rate_rps: float, duration_s: float, seed: int, name: str
) -> None:
    flat: dict[str, dict[str, Any]] = {
        "step": {"levels": [[0.7, 1], [1, 1]]},
        "ramp": {"from": 1, "to": 1},
        "diurnal": {"swing": 0, "period_s": 0.9},
        "burst": {"factor": 1},
    }
    assert np.array_equal(
        drawn(name, rate_rps, duration_s, seed, flat[name]),
        arrivals("poisson", rate_rps, duration_s, seed),
    )


def dispersion(cv: float, seed: int, windows: int, per_window: float) -> tuple[float, float, int]:
    """Index of dispersion of gamma counts, what renewal theory expects of it, and all arrivals.

    Of a stationary renewal process it is ``cv**2 + (1 - cv**4) / (6 m)`` in windows of m arrivals,
    for gamma gaps and large m (Cox 1962, 4.5).
    """
    duration_s = windows * per_window / 100.0
    offsets_ns = arrivals("gamma", 100.0, duration_s, seed, shape={"cv": cv})
    counts, _ = np.histogram(offsets_ns, windows, (0, duration_s * 1e9))
    expected = cv**2 + (1 - cv**4) / (6 * per_window)
    return float(counts.var() / counts.mean()), expected, len(offsets_ns)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from([0.3, 1.0, 2.0]))
def test_gamma_counts_have_the_rate_and_the_dispersion_of_their_cv(seed: int, cv: float) -> None:
    windows, per_window = 300, 30.0
    seen, expected, n = dispersion(cv, seed, windows, per_window)
    assert n == pytest.approx(windows * per_window, abs=7 * cv * np.sqrt(windows * per_window))
    assert seen == pytest.approx(expected, rel=8 * np.sqrt(2 / windows))


@pytest.mark.parametrize("cv", [0.5, 1.7, 3.0])
def test_the_dispersion_of_gamma_is_what_renewal_theory_says(cv: float) -> None:
    """Enough of it to tell 12 % from none; the seed is fixed."""
    seen, expected, _ = dispersion(cv, 11, 1000, 30.0)
    assert seen == pytest.approx(expected, rel=0.12)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_poisson_counts_have_the_rate_and_the_dispersion_of_poisson(seed: int) -> None:
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


def test_gamma_starts_at_its_rate_and_not_with_a_burst() -> None:
    """Over many seeds, the first second holds as many as any other: the first gap is what is left
    of one."""
    firsts = [len(arrivals("gamma", 20.0, 0.25, seed, shape={"cv": 3.0})) for seed in range(2000)]
    assert np.mean(firsts) == pytest.approx(5.0, abs=6 * np.std(firsts) / np.sqrt(len(firsts)))


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 10**10), min_size=1, max_size=60).filter(any),
    st.floats(0.01, 1000.0),
    st.floats(0.05, 1.0),
)
def test_a_trace_is_stretched_exactly(gaps_ns: list[int], rate_rps: float, share: float) -> None:
    """Offsets times rate are the recording's offsets times its own rate, to the nanosecond."""
    recorded_ns = np.cumsum([0, *gaps_ns])
    n, span_ns = len(recorded_ns), int(recorded_ns[-1])
    duration_s = share * n / rate_rps
    offsets_ns = arrivals("trace", rate_rps, duration_s, 1, recorded_ns=recorded_ns)
    stretch = Decimal(n - 1) * 10**9 / span_ns / Decimal(rate_rps)
    exact = [Decimal(int(time_ns)) * stretch for time_ns in recorded_ns]
    expected = [time_ns for time_ns in exact if time_ns < Decimal(duration_s) * 10**9]
    assert abs(len(offsets_ns) - len(expected)) <= 1
    for offset_ns, wanted in zip(offsets_ns.tolist(), expected, strict=False):
        assert abs(offset_ns - wanted) <= 1


def test_a_repeated_trace_begins_again_a_mean_gap_after_its_end() -> None:
    recorded_ns = np.array([0, 1, 4, 9]) * 10**9
    offsets_ns = arrivals("trace", 1.0, 9.0, 1, shape={"repeat": 1}, recorded_ns=recorded_ns)
    once = [0, 333333333, 1333333333, 3000000000]
    assert offsets_ns.tolist() == [*once, *(4 * 10**9 + at for at in once), 8 * 10**9, 8333333333]


def test_which_processes_have_a_steady_state() -> None:
    steady = {name for name in ARRIVALS if is_stationary(name)}
    assert steady == {"constant", "poisson", "gamma"}
    assert is_stationary("closed")
