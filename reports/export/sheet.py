"""What is exported: named columns and rows, in batches, so that a large one is never held whole."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

Row = Mapping[str, Any]


class ExportError(Exception):
    """It cannot be exported so; the message says what can."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A long table: one observation a row.

    Attributes:
        schema: its columns; a unit stands in a column's name, or in the column ``unit``.
        batches: of that schema, made when they are asked for.
    """

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]


def sheet(schema: pa.Schema, rows: Callable[[], Iterable[Row]]) -> Sheet:
    """A sheet of rows that fit into memory; what a row does not name is null."""
    return Sheet(schema, lambda: iter([pa.RecordBatch.from_pylist(list(rows()), schema=schema)]))


def schema(**columns: pa.DataType) -> pa.Schema:
    """Columns in the order they are named."""
    return pa.schema(list(columns.items()))


TEXT, WHOLE, FLOAT, YES = pa.string(), pa.int64(), pa.float64(), pa.bool_()

ESTIMATE = {
    "unit": TEXT,
    "point": FLOAT,
    "low": FLOAT,
    "high": FLOAT,
    "n": WHOLE,
    "level": FLOAT,
    "note": TEXT,
}
"""Columns of an estimate: its interval's ends at ``level``, and the ``n`` blocks it rests on."""
