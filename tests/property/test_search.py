"""The search: on every monotone SUT it ends with a narrow bracket that holds the truth."""

from collections.abc import Callable, Iterator
from math import ceil, log, log2

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.capacity.bracket import Bracket, bracket, collapses, contradicted
from harness.capacity.search import HALVINGS, STEPS_DOWN, Ask, Found, Limits, next_move
from harness.capacity.tally import Tally
from harness.record import Probe, TrialPlace, Verdict
from harness.schedule import MOST_PROBES

Verdicts = Callable[[Ask], Verdict]

starts = st.floats(0.5, 2000).map(lambda rate: float(f"{rate:.4g}"))
precisions = st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.3])


def probe(number: int, ask: Ask, verdict: Verdict) -> Probe:
    place = TrialPlace(order=number, block=0, step=0, sut="a:b", probe=number)
    return Probe(
        place=place,
        offered_rps=ask.offered_rps,
        role=ask.role,
        verdict=verdict,
        planned=1000,
        missed=0,
        failed=0,
        why=f"said so {number} times",
    )


def search(limits: Limits, verdicts: Verdicts) -> tuple[list[Probe], Found]:
    probes: list[Probe] = []
    while isinstance(move := next_move(limits, probes), Ask):
        assert len(probes) < MOST_PROBES
        assert 0 < move.offered_rps <= limits.most_rps
        probes.append(probe(len(probes), move, verdicts(move)))
    return probes, move


def monotone(capacity_rps: float) -> Verdicts:
    return lambda ask: "holds" if ask.offered_rps <= capacity_rps else "fails"


def in_turn(*said: Verdict) -> Verdicts:
    left: Iterator[Verdict] = iter(said)
    return lambda _: next(left)


@given(starts, precisions, st.floats(1 / 60, 4000), st.floats(1, 5000))
def test_a_monotone_suts_capacity_lies_in_a_narrow_bracket(
    start: float, precision: float, share: float, room: float
) -> None:
    limits = Limits(start, float(f"{start * room:.4g}"), precision)
    truth = start * share
    probes, found = search(limits, monotone(truth))
    low, high = found.bracket
    assert low is not None
    assert low <= truth
    assert found.capacity_rps == low
    assert found.confirmed_by == len(probes) - 1
    assert probes[-1].role == "confirmation"
    if high is None:
        assert low == limits.most_rps
        assert "capacity.most" in found.why
    else:
        assert truth < high
        assert high <= low * (1 + precision) * 1.001
    turns = ceil(log2(room)) + HALVINGS + ceil(log2(log(2) / log(1 + precision)))
    assert len(probes) <= turns + 5


def test_probes_of_a_common_search() -> None:
    probes, found = search(Limits(25.0, 400.0, 0.05), monotone(138.0))
    asked = [(p.offered_rps, p.role) for p in probes]
    assert asked[:4] == [(r, "doubling") for r in (25.0, 50.0, 100.0, 200.0)]
    assert [role for _, role in asked[4:]] == ["bisection"] * 4 + ["repetition", "confirmation"]
    assert asked[-2][0] == found.bracket.high_rps
    assert found.capacity_rps is not None
    assert 138.0 / 1.05 <= found.capacity_rps <= 138.0
    assert "confirmed" in found.why


def test_a_rate_that_failed_by_mishap_does_not_bound_the_search() -> None:
    # 100 fails once, as a machine that stood still makes it; the SUT carries 138.
    mishap = iter(["fails"])

    def verdict(ask: Ask) -> Verdict:
        by_luck = next(mishap, None) if ask.offered_rps == 100.0 else None
        return "fails" if by_luck else monotone(138.0)(ask)

    probes, found = search(Limits(25.0, 400.0, 0.05), verdict)
    assert [p.verdict for p in probes if p.offered_rps == 100.0] == ["fails", "holds"]
    assert found.capacity_rps is not None
    assert 138.0 / 1.05 <= found.capacity_rps <= 138.0


def test_a_rate_that_never_holds_ends_the_search_with_what_to_do() -> None:
    probes, found = search(Limits(64.0, 400.0, 0.05), monotone(0.5))
    assert [p.offered_rps for p in probes] == [64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0]
    assert found.capacity_rps is None
    assert found.bracket == Bracket(None, 1.0)
    assert "lower capacity.start" in found.why


