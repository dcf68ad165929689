"""Every request of a run, a trial at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.record import Phases, TrialRecord
from reports.export.run_sheets import sut_columns
from reports.export.sheet import FLOAT, TEXT, WHOLE, YES, Sheet, schema
from reports.export.source import Source
from reports.requests import DRAIN, STEADY, WARM_UP
from workloads.sample import Outcome, read_samples

SAMPLES = schema(
    run_id=TEXT, scenario=TEXT, sut=TEXT, architecture=TEXT, variant=TEXT, block=WHOLE, step=WHOLE,
    asked=TEXT, offered_rps=FLOAT, concurrency=WHOLE, probe=WHOLE, trusted=YES, index=pa.int32(),
    worker=pa.int16(), intended_s=FLOAT, sent_s=FLOAT, received_s=FLOAT, phase=TEXT, outcome=TEXT,
    status=pa.int16(), response_bytes=pa.int32(),
)  # fmt: skip
_READ = (
    "index", "worker", "intended_ns", "sent_ns", "received_ns", "outcome", "status",
    "response_bytes",
)  # fmt: skip
_PHASES = pa.array([WARM_UP, STEADY, DRAIN])
_OUTCOMES = pa.array([outcome.name.lower() for outcome in Outcome])


def samples(source: Source) -> Sheet:
    """A row a request, trials in the order they were played, requests in plan order.

    Times are seconds since the trial's load began; null where a request was not sent, or has no
    answer. ``phase`` is that of the intended start; ``trusted`` says whether its trial is. A trial
    that played no load has no rows. In a closed loop the plan's requests that no client came to
    send are left out.
    """
    return Sheet(SAMPLES, lambda: _batches(source))


def _batches(source: Source) -> Iterator[pa.RecordBatch]:
    trials = (*source.run.trials, *source.run.probes)
    for trial in sorted(trials, key=lambda one: one.place.order):
        if trial.phases is not None:
            yield from _trial(source, trial, trial.phases)


def _trial(source: Source, trial: TrialRecord, phases: Phases) -> Iterator[pa.RecordBatch]:
    folder = source.run.directory / "trials" / trial.place.directory
    table = read_samples(sorted(folder.glob("samples-*.parquet")), _READ)
    if trial.concurrency is not None:
        table = table.filter(pc.greater(table["sent_ns"], 0))
    same: dict[str, Any] = {
        **source.named,
        **sut_columns(trial.place.sut),
        **source.asked_of(trial),
        "block": trial.place.block,
        "probe": trial.place.probe,
        "trusted": trial.valid,
    }
    columns = {name: table[name] for name in ("index", "worker", "status", "response_bytes")} | {
        "intended_s": _since(table["intended_ns"], phases.start_ns),
        "sent_s": _since(table["sent_ns"], phases.start_ns),
        "received_s": _since(table["received_ns"], phases.start_ns),
        "phase": _PHASES.take(pa.array(_phase(table["intended_ns"].to_numpy(), phases))),
        "outcome": _OUTCOMES.take(table["outcome"].cast(pa.int64())),
    }
    for name, value in same.items():
        columns[name] = pa.repeat(pa.scalar(value, SAMPLES.field(name).type), table.num_rows)
    absent = [name for name in SAMPLES.names if name not in columns]
    for name in absent:
        columns[name] = pa.nulls(table.num_rows, SAMPLES.field(name).type)
    whole = pa.table({name: columns[name] for name in SAMPLES.names}, schema=SAMPLES)
    yield from whole.to_batches()


def _since(readings: pa.ChunkedArray, start_ns: int) -> pa.ChunkedArray:
    """Seconds after a reading; 0 is no reading. Differences are taken of integers: exact."""
    known = pc.if_else(pc.greater(readings, 0), readings, None)
    return pc.divide(pc.cast(pc.subtract(known, start_ns), FLOAT), 1e9)


def _phase(intended_ns: Any, phases: Phases) -> Any:
    return (intended_ns >= phases.steady_ns).astype(np.int8) + (intended_ns >= phases.end_ns)
