"""Payloads: the labelled requests of a run on disk, and the order a plan sends them in."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from architectures.plugin import Example
from workloads.arrivals import WorkloadError, words
from workloads.meant import did_you_mean

SCHEMA = pa.schema(
    [
        ("key", pa.int64()),
        ("media_type", pa.string()),
        ("body", pa.binary()),
        ("label", pa.string()),  # JSON
        ("headers", pa.string()),  # JSON; absent in runs older than it
    ]
)


def write_payloads(path: Path, examples: Sequence[Example]) -> None:
    """Write a run's payloads as Parquet: row ``i`` is payload ``i`` of every plan.

    Args:
        path: the file to write; a half-written file is never left under this name.
        examples: the ensemble's own labelled requests.
    """
    columns = {
        "key": [example.key for example in examples],
        "media_type": [example.media_type for example in examples],
        "body": [example.body for example in examples],
        "label": [json.dumps(dict(example.label), sort_keys=True) for example in examples],
        "headers": [json.dumps(dict(example.headers)) for example in examples],
    }
    partial = path.with_suffix(".partial")
    # Bodies are compressed images already; squeezing them again only costs time.
    pq.write_table(pa.table(columns, schema=SCHEMA), partial, compression="none")
    partial.rename(path)


def read_payloads(path: Path) -> tuple[Example, ...]:
    """Read a run's payloads in row order."""
    rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    return tuple(
        Example(
            row["key"],
            row["body"],
            row["media_type"],
            json.loads(row["label"]),
            json.loads(row["headers"] or "{}"),
        )
        for row in rows
    )


def read_labels(path: Path) -> list[Mapping[str, Any]]:
    """The labels of a run's payloads, in row order."""
    return [
        json.loads(text) for text in pq.read_table(path, columns=["label"])["label"].to_pylist()
    ]


def rows_by_label(
    labels: Sequence[Mapping[str, Any]], field: str, values: Iterable[str]
) -> dict[str, list[int]]:
    """The payloads that have each value of a label's field.

    Args:
        labels: of each payload, in row order.
        field: of the labels; a value that is no text is compared as JSON writes it.
        values: those wanted.

    Returns:
        value -> rows of the payload file, at least one each.

    Raises:
        WorkloadError: there is no such field, or a value that no payload has.
    """
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        if field in label:
            rows.setdefault(_word(label[field]), []).append(row)
    if not rows:
        fields = sorted({name for label in labels for name in label})
        raise WorkloadError(
            f"load.mix.by = {field!r} is no field of the payloads' labels"
            f"{did_you_mean(field, fields)}; they have {', '.join(fields) or 'none'}"
        )
    for value in values:
        if value not in rows:
            raise WorkloadError(
                f"load.mix.weights names {value!r}, but none of {len(labels)} payloads has that "
                f"{field}{did_you_mean(value, rows)}; there are {', '.join(sorted(rows))}: "
                "name one of them or raise load.payloads"
            )
    return {value: rows[value] for value in values}


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def payload_order(
    count: int, payloads: int, seed: int, kind: int | None = None
) -> npt.NDArray[np.int32]:
    """Which payload each arrival sends: seeded shuffles of all of them, end to end.

    So every payload is used equally often, to within one, and any stretch of a trial sees nearly
    the whole mix. The order depends on nothing but these numbers.

    Args:
        count: arrivals of the plan.
        payloads: rows of the payload file.
        seed: the plan's seed.
        kind: of payloads, where each kind of a mix has an order of its own.

    Returns:
        ``int32[count]``: rows of the payload file, or of the kind's.

    Raises:
        WorkloadError: there is no payload to send.
    """
    if payloads < 1:
        raise WorkloadError("a load plan needs at least one payload; the payload file has no row")
    rounds = -(-count // payloads)
    stream = (1,) if kind is None else (1, kind)
    keys = words(seed, *stream).random_raw(rounds * payloads).reshape(rounds, payloads)
    # Sorting raw words shuffles by comparisons alone: equal on every machine and NumPy version.
    order = np.argsort(keys, axis=1, kind="stable")
    return order.ravel()[:count].astype(np.int32)
