"""Reading a run of ten million samples: wall time and memory of ``python -m reports``.

Two shapes of the same size: one trial of all of them, and twenty as a scenario makes them. Every
sample has a Server-Timing header of its own, for a compressed column of equal ones reads too fast.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter_ns

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.record import (
    CeilingPoint,
    EnsembleRecord,
    Environment,
    Phases,
    RunRecord,
    Step,
    Sut,
    TrialPlace,
    TrialRecord,
    write_record,
)
from tests.selfbench.rows import Row
from workloads.plan import LoadPlan, PlanHeader, write_plan
from workloads.sample import SCHEMA, Outcome

SAMPLES = 10_000_000
SHAPES = (1, 20)
RATE_RPS = 5_000.0
ROW_GROUP = 1 << 16
"""As the recorder writes them."""

STAGES = ("decode", "detect", "category", "colour")
SUTS = ("monolith:default", "microservices:default")

CHILD = """
import json, sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from reports.__main__ import report
from reports.prices import price_sheet
report(Path(sys.argv[1]), None, price_sheet(None, None))
status = Path("/proc/self/status").read_text().split()
used = getrusage(RUSAGE_SELF)
peak_kib = int(status[status.index("VmHWM:") + 1])
print(json.dumps({"peak_gb": peak_kib * 1024 / 1e9, "cpu_s": used.ru_utime + used.ru_stime}))
"""


def measure(samples: int = SAMPLES) -> list[Row]:
    """A row a shape: the record's size, and what reading it took in a process of its own."""
    rows = []
    for trials in SHAPES:
        with tempfile.TemporaryDirectory(prefix="servebench-reading-") as folder:
            run = Path(folder) / "run"
            write_run(run, samples, trials)
            rows.append({"trials": trials, "samples": samples} | read(run))
    return rows


def read(run: Path) -> Row:
    """Make the run's page and summary in a fresh process."""
    start_ns = perf_counter_ns()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(run)], capture_output=True, text=True, check=True
    )
    wall_s = (perf_counter_ns() - start_ns) / 1e9
    size = sum(path.stat().st_size for path in run.rglob("*.parquet"))
    return {
        "record_mb": size / 1e6,
        "wall_s": wall_s,
        **json.loads(done.stdout),
        "page_mb": (run / "report.html").stat().st_size / 1e6,
    }


def write_run(run: Path, samples: int, trials: int) -> None:
    """A run of so many samples in so many trials: one block for each pair of SUTs."""
    suts = SUTS[: min(trials, len(SUTS))]
    blocks = trials // len(suts)
    places = [
        TrialPlace(order=i, block=i // len(suts), step=0, sut=suts[i % len(suts)])
        for i in range(blocks * len(suts))
    ]
    (run / "plans").mkdir(parents=True)
    for place in places:
        _write_trial(run, place, samples // len(places))
    write_record(run / "run.json", _record(suts, places))


def _write_trial(run: Path, place: TrialPlace, samples: int) -> None:
    rng = np.random.default_rng(place.order)
    start_ns, span_ns = 10**12, int(samples / RATE_RPS * 1e9)
    steady_ns = start_ns + span_ns // 10
    offsets = np.sort(rng.integers(0, span_ns, samples))
    header = PlanHeader("poisson", ("tag",), RATE_RPS, span_ns / 1e10, span_ns * 9e-10, 1)
    plan = LoadPlan(header, offsets, np.zeros(samples, np.int32), np.zeros(samples, np.int8))
    write_plan(run / "plans" / f"b{place.block:02}-s{place.step:02}.parquet", plan)
    folder = run / "trials" / place.directory
    folder.mkdir(parents=True)
    for worker in (0, 1):
        part = np.arange(worker, samples, 2)
        pq.write_table(
            _samples(rng, part, offsets[part] + start_ns, worker),
            folder / f"samples-{worker}.parquet",
            compression="zstd",
            row_group_size=ROW_GROUP,
        )
    end_ns = start_ns + span_ns
    phases = Phases(
        start_ns=start_ns, steady_ns=steady_ns, end_ns=end_ns, drained_ns=end_ns + 10**9
    )
    _write_usage(folder, phases)
    record = TrialRecord(
        place=place, outcome="ok", offered_rps=RATE_RPS, start_up_s=2.0, phases=phases
    )
    write_record(folder / "trial.json", record)


def _samples(
    rng: np.random.Generator, index: np.ndarray, intended: np.ndarray, worker: int
) -> pa.Table:
    count = len(index)
    sent = intended + rng.integers(50_000, 300_000, count)
    failed = rng.random(count) < 0.01
    received = sent + rng.gamma(4.0, 2e6, count).astype(np.int64)
    columns = {
        "index": index.astype(np.int32),
        "worker": np.full(count, worker, np.int16),
        "intended_ns": intended,
        "sent_ns": sent,
        "received_ns": received,
        "outcome": np.where(failed, Outcome.HTTP_ERROR, Outcome.OK).astype(np.int8),
        "status": np.where(failed, 503, 200).astype(np.int16),
        "response_bytes": np.full(count, 400, np.int32),
        "server_timing": _headers(rng, count),
        "answer": pa.nulls(count, pa.binary()),
    }
    return pa.table(columns, schema=SCHEMA)


def _headers(rng: np.random.Generator, count: int) -> pa.Array:
    """A header an answer, with numbers of its own."""
    parts: list[pa.Array | str] = []
    for stage in STAGES:
        for text in (f"{stage};dur=", ";queue=", ";compute="):
            parts += [text, pa.array(rng.integers(1_000, 9_000, count) / 1e3).cast(pa.string())]
        parts += [";batch=", pa.array(rng.integers(1, 16, count)).cast(pa.string()), ", "]
    return pc.binary_join_element_wise(*parts, "request;dur=9.5", "")


def _write_usage(folder: Path, phases: Phases) -> None:
    times = np.arange(phases.start_ns - 10**9, phases.drained_ns + 1, 200_000_000)
    columns = {
        "t_ns": times,
        "component": ["web"] * len(times),
        "processes": np.ones(len(times), np.int32),
        "threads": np.ones(len(times), np.int32),
        "cpu_s": np.arange(len(times)) * 0.1,
        "pss_bytes": np.full(len(times), 200_000_000),
        "rss_bytes": np.full(len(times), 300_000_000),
    }
    pq.write_table(pa.table(columns), folder / "usage.parquet", compression="zstd")


def _record(suts: tuple[str, ...], places: list[TrialPlace]) -> RunRecord:
    blocks = {place.block for place in places}
    return RunRecord(
        run_id="reading",
        created_utc="2026-11-22T12:00:00Z",
        version="0",
        scenario={
            "name": "reading",
            "slo": {"response_time_s": 0.1, "percentile": 99.0, "error_ratio": 0.05},
            "budget": {"cores": 1, "memory_gib": 4.0},
        },
        environment=Environment(fingerprint={}, description={}),
        ensemble=EnsembleRecord(
            module="none",
            name="none",
            tier="none",
            device="cpu",
            models={},
            weights_digest="0",
            meaningful=True,
        ),
        ceiling=tuple(
            CeilingPoint(block=block, batch_size=1, images=1000, wall_s=0.1, cpu_s=0.1)
            for block in blocks
        ),
        best_batch=1,
        suts=tuple(
            Sut(
                key=sut,
                architecture=sut.split(":")[0],
                variant=sut.split(":")[1],
                summary="",
                answers=True,
            )
            for sut in suts
        ),
        steps=(Step(index=0, asked=f"{RATE_RPS:g} rps", offered_rps=RATE_RPS),),
        schedule=tuple(places),
        status="complete",
    )
