"""Whether two files ask the same, though their bytes differ.

Parquet names the library that wrote it, and a plan's header grows with the program's versions:
two revisions, or two environments, write the same requests as other bytes.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workloads.payloads import read_payloads
from workloads.plan import read_plan


def same_contents(name: str, folders: tuple[Path, Path] | None) -> bool:
    """Whether a file of both runs says the same; False where it cannot be read.

    Args:
        name: its path in both runs' folders: a load plan, payloads or a trace.
        folders: both runs'; None where they are not at hand.
    """
    if folders is None:
        return False
    here, there = (folder / name for folder in folders)
    try:
        if name.startswith("plans/"):
            return _same_plans(here, there)
        if name.startswith("payloads"):
            return read_payloads(here) == read_payloads(there)
        return bool(pq.read_table(here).equals(pq.read_table(there)))
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException):
        return False


def _same_plans(here: Path, there: Path) -> bool:
    """The header says how a plan was made; what is asked, and when, is in its rows."""
    mine, theirs = read_plan(here), read_plan(there)
    phases = [
        (plan.header.warm_up_s, plan.header.steady_s, plan.header.concurrency, plan.header.graphs)
        for plan in (mine, theirs)
    ]
    columns = (
        (mine.offsets_ns, theirs.offsets_ns),
        (mine.payloads, theirs.payloads),
        (mine.graphs, theirs.graphs),
    )
    return phases[0] == phases[1] and all(np.array_equal(a, b) for a, b in columns)
