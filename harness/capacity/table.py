"""The table a capacity search ends with, for a first look; ``reports`` has the rest."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table

from harness.record import CapacityRecord

_UNKNOWN = "-"


def capacity_table(records: Iterable[CapacityRecord]) -> Table:
    """One row a SUT and block: rates in requests per second, and why its search ended."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("SUT")
    for heading in ("block", "capacity, rps", "bracket", "probes"):
        table.add_column(heading, justify="right")
    table.add_column("why the search ended")
    for record in records:
        table.add_row(*_row(record))
    return table


def _row(record: CapacityRecord) -> list[str]:
    low, high = (
        _UNKNOWN if rate is None else f"{rate:g}" for rate in (record.low_rps, record.high_rps)
    )
    cliff = f"; at {high} rps it collapses" if record.cliff else ""
    return [
        record.sut,
        str(record.block + 1),
        _UNKNOWN if record.capacity_rps is None else f"{record.capacity_rps:g}",
        f"{low} to {high}",
        str(len(record.probes)),
        f"{record.end}{cliff}",
    ]
