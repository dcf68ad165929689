"""What watching costs the watched: a SUT's CPU per request with usage being read, and without."""

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic_ns

import numpy as np
import psutil

from harness.deploy import Deployment
from harness.environment import Cores
from harness.usage import Target, watch
from tests.selfbench.rig import Bed, make_bed, our_trial, standing
from tests.selfbench.rows import Row, medians

SUTS = (("monolith", 60.0), ("microservices", 50.0))


def measure(cores: Cores, rounds: int, seconds: float) -> list[Row]:
    """Medians over rounds with and without readings, in turns, and the ratio of the two."""
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        bed = make_bed(Path(folder), cores)
        for sut, rate_rps in SUTS:
            with standing(bed, sut) as up:
                our_trial(bed, up.url, rate_rps, seconds, seed=1)  # warm
                for round_ in range(rounds):
                    for reading in (True, False) if round_ % 2 else (False, True):
                        row = _turn(bed, up, (rate_rps, seconds, round_ + 2), reading=reading)
                        rows.append({"sut": sut, **row})
    shown = medians(rows, ("sut", "usage"))
    by = {(row["sut"], row["usage"]): row for row in shown}
    for sut, _ in SUTS:
        ratio = by[sut, "read"]["cpu_ms"] / by[sut, "not read"]["cpu_ms"]
        shown.append({"sut": sut, "usage": "ratio", "cpu_ms": ratio})
    return shown


def _turn(bed: Bed, up: Deployment, load: tuple[float, float, int], *, reading: bool) -> Row:
    """One trial of ``(rate_rps, seconds, seed)``."""
    before_s, started_ns = _cpu_s(up), monotonic_ns()
    target = Target(up.pids(), up.keeper.pid)
    with watch((target,)) if reading else nullcontext() as usage:
        trial = our_trial(bed, up.url, *load)
    spent_s, elapsed_s = _cpu_s(up) - before_s, (monotonic_ns() - started_ns) / 1e9
    return {
        "usage": "read" if reading else "not read",
        "cpu_ms": spent_s / trial.planned * 1e3,
        "response_p50_ms": float(np.median(trial.response_ms)),
        "reading_cores": usage.cost_s / elapsed_s if usage is not None else 0.0,
    }


def _cpu_s(up: Deployment) -> float:
    """CPU-seconds so far of every process of a deployment."""
    first = [psutil.Process(pid) for pid in up.pids().values()]
    family = {process for root in first for process in (root, *root.children(recursive=True))}
    times = [process.cpu_times() for process in family]
    return sum(one.user + one.system for one in times)
