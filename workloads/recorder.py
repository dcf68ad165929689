"""One worker's samples while they happen: every planned request has its row from the start."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from workloads.sample import Outcome, write_samples


class Recorder:
    """Rows of the planned requests of one worker, filled in place.

    A row begins as ``DROPPED`` (never sent), is ``CENSORED`` (unanswered) from the moment it is
    sent, and then says how it ended. So whenever play stops, for whatever reason, every planned
    index is there once and says the truth.

    Args:
        indices: ``int64[n]``: positions in the plan this worker plays.
        offsets_ns: ``int64[n]``: their intended starts after the common start.
        worker: this worker's number.
        answer_every: keep the answer of every k-th planned request; 0 keeps none.
    """

    def __init__(
        self,
        indices: npt.NDArray[np.int64],
        offsets_ns: npt.NDArray[np.int64],
        worker: int,
        answer_every: int,
    ) -> None:
        count = len(indices)
        self.indices = indices
        self.offsets_ns = offsets_ns
        self.worker = worker
        self.kept = indices % answer_every == 0 if answer_every else np.zeros(count, dtype=bool)
        self.start_ns = 0
        self.sent_ns = np.zeros(count, dtype=np.int64)
        self.received_ns = np.zeros(count, dtype=np.int64)
        self.outcome = np.full(count, Outcome.DROPPED, dtype=np.int8)
        self.status = np.zeros(count, dtype=np.int16)
        self.response_bytes = np.zeros(count, dtype=np.int32)
        self.server_timing: list[str | None] = [None] * count
        self.answer: list[bytes | None] = [None] * count

    def sent(self, row: int, sent_ns: int) -> None:
        """The request has begun; unless more is heard it stays censored."""
        self.sent_ns[row] = sent_ns
        self.outcome[row] = Outcome.CENSORED

    def answered(
        self, row: int, received_ns: int, status: int, body: bytes, server_timing: str | None
    ) -> Outcome:
        """A whole answer has come, good or bad.

        Returns:
            ``OK`` for a 2xx status, ``HTTP_ERROR`` for any other: redirects are not followed.
        """
        outcome = Outcome.OK if status // 100 == 2 else Outcome.HTTP_ERROR  # noqa: PLR2004
        self.received_ns[row] = received_ns
        self.outcome[row] = outcome
        self.status[row] = status
        self.response_bytes[row] = len(body)
        self.server_timing[row] = server_timing
        if outcome is Outcome.OK and self.kept[row]:
            self.answer[row] = body
        return outcome

    def failed(self, row: int, outcome: Outcome) -> Outcome:
        """No whole answer will come."""
        self.outcome[row] = outcome
        return outcome

    def count(self, outcome: Outcome) -> int:
        """Rows that stand at ``outcome``."""
        return int((self.outcome == outcome).sum())

    def lags_ns(self) -> npt.NDArray[np.int64]:
        """``int64[sent]``: sent - intended of every request that was sent."""
        sent = self.sent_ns > 0
        return (self.sent_ns - self.start_ns - self.offsets_ns)[sent]

    def write(self, path: Path) -> None:
        """Write the rows as samples."""
        write_samples(
            path,
            {
                "index": self.indices.tolist(),
                "worker": [self.worker] * len(self.indices),
                "intended_ns": (self.offsets_ns + self.start_ns).tolist(),
                "sent_ns": self.sent_ns.tolist(),
                "received_ns": self.received_ns.tolist(),
                "outcome": self.outcome.tolist(),
                "status": self.status.tolist(),
                "response_bytes": self.response_bytes.tolist(),
                "server_timing": list(self.server_timing),
                "answer": list(self.answer),
            },
        )
