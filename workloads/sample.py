"""One request as it happened, and the columns it is kept in.

Every published number comes from these rows. Clock readings are integer nanoseconds of
CLOCK_MONOTONIC, comparable between processes of one machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


class Outcome(IntEnum):
    """How a planned request ended. Only ``OK`` ever enters a response-time percentile."""

    OK = 0
    HTTP_ERROR = 1
    TIMED_OUT = 2
    CONNECTION_ERROR = 3
    DROPPED = 4
    """Never sent: the generator's in-flight cap was met."""
    CENSORED = 5
    """Still in flight when the drain ended."""


SCHEMA = pa.schema(
    [
        ("index", pa.int32()),  # position in the load plan
        ("worker", pa.int16()),
        ("intended_ns", pa.int64()),  # when the plan wanted it sent
        ("sent_ns", pa.int64()),  # when it was sent; 0 if dropped
        ("received_ns", pa.int64()),  # when the answer was whole; 0 if there was none
        ("outcome", pa.int8()),
        ("status", pa.int16()),  # HTTP status; 0 if there was no answer
        ("response_bytes", pa.int32()),
        ("server_timing", pa.string()),  # the raw header; null if absent
        ("answer", pa.binary()),  # the body of every k-th answer, kept to check it; else null
    ]
)


_REPEATING = ["worker", "outcome", "status", "response_bytes"]
_GROWING = ("index", "intended_ns", "sent_ns", "received_ns")


def write_samples(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    """Write one worker's samples as Parquet.

    Args:
        path: the file to write; a half-written file is never left under this name.
        columns: one sequence per column of :data:`SCHEMA`, equally long.
    """
    write_batches(path, pa.table(dict(columns), schema=SCHEMA).to_batches())


def write_batches(path: Path, batches: Iterable[pa.RecordBatch]) -> None:
    """Write one worker's samples as Parquet, a row group a batch: never all of them in memory.

    Args:
        path: the file to write; a half-written file is never left under this name.
        batches: of :data:`SCHEMA`.
    """
    partial = path.with_suffix(".partial")
    with pq.ParquetWriter(
        partial,
        SCHEMA,
        compression="zstd",
        # Clock readings never repeat but grow: their differences are small, their dictionary huge.
        use_dictionary=_REPEATING,
        column_encoding=dict.fromkeys(_GROWING, "DELTA_BINARY_PACKED"),
        write_statistics=False,
    ) as writer:
        for batch in batches:
            writer.write_batch(batch)
    partial.rename(path)


def read_samples(paths: list[Path], columns: Sequence[str] | None = None) -> pa.Table:
    """The samples of every worker of a trial, in plan order.

    Args:
        paths: one file a worker.
        columns: those wanted, ``index`` among them; None reads all.
    """
    schema = SCHEMA if columns is None else pa.schema([SCHEMA.field(name) for name in columns])
    tables = [pq.read_table(path, columns=schema.names, schema=SCHEMA) for path in paths]
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    index = table["index"].to_numpy()
    if (np.diff(index) >= 0).all():
        return table
    return table.take(np.argsort(index, kind="stable"))  # of files each in order: a merge
