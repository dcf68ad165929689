"""Answers that were kept, read for what stateful graphs say: version, replica, model."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from workloads.plan import LoadPlan
from workloads.sample import Outcome

COLUMNS = (
    "index",
    "graph",
    "sent_ns",
    "received_ns",
    "version",
    "replica",
    "model",
    "slot",
    "published_ns",
    "adopted_ns",
)

_SAID = COLUMNS[4:]
_MARKS = tuple(f'"{key}"'.encode() for key in _SAID)


def read_answers(files: Sequence[Path], plan: LoadPlan) -> pd.DataFrame:
    """Kept OK answers that say a version or a model, by the time they were received.

    Returns:
        :data:`COLUMNS`; what an answer does not say is None.
    """
    rows = [row for file in files for row in _rows(file, plan)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.sort_values("received_ns", kind="stable", ignore_index=True)


def _rows(file: Path, plan: LoadPlan) -> Iterator[tuple[Any, ...]]:
    columns = ["index", "sent_ns", "received_ns", "outcome", "answer"]
    with pq.ParquetFile(file) as samples:
        for batch in samples.iter_batches(columns=columns):
            for row in batch.to_pylist():
                if row["answer"] is None or row["outcome"] != Outcome.OK:
                    continue
                document = _document(row["answer"])
                if document:
                    said = (document.get(key) for key in _SAID)
                    graph = plan.graph(row["index"])
                    yield (row["index"], graph, row["sent_ns"], row["received_ns"], *said)


def _document(body: bytes) -> dict[str, Any]:
    """An answer that says something of its state; empty otherwise."""
    if not any(mark in body for mark in _MARKS):  # most graphs' say none: not worth parsing
        return {}
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(document, dict) or not any(key in document for key in _SAID):
        return {}
    return document
