"""How good answers were as time went by: what a drift cost, and how it was learnt back."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from harness.record import Phases
from workloads.plan import LoadPlan

BINS = 10
"""Of the steady state; a bin with fewer scored answers than :data:`FEWEST` says nothing."""

FEWEST = 5


@dataclass(frozen=True, slots=True)
class Course:
    """One measure of one graph over the steady state.

    Attributes:
        at_s: the middle of each bin, from the start of the steady state.
        scores: mean of the answers planned in it.
        n: how many they are.
    """

    graph: str
    measure: str
    at_s: tuple[float, ...]
    scores: tuple[float, ...]
    n: tuple[int, ...]


def courses(scores: Path, plan: LoadPlan, phases: Phases) -> list[Course]:
    """Every measure that was scored, by intended start; none without ``scores.parquet``."""
    if not scores.is_file():
        return []
    table = pq.read_table(scores).to_pandas()
    index = table["index"].to_numpy()
    starts_ns = phases.start_ns + plan.offsets_ns[index]
    width_s = (phases.end_ns - phases.steady_ns) / 1e9 / BINS
    table["bin"] = np.floor((starts_ns - phases.steady_ns) / 1e9 / width_s).astype(int)
    table["graph"] = [plan.header.graphs[number] for number in plan.graphs[index]]
    steady = table[(table["bin"] >= 0) & (table["bin"] < BINS)]
    found = []
    for (graph, measure), rows in steady.groupby(["graph", "measure"], sort=False):
        bins = rows.groupby("bin")["score"].agg(["mean", "size"])
        kept = bins[bins["size"] >= FEWEST]
        found.append(
            Course(
                str(graph),
                str(measure),
                tuple((float(place) + 0.5) * width_s for place in kept.index),
                tuple(map(float, kept["mean"])),
                tuple(map(int, kept["size"])),
            )
        )
    return found
