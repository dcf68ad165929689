"""A trial's samples in columns: ten million of them without a copy that is not needed."""

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.record import Phases
from reports.timings import stage_timings
from workloads.sample import SCHEMA, Outcome

WARM_UP, STEADY, DRAIN = "warm-up", "steady", "drain"

STAGE_ANSWERS = 20_000
"""Headers of one trial that are parsed at most, evenly spaced among its answers. The mean of so
many is within 1.4 % of a standard deviation of the mean of all (two standard errors), which is far
less than blocks differ; and a header takes longer to parse than all else of its sample to read."""

STAGE_SUMS = ("stage", "answers", "wall_s", "queue_s", "compute_s", "wait_s", "hop_s", "batches")

_COLUMNS = ("intended_ns", "sent_ns", "received_ns", "outcome", "status")
_BATCH = 65_536
_HEADERS = pa.schema([SCHEMA.field("index"), SCHEMA.field("server_timing")])


def read_requests(files: Sequence[Path], phases: Phases) -> pd.DataFrame:
    """The samples of every worker of a trial, in plan order.

    Returns:
        ``intended_ns``, ``sent_ns``, ``received_ns``, ``outcome`` and ``status`` as recorded;
        ``phase`` by intended start, and ``ok``.
    """
    order = _plan_order(_column(files, "index"))
    columns = {name: _column(files, name, order) for name in _COLUMNS}
    intended = columns["intended_ns"]
    codes = (intended >= phases.steady_ns).astype(np.int8) + (intended >= phases.end_ns)
    phase = pd.Categorical.from_codes(codes, pd.Index([WARM_UP, STEADY, DRAIN]))
    ok = columns["outcome"] == Outcome.OK
    return pd.DataFrame({**columns, "phase": phase, "ok": ok}, copy=False)


def _column(
    files: Sequence[Path], name: str, order: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[Any]:
    """One column of all files: read alone, so that only one is held twice at a time."""
    parts = [pq.read_table(file, columns=[name])[name].to_numpy() for file in files]
    empty = np.empty(0, SCHEMA.field(name).type.to_pandas_dtype())
    whole = np.concatenate(parts) if parts else empty
    return whole if order is None else whole[order]


def _plan_order(index: npt.NDArray[np.int32]) -> npt.NDArray[np.int64] | None:
    """What puts rows in plan order; None where they stand in it, as one worker leaves them."""
    if np.all(index[1:] > index[:-1]):
        return None
    return np.argsort(index, kind="stable")


def read_stages(files: Sequence[Path], phases: Phases, answers: int) -> pd.DataFrame:
    """Sums of stage timings over OK answers in steady state, one row a stage.

    Args:
        files: the samples of every worker.
        phases: of the trial.
        answers: how many such answers there are; of more than :data:`STAGE_ANSWERS` every k-th
            is taken.

    Returns:
        Columns :data:`STAGE_SUMS`, stages in the order the answers named them: ``batches`` is the
        sum of 1 / batch size, a stage that waits counting as a batch of one.
    """
    rows = stage_timings(read_headers(files, phases, answers)["server_timing"].combine_chunks())
    rows["batches"] = 1 / rows["batch_size"].clip(lower=1)
    groups = rows.groupby("stage", sort=False, observed=True)
    sums = groups[list(STAGE_SUMS[2:])].sum()
    sums.insert(0, "answers", groups.size())
    return sums.reset_index()[list(STAGE_SUMS)]


def read_headers(files: Sequence[Path], phases: Phases, answers: int) -> pa.Table:
    """``index`` and ``server_timing`` of OK answers in steady state, as :func:`read_stages`."""
    step = ceil(max(answers, 1) / STAGE_ANSWERS)
    return pa.Table.from_batches(_every(step, _headers(files, phases)), _HEADERS)


def _headers(files: Sequence[Path], phases: Phases) -> Iterator[pa.RecordBatch]:
    for file in files:
        wanted = ["index", "intended_ns", "outcome", "server_timing"]
        with pq.ParquetFile(file) as samples:
            for batch in samples.iter_batches(_BATCH, columns=wanted):
                intended = batch["intended_ns"].to_numpy()
                steady = (intended >= phases.steady_ns) & (intended < phases.end_ns)
                ok = batch["outcome"].to_numpy() == Outcome.OK
                yield batch.select(_HEADERS.names).filter(pa.array(steady & ok))


def _every(step: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Every ``step``-th row of batches that follow each other."""
    first = 0
    for batch in batches:
        taken = np.arange(first, len(batch), step)
        first = (first - len(batch)) % step
        yield batch if step == 1 else batch.take(pa.array(taken))
