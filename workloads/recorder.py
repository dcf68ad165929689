"""One worker's samples while they happen: every planned request has its row from the start."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workloads.optional_bytes import OptionalBytes
from workloads.sample import SCHEMA, Outcome, write_batches

_OK, _HTTP_ERROR, _CENSORED = int(Outcome.OK), int(Outcome.HTTP_ERROR), int(Outcome.CENSORED)
_ROWS_AT_ONCE = 1 << 16
"""Turned into a row group together: what writing needs beside the rows themselves stays small."""


class Recorder:
    """Rows of the planned requests of one worker, filled in place; 43 bytes each and its strings.

    A row begins as ``DROPPED`` (never sent), is ``CENSORED`` (unanswered) from the moment it is
    sent, and then says how it ended. So whenever play stops, for whatever reason, every planned
    index that was due is there once and says the truth.

    Args:
        indices: ``int[n]``: positions in the plan this worker plays.
        worker: this worker's number.
        answer_every: keep the answer of every k-th planned request; 0 keeps none.

    Attributes:
        indices: ``int32[n]``, as given.
        intended_ns: ``int64[n]``: intended starts; 0 where none is known (yet).
        sent_ns / received_ns / outcome / status / response_bytes: as in the samples.
    """

    def __init__(self, indices: npt.NDArray[np.int64], worker: int, answer_every: int) -> None:
        count = len(indices)
        self.indices = indices.astype(np.int32)
        self.worker = worker
        self.intended_ns = np.zeros(count, dtype=np.int64)
        self.sent_ns = np.zeros(count, dtype=np.int64)
        self.received_ns = np.zeros(count, dtype=np.int64)
        self.outcome = np.full(count, Outcome.DROPPED, dtype=np.int8)
        self.status = np.zeros(count, dtype=np.int16)
        self.response_bytes = np.zeros(count, dtype=np.int32)
        self._answer_every = answer_every
        self._server_timing = OptionalBytes(count)
        self._answer = OptionalBytes(count)
        # A number goes into a memoryview in half the time it goes into an array.
        self.index_of = self.indices.data
        self.intended = self.intended_ns.data
        self.sent_at = self.sent_ns.data
        self._received = self.received_ns.data
        self._outcome = self.outcome.data
        self._status = self.status.data
        self._response_bytes = self.response_bytes.data

    def sent(self, row: int, sent_ns: int) -> None:
        """The request has begun; unless more is heard it stays censored."""
        self.sent_at[row] = sent_ns
        self._outcome[row] = _CENSORED

    def answered(
        self, row: int, received_ns: int, status: int, body: bytes, server_timing: bytes | None
    ) -> Outcome:
        """A whole answer has come, good or bad.

        Returns:
            ``OK`` for a 2xx status, ``HTTP_ERROR`` for any other: redirects are not followed.
        """
        good = status // 100 == 2  # noqa: PLR2004 - the class of good answers
        self._received[row] = received_ns
        self._outcome[row] = _OK if good else _HTTP_ERROR
        self._status[row] = status
        self._response_bytes[row] = len(body)
        if server_timing is not None:
            self._server_timing.set(row, _text(server_timing))
        every = self._answer_every
        if every and good and not self.index_of[row] % every:
            self._answer.set(row, body)
        return Outcome.OK if good else Outcome.HTTP_ERROR

    def failed(self, row: int, outcome: Outcome) -> Outcome:
        """No whole answer will come."""
        self._outcome[row] = outcome
        return outcome

    def due(self, end_ns: int) -> npt.NDArray[np.int64]:
        """``int64[k]``: rows whose intended start is before ``end_ns``."""
        return np.flatnonzero((self.intended_ns > 0) & (self.intended_ns < end_ns))

    def write(self, path: Path, end_ns: int) -> None:
        """Write the rows that were due before ``end_ns`` as samples."""
        write_batches(path, self._batches(self.due(end_ns)))

    def _batches(self, due: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(due), _ROWS_AT_ONCE):
            rows = due[start : start + _ROWS_AT_ONCE]
            columns = {
                "index": self.indices[rows],
                "worker": np.full(len(rows), self.worker, dtype=np.int16),
                "intended_ns": self.intended_ns[rows],
                "sent_ns": self.sent_ns[rows],
                "received_ns": self.received_ns[rows],
                "outcome": self.outcome[rows],
                "status": self.status[rows],
                "response_bytes": self.response_bytes[rows],
                "server_timing": self._server_timing.column(rows, pa.string()),
                "answer": self._answer.column(rows, pa.binary()),
            }
            yield pa.record_batch(columns, schema=SCHEMA)


def _text(header: bytes) -> bytes:
    """As UTF-8: a header is Latin-1, if it is not plain ASCII as it should be."""
    return header if header.isascii() else header.decode("latin-1").encode()
