from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.arrivals import ARRIVALS
from workloads.plan import PlanHeader, build_plan, read_plan, write_plan

headers = st.builds(
    PlanHeader,
    workload=st.sampled_from(sorted(ARRIVALS)),
    graphs=st.sampled_from([("tag",), ("other",)]),
    rate_rps=st.floats(1.0, 100.0),
    warm_up_s=st.floats(0.0, 2.0),
    steady_s=st.floats(0.5, 5.0),
    seed=st.integers(0, 2**63),
)
payload_counts = st.integers(1, 300)


@settings(deadline=None)
@given(headers, payload_counts, st.integers(1, 9))
def test_workers_share_a_plan_exactly(header: PlanHeader, payloads: int, workers: int) -> None:
    plan = build_plan(header, payloads)
    parts = [plan.part(worker, workers) for worker in range(workers)]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(plan.offsets_ns)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


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
    assert (read.offsets_ns.dtype, read.payloads.dtype) == (np.int64, np.int32)
