"""What holds of every load plan, open or closed, mixed or not, for any number of workers."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.arrivals import ARRIVALS, CLOSED
from workloads.closed import rows_of
from workloads.plan import PlanHeader, build_plan, read_plan, write_plan

seeds = st.integers(0, 2**63)
open_headers = st.builds(
    PlanHeader,
    workload=st.sampled_from(sorted(name for name in ARRIVALS if not ARRIVALS[name].replays)),
    graphs=st.sampled_from([("tag",), ("other",), ("tag", "other", "third")]),
    rate_rps=st.floats(1.0, 100.0),
    warm_up_s=st.floats(0.0, 2.0),
    steady_s=st.floats(0.5, 5.0),
    seed=seeds,
)
closed_headers = st.builds(
    PlanHeader,
    workload=st.just(CLOSED),
    graphs=st.sampled_from([("tag",), ("tag", "other")]),
    rate_rps=st.just(0.0),
    warm_up_s=st.floats(0.0, 0.2),
    steady_s=st.floats(0.1, 0.5),
    seed=seeds,
    concurrency=st.integers(1, 13),
    think_time_s=st.sampled_from([0.0, 0.01, 1.0]),
)
headers = st.one_of(open_headers, closed_headers)
payload_counts = st.integers(1, 300)


@settings(deadline=None)
@given(headers, payload_counts, st.integers(1, 9))
def test_workers_share_a_plan_exactly(header: PlanHeader, payloads: int, workers: int) -> None:
    plan = build_plan(header, payloads)
    parts = [plan.part(worker, workers) for worker in range(workers)]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(plan.offsets_ns)))
    assert all((np.diff(part) > 0).all() for part in parts)


@settings(deadline=None)
@given(open_headers, st.integers(1, 9))
def test_workers_of_an_open_loop_take_turns(header: PlanHeader, workers: int) -> None:
    plan = build_plan(header, 10)
    for worker in range(workers):
        assert set((plan.part(worker, workers) % workers).tolist()) <= {worker}


@settings(deadline=None)
@given(closed_headers, st.integers(1, 9))
def test_a_client_of_a_closed_loop_is_whole_on_one_worker(header: PlanHeader, workers: int) -> None:
    plan = build_plan(header, 10)
    clients = header.concurrency or 0
    assert len(plan.offsets_ns) % clients == 0
    each = len(plan.offsets_ns) // clients
    for worker in range(workers):
        found, sent = np.unique(plan.part(worker, workers) % clients, return_counts=True)
        assert found.tolist() == [c for c in range(clients) if c % workers == worker]
        assert set(sent.tolist()) <= {each}


@settings(deadline=None)
@given(closed_headers)
def test_pauses_have_their_mean_and_the_first_ones_too(header: PlanHeader) -> None:
    plan = build_plan(header, 10)
    assert (plan.offsets_ns >= 0).all()
    if not header.think_time_s:
        assert not plan.offsets_ns.any()
        return
    mean_ns, n = header.think_time_s * 1e9, len(plan.offsets_ns)
    assert abs(plan.offsets_ns.mean() - mean_ns) < 7 * mean_ns / np.sqrt(n)
    first = plan.offsets_ns[: header.concurrency]
    assert len(np.unique(first)) == len(first)


@settings(deadline=None)
@given(st.integers(1, 50), seeds, st.floats(0.02, 1.0))
def test_no_client_runs_out_of_requests_before_the_end(
    concurrency: int, seed: int, think_time_s: float
) -> None:
    """Even answered at once, pauses alone outlast the trial."""
    duration_s = 5.0
    header = PlanHeader(CLOSED, ("tag",), 0.0, 0.0, duration_s, seed, {}, concurrency, think_time_s)
    paused_ns = build_plan(header, 3).offsets_ns.reshape(-1, concurrency).sum(axis=0)
    assert (paused_ns > duration_s * 1e9).all()


@given(st.integers(1, 900), st.sampled_from([0.0, 0.001, 0.5, 60.0]), st.floats(0.1, 5000.0))
def test_a_closed_plan_is_bounded(concurrency: int, think_time_s: float, duration_s: float) -> None:
    count = rows_of(concurrency, think_time_s, duration_s)
    assert count % concurrency == 0
    assert concurrency <= count <= max(200_000, 5000 * duration_s)


@settings(deadline=None)
@given(headers, payload_counts)
def test_payloads_are_used_about_equally_and_in_the_same_order_every_time(
    header: PlanHeader, payloads: int
) -> None:
    plan, again = build_plan(header, payloads), build_plan(header, payloads)
    used = np.bincount(plan.payloads, minlength=payloads)
    assert len(used) == payloads
    assert used.max() - used.min() <= 1
    assert np.array_equal(plan.payloads, again.payloads)
    assert np.array_equal(plan.offsets_ns, again.offsets_ns)
    assert np.array_equal(plan.graphs, again.graphs)


@settings(deadline=None)
@given(
    open_headers,
    st.lists(st.floats(0.01, 100.0), min_size=3, max_size=3),
    st.floats(0.01, 10.0),
    st.integers(0, 400),
)
def test_any_stretch_has_each_kind_by_its_weight(
    header: PlanHeader, weights: list[float], heavy: float, start: int
) -> None:
    mixed = replace(
        header,
        graphs=("a", "b", "c"),
        weights=tuple(weights),
        mix={"cat": 1.0, "dog": heavy},
        steady_s=10.0,
    )
    rows = {"cat": [0, 3, 4], "dog": [1, 5]}
    plan = build_plan(mixed, 6, rows=rows)
    dogs = np.isin(plan.payloads, rows["dog"]).astype(np.int64)
    assert np.isin(plan.payloads, [0, 1, 3, 4, 5]).all()
    shares = {0: weights[0], 1: weights[1], 2: weights[2]}
    for kind, weight in shares.items():
        _keeps_its_share(plan.graphs[start:] == kind, weight / sum(weights), kinds=3)
    _keeps_its_share(dogs[start:] == 1, heavy / (1 + heavy), kinds=2)
    longer = build_plan(replace(mixed, steady_s=12.0), 6, rows=rows)
    if header.workload != "ramp":
        assert np.array_equal(plan.graphs, longer.graphs[: len(plan.graphs)])
        assert np.array_equal(plan.payloads, longer.payloads[: len(plan.payloads)])


def _keeps_its_share(of_kind: np.ndarray, share: float, kinds: int) -> None:  # type: ignore[type-arg]
    seen = np.cumsum(of_kind)
    wanted = share * np.arange(1, len(seen) + 1)
    assert np.abs(seen - wanted).max(initial=0) <= 2 * (1 + share * kinds)


def test_a_plan_of_an_old_run_is_drawn_again_as_it_was() -> None:
    """From its header alone: the run of format 1 that is kept as a witness."""
    golden = Path(__file__).parents[1] / "golden" / "record" / "version-1"
    kept = read_plan(golden / "plans" / "b00-s00.parquet")
    assert kept.header.graphs == ("guess",)
    drawn = build_plan(kept.header, payloads=6)
    assert np.array_equal(drawn.offsets_ns, kept.offsets_ns)
    assert np.array_equal(drawn.payloads, kept.payloads)
    assert np.array_equal(drawn.graphs, kept.graphs)


@settings(deadline=None)
@given(headers, payload_counts)
def test_a_plan_comes_back_from_disk_as_it_was(header: PlanHeader, payloads: int) -> None:
    plan = build_plan(header, payloads)
    with TemporaryDirectory() as directory:
        write_plan(Path(directory, "plan.parquet"), plan)
        read = read_plan(Path(directory, "plan.parquet"))
    assert read.header == header
    assert np.array_equal(read.offsets_ns, plan.offsets_ns)
    assert np.array_equal(read.payloads, plan.payloads)
    assert np.array_equal(read.graphs, plan.graphs)
    assert (read.offsets_ns.dtype, read.payloads.dtype) == (np.int64, np.int32)
