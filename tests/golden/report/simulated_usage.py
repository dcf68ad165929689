"""What simulated components and GPUs use: evenly spent, so that every figure is known."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.record import GPU_COLUMNS, USAGE_COLUMNS, Phases
from tests.golden.report.simulated_plan import Plan, Truth

SENT_BYTES, SWITCHES = 900, 12
"""Of one answered request, all components together."""
GPU_SHARE, GPU_POWER_W = 0.4, 120.0


def write_usage(
    folder: Path, plan: Plan, truth: Truth, phases: Phases, spent: tuple[float, int]
) -> None:
    """One second idle at 0.01 cores, then all is spent evenly, read each quarter second.

    ``spent`` is the CPU-seconds and the answers of the steady state.
    """
    cpu_s, answered = spent
    shares = np.array([3.0] + [1.0] * (len(truth.components) - 1))
    shares /= shares.sum()
    steady = (phases.end_ns - phases.steady_ns) / 1e9
    times = np.arange(phases.start_ns - 1_000_000_000, phases.drained_ns, 250_000_000)
    rows: list[tuple[object, ...]] = []
    for i, t in enumerate(times):
        loaded = max(int(t) - phases.start_ns, 0) / 1e9
        idle = min(int(t) - int(times[0]), 1_000_000_000) / 1e9 * 0.01
        seldom = i % 4 == 3
        for name, share in zip(truth.components, shares, strict=True):
            pss = int(truth.pss_mb * 1e6 * share * min(1, (i + 1) / 8)) if seldom else None
            used = 1.5 + share * (idle + loaded * cpu_s / steady)
            done = share * answered * loaded / steady
            moved = (done * SWITCHES, done * 2, 0, 0, done * SENT_BYTES, done * SENT_BYTES * 3)
            more = [round(value) if seldom else None for value in moved]
            rss = int(truth.pss_mb * 2e6 * share)
            rows.append((int(t), name, 1, 4, used, pss, rss, *more))
        own = [None] * 6
        rows.append((int(t), "generator", 2, 3, loaded * 0.05, None, 90_000_000, *own))
    columns = dict(zip(USAGE_COLUMNS, zip(*rows, strict=True), strict=True))
    kept = USAGE_COLUMNS[:7] if plan.old_usage else USAGE_COLUMNS
    table = pa.table({name: pa.array(list(columns[name])) for name in kept})
    pq.write_table(table, folder / "usage.parquet")


def write_gpu(folder: Path, phases: Phases) -> None:
    """Two devices, the SUT on the second: evenly busy, read twice a second."""
    rows: list[tuple[object, ...]] = []
    for t in range(phases.start_ns - 10**9, phases.drained_ns, 500_000_000):
        taken_j = (t - phases.start_ns + 10**9) / 1e9 * GPU_POWER_W
        rows.append((t, 0, None, 0.9, 2_000_000_000, 300.0, taken_j * 3))
        rows.append((t, 1, None, GPU_SHARE, 9_000_000_000, GPU_POWER_W, taken_j))
        rows.append((t, 1, "models", None, 3_000_000_000, None, None))
    columns = dict(zip(GPU_COLUMNS, zip(*rows, strict=True), strict=True))
    pq.write_table(
        pa.table({k: pa.array(list(v)) for k, v in columns.items()}), folder / "gpu.parquet"
    )
