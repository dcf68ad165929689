"""What must hold of a trial's metrics, whatever came back."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.record import Phases, TrialPlace, TrialRecord
from reports.estimate import Missing
from reports.frames import TrialFrames
from reports.metrics import Subject, measure
from reports.pictures import picture
from reports.usage import steady_cpu_s
from workloads.sample import Outcome

PHASES = Phases(start_ns=10**9, steady_ns=2 * 10**9, end_ns=6 * 10**9, drained_ns=8 * 10**9)
PLACE = TrialPlace(order=0, block=0, step=0, sut="a:b")
RECORD = TrialRecord(place=PLACE, outcome="ok", offered_rps=1.0, phases=PHASES)

REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 5 * 10**9 - 1),  # intended start
        st.integers(0, 10**8),  # lag
        st.integers(1, 3 * 10**9),  # service time
        st.sampled_from(list(Outcome)),
    ),
    max_size=60,
)


def trial_of(requests: list[tuple[int, int, int, Outcome]]) -> TrialFrames:
    rows = []
    for start, lag, service, outcome in sorted(requests):
        intended = PHASES.start_ns + start
        sent = 0 if outcome == Outcome.DROPPED else intended + lag
        answered = outcome in {Outcome.OK, Outcome.HTTP_ERROR}
        received = sent + service if answered else 0
        status = {Outcome.OK: 200, Outcome.HTTP_ERROR: 503}.get(outcome, 0)
        phase = "warm-up" if intended < PHASES.steady_ns else "steady"
        nan = float("nan")
        rows.append(
            {
                "intended_ns": intended,
                "sent_ns": sent,
                "received_ns": received,
                "outcome": int(outcome),
                "status": status,
                "phase": phase,
                "ok": outcome == Outcome.OK,
                "response_s": (received - intended) / 1e9 if answered else nan,
                "service_s": (received - sent) / 1e9 if answered else nan,
                "lag_s": (sent - intended) / 1e9 if sent else nan,
            }
        )
    columns = ["intended_ns", "sent_ns", "received_ns", "outcome", "status", "phase", "ok"]
    samples = pd.DataFrame(rows, columns=[*columns, "response_s", "service_s", "lag_s"])
    samples = samples.astype({"ok": bool, "response_s": float, "service_s": float, "lag_s": float})
    planned = int((samples["phase"] == "steady").sum())
    stages = pd.DataFrame(columns=["stage"])
    usage = pd.DataFrame(columns=["t_ns", "component", "cpu_s", "pss_bytes"])
    return TrialFrames(RECORD, PHASES, samples, stages, usage, planned)


@settings(deadline=None, max_examples=50)
@given(REQUESTS, st.floats(0.01, 3))
def test_rates_are_nested_and_shares_are_shares(
    requests: list[tuple[int, int, int, Outcome]], slo_s: float
) -> None:
    trial = trial_of(requests)
    found = measure(Subject(trial, slo_s, None))
    assert 0 <= found["goodput_rps"] <= found["throughput_rps"] <= found["achieved_rps"]
    if trial.planned:
        assert 0 <= found["shed_share"] <= found["error_share"] <= 1
        assert 0 <= found["slo_share"] <= 1 - found["error_share"] + 1e-12
    else:
        assert isinstance(found["slo_share"], Missing)


@settings(deadline=None, max_examples=50)
@given(REQUESTS, st.floats(0.01, 3))
def test_a_failure_in_place_of_an_answer_never_flatters(
    requests: list[tuple[int, int, int, Outcome]], slo_s: float
) -> None:
    before = measure(Subject(trial_of(requests), slo_s, None))
    worse = [(a, b, c, Outcome.TIMED_OUT) for a, b, c, _ in requests[:1]] + requests[1:]
    after = measure(Subject(trial_of(worse), slo_s, None))
    assert after["goodput_rps"] <= before["goodput_rps"]
    if not isinstance(before["slo_share"], Missing):
        assert after["slo_share"] <= before["slo_share"]
        assert after["error_share"] >= before["error_share"]


@settings(deadline=None, max_examples=50)
@given(REQUESTS)
def test_every_request_is_drawn_once(requests: list[tuple[int, int, int, Outcome]]) -> None:
    trial = trial_of(requests)
    drawn = picture(Subject(trial, None, None))
    ok = trial.samples[trial.samples["ok"]]
    assert np.isclose(drawn.series["answered_rps"].sum() * drawn.bin_s, len(ok))
    failed = len(trial.samples) - len(ok)
    assert np.isclose(drawn.series["failed_rps"].sum() * drawn.bin_s, failed)
    assert (np.diff(drawn.responses_s) >= 0).all()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 0.2), st.floats(0, 0.3)), min_size=2, max_size=40))
def test_cpu_time_is_what_was_spent_between_the_ends(steps: list[tuple[float, float]]) -> None:
    """Against the readings' own sums, where readings fall on both ends."""
    gaps = np.array([gap for gap, _ in steps]) + 0.01
    within = np.cumsum(gaps) / gaps.sum() * 4
    times = PHASES.steady_ns + np.concatenate([[0.0], within]) * 1e9
    spent = np.array([cpu for _, cpu in steps])
    usage = pd.DataFrame(
        {
            "t_ns": times.astype(np.int64),
            "component": "web",
            "cpu_s": 7 + np.concatenate([[0.0], np.cumsum(spent)]),
            "pss_bytes": None,
        }
    )
    empty = trial_of([])
    trial = TrialFrames(RECORD, PHASES, empty.samples, empty.stages, usage, 0)
    found = steady_cpu_s(trial)
    assert not isinstance(found, Missing)
    assert np.isclose(found, spent.sum(), atol=1e-6)
