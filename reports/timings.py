"""Stage timings of many requests at once: the Server-Timing header, parsed in columns.

``architectures.contract.parse_server_timing`` says what a header means; this reads a million of
them without a Python loop. A test holds the two to the same answer.
"""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_STAGE = (
    r"^(?P<stage>[\w.-]+);dur=(?P<dur>\d+(?:\.\d+)?);queue=(?P<queue>\d+(?:\.\d+)?)"
    r";compute=(?P<compute>\d+(?:\.\d+)?);batch=(?P<batch>\d+)$"
)

CHUNK = 65_536
"""Headers parsed at once: their pieces take several times their own memory."""

STAGE_COLUMNS = (
    "row",
    "stage",
    "wall_s",
    "queue_s",
    "compute_s",
    "wait_s",
    "hop_s",
    "batch_size",
)


def stage_timings(headers: pa.Array) -> pd.DataFrame:
    """One row for each stage entry of each header, in header order.

    Args:
        headers: strings, null where the answer had none.

    Returns:
        Columns :data:`STAGE_COLUMNS`: ``row`` is the position in ``headers``; ``wait_s`` is the
        time of a stage that waited for others instead of computing (its batch size is 0);
        ``hop_s`` is what wall time leaves after queue, compute and wait, never below 0. Entries
        of another form are passed over.
    """
    chunks = [
        _entries(headers.slice(start, CHUNK), start) for start in range(0, len(headers), CHUNK)
    ]
    table = pa.concat_tables(chunks or [_entries(headers, 0)]).unify_dictionaries()
    frame: pd.DataFrame = table.to_pandas()
    waits = frame["batch_size"] == 0
    frame["wait_s"] = frame["compute_s"].where(waits, 0.0)
    frame["compute_s"] = frame["compute_s"].mask(waits, 0.0)
    frame["hop_s"] = (
        frame["wall_s"] - frame["queue_s"] - frame["compute_s"] - frame["wait_s"]
    ).clip(lower=0)
    return frame[list(STAGE_COLUMNS)]


def _entries(headers: pa.Array, start: int) -> pa.Table:
    """The stage entries of some headers, the first of them standing at row ``start``."""
    entries = pc.split_pattern(headers.cast(pa.large_string()), ",")
    rows = pc.add(pc.list_parent_indices(entries), start)
    found = pc.extract_regex(pc.utf8_trim_whitespace(pc.list_flatten(entries)), _STAGE)
    kept = pc.is_valid(found)
    stage, wall, queue, compute, batch = found.filter(kept).flatten()
    seconds = {
        name: pc.divide(column.cast(pa.float64()), 1e3)
        for name, column in (("wall_s", wall), ("queue_s", queue), ("compute_s", compute))
    }
    return pa.table(
        {
            "row": rows.filter(kept),
            "stage": stage.dictionary_encode(),
            **seconds,
            "batch_size": batch.cast(pa.int64()),
        }
    )