def test_an_undecided_probe_is_played_again_twice_at_most() -> None:
    limits = Limits(10.0, 10.0, 0.05)
    said = in_turn("undecided", "undecided", "holds", "undecided", "holds")
    probes, found = search(limits, said)
    assert [p.role for p in probes] == ["doubling"] * 3 + ["confirmation"] * 2
    assert found.capacity_rps == 10.0
    probes, found = search(limits, in_turn("undecided", "undecided", "undecided"))
    assert found.capacity_rps is None
    assert found.why == "undecided 3 times in a row at 10 rps: said so 2 times"


def test_a_rate_that_held_once_is_lowered_until_one_is_confirmed() -> None:
    said = in_turn("holds", "fails", "fails", "holds")
    probes, found = search(Limits(100.0, 100.0, 0.05), said)
    assert [p.offered_rps for p in probes] == [100.0, 100.0, 95.24, 90.7]
    assert found.capacity_rps == 90.7
    assert found.bracket == Bracket(90.7, 95.24)
    assert "2 of at most 3 steps down: 100 rps held only once" in found.why


def test_a_rate_that_is_never_confirmed_is_no_capacity() -> None:
    said = in_turn("holds", *["fails"] * (1 + STEPS_DOWN))
    probes, found = search(Limits(100.0, 100.0, 0.05), said)
    assert len(probes) == 2 + STEPS_DOWN
    assert found.capacity_rps is None
    assert found.confirmed_by is None
    assert "held a second time" in found.why


def test_a_rate_that_held_above_one_that_failed_is_named_and_does_not_count() -> None:
    # 100 holds, 200 fails twice, 141.4 holds, is not confirmed, nor is 94.27 below 100.
    said = in_turn("holds", "fails", "holds", "fails", "fails", "holds")
    probes, found = search(Limits(100.0, 200.0, 0.5), said)
    assert [p.offered_rps for p in probes] == [100.0, 200.0, 141.4, 200.0, 141.4, 94.27]
    assert found.bracket == Bracket(100.0, 141.4)
    said = in_turn("holds", "fails", "holds", "fails", "fails", "fails", "holds")
    probes, found = search(Limits(100.0, 200.0, 0.5), said)
    assert found.capacity_rps == 62.85
    assert found.bracket == Bracket(62.85, 94.27)
    assert contradicted(probes) == (94.27, 100.0)
    assert "94.27 rps failed and 100 rps held" in found.why


@given(starts, precisions, st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_it_ends_whatever_a_noisy_sut_says(
    start: float, precision: float, seed: int, undecided: float
) -> None:
    draw = np.random.default_rng(seed)

    def verdict(ask: Ask) -> Verdict:
        if draw.random() < undecided / 2:
            return "undecided"
        chance = 1 / (1 + (ask.offered_rps / (3 * start)) ** 4)
        return "holds" if draw.random() < chance else "fails"

    probes, found = search(Limits(start, 50 * start, precision), verdict)
    assert found.bracket == bracket(probes)
    if found.capacity_rps is not None:
        confirmed = probes[found.confirmed_by or 0]
        assert (confirmed.role, confirmed.verdict) == ("confirmation", "holds")
        assert confirmed.offered_rps == found.capacity_rps
    assert found.why


@given(starts, st.integers(0, 40))
def test_the_next_move_depends_on_nothing_but_the_probes(start: float, cut: int) -> None:
    limits = Limits(start, 20 * start, 0.05)
    probes, found = search(limits, monotone(3 * start))
    assert next_move(limits, probes) == found
    earlier = probes[: min(cut, len(probes) - 1)]
    move = next_move(limits, earlier)
    assert isinstance(move, Ask)
    assert (move.offered_rps, move.role) == (
        probes[len(earlier)].offered_rps,
        probes[len(earlier)].role,
    )


def test_a_cliff_is_a_fall_beyond_the_scatter_of_counts() -> None:
    low = Tally(completed=1000, steady_s=10.0)
    assert collapses(low, Tally(completed=800, steady_s=10.0))
    assert not collapses(low, Tally(completed=950, steady_s=10.0))
    assert not collapses(low, Tally(completed=3, steady_s=0.1))  # too short to tell
    assert not collapses(low, Tally(completed=1100, steady_s=10.0))
    assert not collapses(low, Tally())
