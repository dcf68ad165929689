"""Drifts and backlogs are found, scatter and freezes are not, and hand-overs leave no mark."""

import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata

from harness.steady_state import BINS, Floats, Window, in_flight, levels, mann_kendall, unsteady
from harness.steady_state import _ranks as ranks
from workloads.plan import PlanHeader, build_plan

S = 10**9
draw = np.random.default_rng(3)


def window(response_s: Floats, rate_rps: float = 100.0, **changes: object) -> Window:
    """Evenly spaced requests of a steady state that begins at 5 s."""
    count = len(response_s)
    intended_ns = 5 * S + (np.arange(count) / rate_rps * S).astype(np.int64)
    columns = {
        "span_ns": (5 * S, 5 * S + int(count / rate_rps * S)),
        "intended_ns": intended_ns,
        "sent_ns": intended_ns,
        "ended_ns": intended_ns + (response_s * S).astype(np.int64),
        "ok": np.ones(count, dtype=bool),
    }
    return Window(**(columns | changes))  # type: ignore[arg-type]


def scattered(level_s: float, count: int = 1000, scatter: float = 0.1) -> Floats:
    return level_s * draw.normal(1, scatter, count)


@pytest.mark.parametrize("share", [0.2, 0.5, -0.2, -0.5])
def test_a_slow_drift_is_found_in_both_directions(share: float) -> None:
    grown = scattered(0.05) * np.linspace(1, 1 + share, 1000)
    said = unsteady(window(grown))
    assert said is not None
    assert ("rose" if share > 0 else "fell") in said


def test_a_drift_that_a_rule_of_scatter_accepts_is_found() -> None:
    grown = scattered(0.05) * np.linspace(1, 1.25, 1000)
    means = grown.reshape(10, 100).mean(axis=1)
    assert means.std() / means.mean() < 0.1
    assert unsteady(window(grown)) is not None


def test_a_warm_up_that_was_too_short_is_found_although_most_is_steady() -> None:
    place = np.linspace(0, 1, 1000)
    said = unsteady(window(scattered(0.05) * (1 + np.exp(-8 * place))))
    assert said is not None


@pytest.mark.parametrize("level_s", [0.0003, 0.02])
def test_what_is_too_small_to_matter_is_no_drift(level_s: float) -> None:
    """20 us more, to the nanosecond: marked as a trend, and nothing to anybody."""
    grown = np.full(1000, level_s) + np.linspace(0, 20e-6, 1000)
    assert mann_kendall(levels(window(grown))).marked
    assert unsteady(window(grown)) is None


def test_one_freeze_is_no_drift_wherever_it_lies() -> None:
    for begins in range(0, 900, 100):
        frozen = scattered(0.02)
        frozen[begins : begins + 100] += np.linspace(1, 0, 100)
        assert unsteady(window(frozen)) is None


def test_a_full_queue_that_sheds_is_steady() -> None:
    response_s, ok = scattered(0.4), draw.random(1000) > 0.3
    response_s[~ok] = 0.001
    assert unsteady(window(response_s, ok=ok)) is None


def test_a_growing_share_of_failures_is_a_drift() -> None:
    ok = draw.random(4000) > np.linspace(0, 0.4, 4000)
    assert unsteady(window(scattered(0.05, 4000), ok=np.ones(4000, dtype=bool))) is None
    assert unsteady(window(scattered(0.05, 4000), ok=ok)) is not None


def test_a_backlog_behind_good_answers_is_found() -> None:
    """A fifth is never answered, evenly; the others are as quick as ever."""
    lost = np.arange(1000) % 5 == 0
    whole = window(scattered(0.05), ok=~lost)
    never = Window(
        whole.span_ns, whole.intended_ns, whole.sent_ns, np.where(lost, 0, whole.ended_ns), ~lost
    )
    said = unsteady(never)
    assert said is not None
    assert "in flight" in said


def test_few_requests_and_no_good_answer_are_not_tested() -> None:
    assert unsteady(window(np.linspace(1, 9, 150))) is None
    assert levels(window(np.ones(1000), ok=np.zeros(1000, dtype=bool))).size == 0
    assert unsteady(window(np.empty(0), span_ns=(0, S))) is None


def test_in_flight_across_the_hand_over_counts_from_the_first_instant() -> None:
    """By arithmetic: one from the warm-up that ends halfway, one within, one never answered."""
    seen = in_flight(
        Window(
            span_ns=(16 * S, 32 * S),
            intended_ns=np.array([10, 20, 31]) * S,
            sent_ns=np.array([10, 20, 31]) * S,
            ended_ns=np.array([24, 22, 0]) * S,
            ok=np.array([True, True, False]),
        )
    )
    expected = np.zeros(BINS)
    expected[:8] += 1
    expected[4:6] += 1
    expected[15] += 1
    assert seen == pytest.approx(expected)


def test_in_flight_is_littles_law() -> None:
    response_s = draw.exponential(0.3, 4000)
    intended_ns = np.sort(draw.integers(0, 40 * S, 4000))
    ended_ns = intended_ns + (response_s * S).astype(np.int64)
    ok = np.ones(4000, dtype=bool)
    seen = in_flight(Window((0, 40 * S), intended_ns, intended_ns, ended_ns, ok))
    inside_s = np.minimum(ended_ns, 40 * S) - intended_ns
    assert seen.mean() == pytest.approx(inside_s.sum() / (40 * S))


def test_one_stream_of_arrivals_runs_through_both_phases() -> None:
    """No gap lies at the hand-over: the plan is that of one phase as long as both."""
    two = build_plan(PlanHeader("constant", ("tag",), 200.0, 2.0, 6.0, seed=4), 10)
    one = build_plan(PlanHeader("constant", ("tag",), 200.0, 0.0, 8.0, seed=4), 10)
    assert (two.offsets_ns == one.offsets_ns).all()
    gaps_ns = np.diff(two.offsets_ns)
    assert gaps_ns.max() - gaps_ns.min() <= 1
    before = int((two.offsets_ns < 2 * S).sum())
    assert (before, len(two.offsets_ns) - before) == (400, 1200)


def test_the_score_is_kendalls_and_the_ranks_are_averages() -> None:
    noise = draw.normal(size=BINS).round(1)
    assert (ranks(noise) + 1 == rankdata(noise)).all()
    rising = np.arange(BINS, dtype=float)
    exact = kendalltau(rising, rising + draw.normal(0, 4, BINS), method="asymptotic")
    assert (mann_kendall(rising).chance < 1e-6) == (exact.statistic > 0)


def test_it_agrees_with_scipy_where_nothing_is_correlated() -> None:
    """SciPy knows no correction for continuity: ours lies above it, by that much."""
    agreed = 0
    for _ in range(50):
        series = draw.normal(size=BINS)
        theirs = kendalltau(np.arange(BINS), series, method="asymptotic").pvalue
        ours = mann_kendall(series).chance
        assert ours >= theirs - 1e-9
        agreed += ours == pytest.approx(theirs, abs=0.05)
    assert agreed >= 25
