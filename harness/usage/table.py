"""``usage.parquet``: one row per component and reading, in the form reports read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("t_ns", pa.int64()),
        ("component", pa.string()),
        ("processes", pa.int32()),
        ("threads", pa.int32()),
        ("cpu_s", pa.float64()),
        ("pss_bytes", pa.int64()),
        ("rss_bytes", pa.int64()),
        ("voluntary_switches", pa.int64()),
        ("involuntary_switches", pa.int64()),
        ("read_bytes", pa.int64()),
        ("written_bytes", pa.int64()),
        ("sent_bytes", pa.int64()),
        ("received_bytes", pa.int64()),
    ]
)
"""``harness.record.USAGE_COLUMNS`` with their types."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Every process at one time.

    Attributes:
        alive: process -> threads, RSS in bytes.
        cpu_s: process -> CPU-seconds, ended processes included.
        seldom: column -> process -> its value, of the columns that were read this time. They are
            cumulative and hold ended processes too, but for ``pss_bytes``.
    """

    t_ns: int
    alive: dict[int, tuple[int, int]]
    cpu_s: dict[int, float]
    seldom: dict[str, dict[int, int]]


def row(reading: Reading, component: str, pids: Iterable[int]) -> dict[str, object]:
    """One component's row of one reading."""
    pids = list(pids)
    alive = [reading.alive[pid] for pid in pids if pid in reading.alive]
    return {
        "t_ns": reading.t_ns,
        "component": component,
        "processes": len(alive),
        "threads": sum(threads for threads, _ in alive),
        "cpu_s": sum(reading.cpu_s.get(pid, 0.0) for pid in pids),
        "rss_bytes": sum(rss for _, rss in alive),
        **{name: _total(reading, values, pids) for name, values in reading.seldom.items()},
    }


def _total(reading: Reading, values: Mapping[int, int], pids: list[int]) -> int | None:
    """None where the kernel told of none of the processes there are: that is not nothing."""
    known = [values[pid] for pid in pids if pid in values]
    unread = not known and any(pid in reading.alive for pid in pids)
    return None if unread else sum(known)


def check_row(given: Mapping[str, object]) -> None:
    """Refuse a row that is none of :data:`SCHEMA`.

    Raises:
        ValueError: a column that there is not, or no time or component.
    """
    unknown = given.keys() - set(SCHEMA.names)
    missing = {"t_ns", "component"} - given.keys()
    if unknown or missing:
        wrong = f"unknown {sorted(unknown)}" if unknown else f"missing {sorted(missing)}"
        raise ValueError(f"a usage row has the columns of {SCHEMA.names}: {wrong}")


def write_usage(path: Path, table: pa.Table) -> None:
    """Write ``usage.parquet``; a half-written file is never left under this name."""
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.rename(path)
