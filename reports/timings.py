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

STAGE_COLUMNS = ("row", "stage", "wall_s", "queue_s", "compute_s", "hop_s", "batch_size")


def stage_timings(headers: pa.Array) -> pd.DataFrame:
    """One row for each stage entry of each header, in header order.

    Args:
        headers: strings, null where the answer had none.

    Returns:
        Columns :data:`STAGE_COLUMNS`: ``row`` is the position in ``headers``; ``hop_s`` is what
        wall time leaves after queue and compute, never below 0. Entries of another form are
        passed over.
    """
    entries = pc.split_pattern(headers.cast(pa.large_string()), ",")
    rows = pc.list_parent_indices(entries)
    found = pc.extract_regex(pc.utf8_trim_whitespace(pc.list_flatten(entries)), _STAGE)
    kept = pc.is_valid(found)
    fields = found.filter(kept).flatten()
    stage, wall, queue, compute, batch = fields
    frame = pd.DataFrame({"row": rows.filter(kept).to_numpy(zero_copy_only=False)})
    frame["stage"] = stage.dictionary_encode().to_pandas()
    for name, column in (("wall_s", wall), ("queue_s", queue), ("compute_s", compute)):
        frame[name] = column.cast(pa.float64()).to_numpy(zero_copy_only=False) / 1e3
    frame["hop_s"] = (frame["wall_s"] - frame["queue_s"] - frame["compute_s"]).clip(lower=0)
    frame["batch_size"] = batch.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return frame
