"""A simulated run with very many answers, written in columns: seconds for a million."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from architectures.contract import StageTiming, format_server_timing
from harness.record import TrialRecord
from tests.golden.report.simulated_run import LAG_NS, Plan, simulate
from workloads.plan import LoadPlan, read_plan, write_plan
from workloads.sample import SCHEMA, Outcome, write_batches

SLOWEST_S = 7.0
"""Of the slowest answer of each trial; the ten slowest stand .1 s apart below it."""


def simulate_many(directory: Path, plan: Plan, answers: int) -> None:
    """Write a run whose every trial has that many OK answers, evenly asked over its whole span."""
    simulate(directory, plan)
    offsets = np.linspace(0, (plan.warm_up_s + plan.steady_s) * 1e9 - 1, answers).astype(np.int64)
    for path in sorted((directory / "plans").glob("*.parquet")):
        zeros = np.zeros(answers, np.int32)
        header = read_plan(path).header
        write_plan(path, LoadPlan(header, offsets, zeros, zeros.astype(np.int8)))
    header = format_server_timing([StageTiming("detect", 4_000_000, 0, 3_000_000, 4)], 5_000_000)
    timings = pa.array([header]).take(pa.array(np.zeros(answers, np.int32)))
    for path in sorted(directory.glob("trials/*/trial.json")):
        record = TrialRecord.model_validate_json(path.read_text())
        for file in path.parent.glob("samples-*.parquet"):
            file.unlink()
        write_batches(path.parent / "samples-0.parquet", _samples(record, offsets, timings))


def _samples(
    record: TrialRecord, offsets: "np.ndarray[tuple[int], np.dtype[np.int64]]", timings: pa.Array
) -> list[pa.RecordBatch]:
    assert record.phases is not None
    count = len(offsets)
    rng = np.random.default_rng(record.place.order)
    response_s = rng.lognormal(-4.6, 0.5, count).clip(max=SLOWEST_S / 2)
    response_s[count // 2 : count // 2 + 10] = SLOWEST_S - np.arange(10) / 10
    intended = record.phases.start_ns + offsets
    columns = {
        "index": np.arange(count, dtype=np.int32),
        "worker": np.zeros(count, np.int16),
        "intended_ns": intended,
        "sent_ns": intended + LAG_NS,
        "received_ns": intended + (response_s * 1e9).astype(np.int64),
        "outcome": np.full(count, Outcome.OK, np.int8),
        "status": np.full(count, 200, np.int16),
        "response_bytes": np.full(count, 400, np.int32),
        "server_timing": timings,
        "answer": pa.nulls(count, pa.binary()),
    }
    return pa.table(columns, schema=SCHEMA).to_batches(65_536)
