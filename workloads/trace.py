"""A recorded trace: arrivals, and where it says so the payload and graph of each, from a file."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from workloads.arrivals import WorkloadError
from workloads.arrivals.exact import NS
from workloads.arrivals.replay import recorded_rate
from workloads.meant import did_you_mean

SUFFIXES = (".csv", ".parquet")

_TIME, _PAYLOAD, _GRAPH = "timestamp_s", "payload", "graph"
_COLUMNS = (_TIME, _PAYLOAD, _GRAPH)
_LEAST = 2

Cell = TypeVar("Cell")
Read: TypeAlias = Callable[[Any], Cell]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What was recorded.

    Attributes:
        source: the file, as errors name it.
        times_ns: ``int64[n]``: from the first arrival on, ascending from 0.
        payloads: ``int32[n]``: rows of the payload file; None where the trace does not say.
        graphs: ``n`` names; None where the trace does not say.
    """

    source: str
    times_ns: npt.NDArray[np.int64]
    payloads: npt.NDArray[np.int32] | None = None
    graphs: tuple[str, ...] | None = None

    @property
    def rate_rps(self) -> float:
        """Mean rate as it was recorded: gaps over the time they span."""
        return float(recorded_rate(self.times_ns))

    def check_payloads(self, count: int) -> None:
        """Every payload must be a row of a payload file of ``count`` rows.

        Raises:
            WorkloadError: one is not.
        """
        beyond = [] if self.payloads is None else np.flatnonzero(self.payloads >= count).tolist()
        if beyond:
            first = beyond[0]
            assert self.payloads is not None  # noqa: S101 - or there would be none beyond
            raise WorkloadError(
                f"{self.source}: row {first + 1}: payload {self.payloads[first]} is no row of the "
                f"payload file, whose rows are 0 to {count - 1}; raise load.payloads"
            )

    def check_graphs(self, known: Collection[str]) -> None:
        """Every graph must be one of the ensemble's.

        Raises:
            WorkloadError: one is not.
        """
        for row, graph in enumerate(self.graphs or (), 1):
            if graph not in known:
                raise WorkloadError(
                    f"{self.source}: row {row}: the ensemble has no graph {graph!r}"
                    f"{did_you_mean(graph, known)}; it has {', '.join(known)}"
                )


def read_trace(path: Path) -> Trace:
    """Read a recorded trace: CSV with a header line, or Parquet.

    Columns: ``timestamp_s`` (seconds not below 0, or ISO date-times, which are UTC unless they say
    otherwise), and if wished ``payload`` (a row of the payload file) and ``graph``. Others are
    passed over. Rows count from 1 in errors, the header line not counted.

    Raises:
        WorkloadError: it is not there, not of this form, not in order, or has no two times.
    """
    table = _table(path)
    if _TIME not in table.column_names:
        raise WorkloadError(
            f"{path}: has no column {_TIME!r}, but {', '.join(table.column_names) or 'none'}; "
            f"name one so, of seconds or ISO date-times"
        )
    times = _times_ns(path, table)
    _check_order(path, times)
    payloads = graphs = None
    if _PAYLOAD in table.column_names:
        payloads = np.array(_cells(path, table, _PAYLOAD, _row), dtype=np.int32)
    if _GRAPH in table.column_names:
        graphs = tuple(_cells(path, table, _GRAPH, _name))
    return Trace(str(path), times - times[0], payloads, graphs)


def _table(path: Path) -> pa.Table:
    if path.suffix not in SUFFIXES:
        raise WorkloadError(f"{path}: a trace is a {' or '.join(SUFFIXES)} file; convert it")
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            as_text = dict.fromkeys(_COLUMNS, pa.string())
            options = pc.ConvertOptions(
                column_types=as_text, strings_can_be_null=True, null_values=[""]
            )
            table = pc.read_csv(path, convert_options=options)
    except (OSError, pa.ArrowException) as error:
        raise WorkloadError(f"{path}: cannot be read as a trace ({error}); mend it") from error
    return table


def _check_order(path: Path, times: npt.NDArray[np.int64]) -> None:
    if len(times) < _LEAST or times[-1] == times[0]:
        raise WorkloadError(
            f"{path}: has {len(times)} rows and no two different times; "
            "a rate needs two arrivals at different times"
        )
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        raise WorkloadError(
            f"{path}: row {back[0] + 2}: {_TIME} is earlier than in the row before it; "
            "sort the file by time"
        )


def _times_ns(path: Path, table: pa.Table) -> npt.NDArray[np.int64]:
    kind, read = table[_TIME].type, _time_ns
    if pa.types.is_timestamp(kind):  # of any unit and zone
        in_ns = table[_TIME].cast(pa.timestamp("ns", kind.tz)).cast(pa.int64())
        table, read = table.set_column(table.column_names.index(_TIME), _TIME, in_ns), _same
    return np.array(_cells(path, table, _TIME, read), dtype=np.int64)


def _cells(path: Path, table: pa.Table, column: str, read: Read[Cell]) -> list[Cell]:
    found: list[Cell] = []
    for row, value in enumerate(table[column].to_pylist(), 1):
        try:
            found.append(read(value))
        except (ValueError, TypeError, ArithmeticError) as error:
            said = str(error) if isinstance(error, _CellError) else "cannot be read"
            raise WorkloadError(f"{path}: row {row}: {column} = {value!r} {said}") from error
    return found


class _CellError(ValueError):
    """What is wrong with one cell, in words that follow its value."""


def _same(value: Any) -> int:
    if value is None:
        raise _CellError("is empty; every row needs a time")
    return int(value)


def _time_ns(value: Any) -> int:
    if value is None:
        raise _CellError("is empty; every row needs a time")
    try:
        seconds = Decimal(value)
    except InvalidOperation:
        return _date_ns(str(value))
    if not seconds.is_finite() or seconds < 0:
        raise _CellError("is no time; give seconds not below 0, or an ISO date-time")
    return int((seconds * NS).to_integral_value())


def _date_ns(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _CellError("is no time; give seconds not below 0, or an ISO date-time") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86400 + since.seconds) * 10**6 + since.microseconds) * 1000


def _row(value: Any) -> int:
    said = _CellError("is no row of the payload file; give a whole number not below 0")
    if value is None:
        raise said
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise said from None
    if not number.is_finite() or number < 0 or number != int(number) or number >= 1 << 31:
        raise said
    return int(number)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _CellError("is no graph's name; every row needs one where the column is there")
    return value
