"""Payloads: the labelled requests of a run on disk, and the order a plan sends them in."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from architectures.plugin import Example
from workloads.arrivals import WorkloadError, words

SCHEMA = pa.schema(
    [
        ("key", pa.int64()),
        ("media_type", pa.string()),
        ("body", pa.binary()),
        ("label", pa.string()),  # JSON
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
    }
    partial = path.with_suffix(".partial")
    # Bodies are compressed images already; squeezing them again only costs time.
    pq.write_table(pa.table(columns, schema=SCHEMA), partial, compression="none")
    partial.rename(path)


def read_payloads(path: Path) -> tuple[Example, ...]:
    """Read a run's payloads in row order."""
    rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    return tuple(
        Example(row["key"], row["body"], row["media_type"], json.loads(row["label"]))
        for row in rows
    )


def payload_order(count: int, payloads: int, seed: int) -> npt.NDArray[np.int32]:
    """Which payload each arrival sends: seeded shuffles of all of them, end to end.

    So every payload is used equally often, to within one, and any stretch of a trial sees nearly
    the whole mix. The order depends on nothing but these three numbers.

    Args:
        count: arrivals of the plan.
        payloads: rows of the payload file.
        seed: the plan's seed.

    Returns:
        ``int32[count]``: rows of the payload file.

    Raises:
        WorkloadError: there is no payload to send.
    """
    if payloads < 1:
        raise WorkloadError("a load plan needs at least one payload; the payload file has no row")
    rounds = -(-count // payloads)
    keys = words(seed, stream=1).random_raw(rounds * payloads).reshape(rounds, payloads)
    # Sorting raw words shuffles by comparisons alone: equal on every machine and NumPy version.
    order = np.argsort(keys, axis=1, kind="stable")
    return order.ravel()[:count].astype(np.int32)
