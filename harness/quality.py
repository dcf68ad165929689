"""How good the answers were that a SUT gave under load, by the ensemble's own measures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.bench import Bench
from harness.record import Measure, Phases
from workloads.plan import LoadPlan
from workloads.sample import Outcome

SCORES = "scores.parquet"

_SCHEMA = pa.schema([("index", pa.int32()), ("measure", pa.string()), ("score", pa.float64())])

NO_SCORES = _SCHEMA.empty_table()

Quality: TypeAlias = dict[str, dict[str, Measure]]


class ScoreError(Exception):
    """The ensemble's `score` failed on an answer."""


def scores(samples: pa.Table, plan: LoadPlan, bench: Bench) -> pa.Table:
    """Score every good answer that was kept.

    Args:
        samples: of the whole trial.
        plan: that was played.
        bench: has the ensemble's `score`, and the labels.

    Returns:
        ``harness.record.SCORE_COLUMNS``; empty where the ensemble scores nothing.

    Raises:
        ScoreError: the ensemble's `score` failed.
    """
    kept = samples.filter(
        pc.and_(samples["answer"].is_valid(), pc.equal(samples["outcome"], int(Outcome.OK)))
    )
    rows = [
        {"index": index, "measure": measure, "score": value}
        for index, body in zip(kept["index"].to_pylist(), kept["answer"].to_pylist(), strict=True)
        for measure, value in _scored(bench, plan, index, body)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _scored(bench: Bench, plan: LoadPlan, index: int, body: bytes) -> Iterator[tuple[str, float]]:
    if bench.score is None:
        return
    graph = plan.graph(index)
    label = bench.asked(graph)[int(plan.payloads[index])].label
    try:
        found = bench.score(graph, json.loads(body), label)
        yield from ((measure, float(value)) for measure, value in found.items())
    except Exception as error:
        raise ScoreError(
            f"the ensemble's `score` failed on the answer of {graph} to request {index} "
            f"({type(error).__name__}: {error}); mend it"
        ) from error


def quality(scored: pa.Table, samples: pa.Table, plan: LoadPlan, phases: Phases) -> Quality:
    """Means by graph and measure, of the requests that were meant to start in the steady state."""
    intended = dict(
        zip(samples["index"].to_pylist(), samples["intended_ns"].to_pylist(), strict=True)
    )
    found: dict[str, dict[str, list[float]]] = {}
    columns = (scored[name].to_pylist() for name in ("index", "measure", "score"))
    for index, measure, value in zip(*columns, strict=True):
        if phases.steady_ns <= intended[index] < phases.end_ns:
            of_graph = found.setdefault(plan.graph(index), {})
            of_graph.setdefault(measure, []).append(value)
    return {
        graph: {
            measure: Measure(mean=sum(values) / len(values), n=len(values))
            for measure, values in measures.items()
        }
        for graph, measures in found.items()
    }


def write_scores(folder: Path, scored: pa.Table) -> None:
    """Write a trial's scores, where there are any; a half-written file never has its name."""
    if not len(scored):
        return
    partial = (folder / SCORES).with_suffix(".partial")
    pq.write_table(scored, partial, compression="zstd")
    partial.rename(folder / SCORES)
