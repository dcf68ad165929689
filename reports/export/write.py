"""Sheets and documents written: to a file that is not there yet, or to standard output."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from reports.export.sheet import ExportError, Sheet

Writer = Callable[[IO[bytes]], None]


@contextmanager
def destination(out: Path | None, *, force: bool) -> Iterator[IO[bytes]]:
    """Where to write; a half-written file is never left under the name.

    Args:
        out: the file; None is standard output.
        force: whether a file that is there is replaced.

    Raises:
        ExportError: the file is there, or cannot be written.
    """
    if out is None:
        yield sys.stdout.buffer
        return
    if out.exists() and not force:
        raise ExportError(f"{out} is there already; name another file, or replace it by --force")
    partial = out.with_name(f".{out.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(out)
    except OSError as error:
        raise ExportError(f"{out} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def as_csv(sheet: Sheet) -> Writer:
    """Comma-separated, with a head; null is an empty field, and floats read back as they were."""

    def write(file: IO[bytes]) -> None:
        with pacsv.CSVWriter(file, sheet.schema) as writer:
            for batch in sheet.batches():
                writer.write_batch(batch)

    return write


def as_parquet(sheet: Sheet) -> Writer:
    """Parquet, a row group a batch."""

    def write(file: IO[bytes]) -> None:
        with pq.ParquetWriter(file, sheet.schema, compression="zstd") as writer:
            for batch in sheet.batches():
                writer.write_table(pa.Table.from_batches([batch]))

    return write


def as_json(sheet: Sheet) -> Writer:
    """A list of objects, one a row."""
    return document([row for batch in sheet.batches() for row in batch.to_pylist()])


def document(value: Any) -> Writer:
    """A JSON document, as ``summary.json`` is written."""
    return text(json.dumps(value, indent=1, allow_nan=False) + "\n")


def text(words: str) -> Writer:
    """Text as it stands."""

    def write(file: IO[bytes]) -> None:
        file.write(words.encode())

    return write
