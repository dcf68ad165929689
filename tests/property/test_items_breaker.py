"""The circuit breaker and the retry budget, against what their words promise."""

from collections import deque
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from architectures.patterns.items.breaker import Breaker, BreakerLimits, State
from architectures.patterns.items.retry_budget import RetryBudget

_S = 1_000_000_000

limits = st.builds(
    BreakerLimits,
    window=st.integers(4, 12),
    least=st.integers(1, 4),
    failing=st.floats(0.1, 1.0),
    open_s=st.floats(0.5, 5.0),
    probes=st.integers(1, 3),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("admit"), st.just(0)),
        st.tuples(st.sampled_from(["ok", "failed", "left"]), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.integers(1, 3 * _S)),
    ),
    max_size=120,
)


@dataclass
class Played:
    """A breaker driven by steps, and every change of its state."""

    breaker: Breaker
    now_ns: int = 0
    inside: list[tuple[int, State]] = field(default_factory=list)
    admitted_in: list[State] = field(default_factory=list)
    changes: list[tuple[State, State, int]] = field(default_factory=list)

    def step(self, kind: str, value: int) -> None:
        before = self.breaker.state
        if kind == "wait":
            self.now_ns += value
        elif kind == "admit":
            ticket = self.breaker.admit(self.now_ns)
            if ticket is not None:
                self.inside.append((ticket, self.breaker.state))
                self.admitted_in.append(self.breaker.state)
        elif self.inside:
            ticket, _ = self.inside.pop(value % len(self.inside))
            if kind == "left":
                self.breaker.drop(ticket)
            else:
                self.breaker.settle(ticket, self.now_ns, ok=kind == "ok")
        if self.breaker.state is not before:
            self.changes.append((before, self.breaker.state, self.now_ns))


ALLOWED = {
    (State.CLOSED, State.OPEN),
    (State.OPEN, State.HALF_OPEN),
    (State.HALF_OPEN, State.OPEN),
    (State.HALF_OPEN, State.CLOSED),
}


@given(limits, steps)
def test_only_the_drawn_transitions_happen_and_open_lasts(
    given_limits: BreakerLimits, played: list[tuple[str, int]]
) -> None:
    run = Played(Breaker(given_limits))
    for kind, value in played:
        run.step(kind, value)
    assert {(before, after) for before, after, _ in run.changes} <= ALLOWED
    opened_ns = 0
    for before, after, at_ns in run.changes:
        if after is State.OPEN:
            opened_ns = at_ns
        if before is State.OPEN:
            assert at_ns - opened_ns >= given_limits.open_s * _S
    assert State.OPEN not in run.admitted_in


@given(limits, steps)
def test_never_more_probes_at_once_than_allowed(
    given_limits: BreakerLimits, played: list[tuple[str, int]]
) -> None:
    run = Played(Breaker(given_limits))
    for kind, value in played:
        run.step(kind, value)
        if run.breaker.state is State.HALF_OPEN:
            current = run.breaker._generation
            probing = sum(ticket == current for ticket, _ in run.inside)
            assert probing <= given_limits.probes


@given(limits, st.lists(st.booleans(), min_size=1, max_size=60))
def test_it_opens_at_the_first_window_that_fails_too_often(
    given_limits: BreakerLimits, outcomes: list[bool]
) -> None:
    """An oracle that keeps the outcomes itself."""
    breaker, seen = Breaker(given_limits), deque[bool](maxlen=given_limits.window)
    for ok in outcomes:
        ticket = breaker.admit(0)
        assert ticket is not None
        breaker.settle(ticket, 0, ok=ok)
        seen.append(ok)
        due = len(seen) >= given_limits.least and seen.count(False) >= given_limits.failing * len(
            seen
        )
        assert (breaker.state is State.OPEN) == due
        if due:
            assert breaker.admit(0) is None
            return


@given(limits)
def test_it_closes_after_its_probes_and_opens_at_the_first_that_fails(
    given_limits: BreakerLimits,
) -> None:
    later_ns = int(given_limits.open_s * _S) + 1
    for last_ok in (True, False):
        breaker = Breaker(given_limits)
        while (ticket := breaker.admit(0)) is not None:
            breaker.settle(ticket, 0, ok=False)
        probes = [breaker.admit(later_ns) for _ in range(given_limits.probes)]
        assert None not in probes
        assert breaker.admit(later_ns) is None
        for i, probe in enumerate(probes):
            assert probe is not None
            breaker.settle(probe, later_ns, ok=last_ok or i + 1 < given_limits.probes)
        assert breaker.state is (State.CLOSED if last_ok else State.OPEN)


def test_a_probe_whose_caller_left_makes_room_for_another() -> None:
    breaker = Breaker(BreakerLimits(least=1, probes=1, open_s=1.0))
    first = breaker.admit(0)
    assert first is not None
    breaker.settle(first, 0, ok=False)
    probe = breaker.admit(2 * _S)
    assert probe is not None
    assert breaker.admit(2 * _S) is None
    breaker.drop(probe)
    assert breaker.admit(2 * _S) is not None


def test_a_call_admitted_before_it_opened_says_nothing_about_a_probe() -> None:
    breaker = Breaker(BreakerLimits(least=1, failing=1.0, probes=1, open_s=1.0))
    slow, quick = breaker.admit(0), breaker.admit(0)
    assert slow is not None
    assert quick is not None
    breaker.settle(quick, 0, ok=False)
    assert breaker.admit(2 * _S) is not None  # the probe is on its way
    breaker.settle(slow, 2 * _S, ok=True)
    assert breaker.state is State.HALF_OPEN


@settings(max_examples=50)
@given(st.floats(0.01, 1.0), st.lists(st.booleans(), max_size=400))
def test_retries_stay_within_their_share_of_the_requests_so_far(
    ratio: float, wishes: list[bool]
) -> None:
    budget, retries = RetryBudget(ratio), 0
    for requests, wish in enumerate(wishes, 1):
        budget.request()
        retries += wish and budget.retry()
        assert retries <= ratio * requests + 1e-6


def test_ten_requests_buy_one_retry_and_saving_has_an_end() -> None:
    budget = RetryBudget(0.1, most=2.0)
    for _ in range(9):
        budget.request()
    assert not budget.retry()
    budget.request()
    assert budget.retry()
    assert not budget.retry()
    for _ in range(1000):
        budget.request()
    assert [budget.retry() for _ in range(3)] == [True, True, False]
