"""A column of byte strings, some absent, kept as one buffer instead of an object each."""

from array import array

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class OptionalBytes:
    """Set in any order; absent until set. About 12 bytes a row beside the strings themselves.

    Args:
        rows: how many there can be.
    """

    def __init__(self, rows: int) -> None:
        self._place = np.full(rows, -1, dtype=np.int32)
        self._places = self._place.data
        self._ends = array("q", [0])
        self._strings = bytearray()

    def set(self, row: int, value: bytes) -> None:
        """Give a row its value; each row at most once."""
        self._strings += value
        self._places[row] = len(self._ends) - 1
        self._ends.append(len(self._strings))

    def column(self, rows: npt.NDArray[np.int64], kind: pa.DataType) -> pa.Array:
        """Some rows' values, in that order, null where absent.

        Args:
            rows: which.
            kind: ``pa.binary()``, or ``pa.string()`` for UTF-8; together under 2 GiB.
        """
        strings = pa.Array.from_buffers(
            pa.large_binary(),
            len(self._ends) - 1,
            [None, pa.py_buffer(self._ends), pa.py_buffer(self._strings)],
        )
        place = self._place[rows]
        return strings.take(pa.array(place, mask=place < 0)).cast(kind)
