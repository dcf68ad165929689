from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.recorder import Recorder
from workloads.sample import SCHEMA, Outcome, read_samples

endings = st.sampled_from([None, "in flight", "answered", *Outcome])


@settings(deadline=None)
@given(st.lists(endings, max_size=60), st.integers(1, 4), st.integers(0, 5), st.data())
def test_every_request_that_was_due_is_on_disk_once_however_it_ended(
    endings: list[Any], workers: int, answer_every: int, data: st.DataObject
) -> None:
    offsets_ns = np.arange(len(endings), dtype=np.int64) * 1000
    due = data.draw(st.integers(0, len(endings)))
    end_ns = due * 1000 + 5
    with TemporaryDirectory() as directory:
        paths = []
        answers: dict[int, bytes] = {}
        for worker in range(workers):
            indices = np.arange(worker, len(endings), workers)
            recorder = Recorder(indices, worker, answer_every)
            recorder.intended_ns[:] = offsets_ns[indices] + 5
            for row, index in enumerate(indices.tolist()):
                answers[index] = data.draw(st.binary(max_size=20))
                end(recorder, row, endings[index], answers[index])
            paths.append(Path(directory, f"samples-{worker}.parquet"))
            with patch("workloads.recorder._ROWS_AT_ONCE", 7):
                recorder.write(paths[-1], end_ns)
        table = read_samples(paths)
    assert table.schema.equals(SCHEMA)
    assert table["index"].to_pylist() == list(range(due))
    assert table["intended_ns"].to_pylist() == (offsets_ns[:due] + 5).tolist()
    assert table["outcome"].to_pylist() == [expected(ending) for ending in endings[:due]]
    for row in table.to_pylist():
        kept = answer_every and row["index"] % answer_every == 0 and row["outcome"] == Outcome.OK
        assert (row["answer"] is not None) == bool(kept)
        assert row["server_timing"] in (None, "caf\xe9;dur=1")
        assert (row["server_timing"] is None) == (row["outcome"] != Outcome.HTTP_ERROR)
        assert row["answer"] in (None, answers.get(row["index"]))
        assert (row["sent_ns"] == 0) == (row["outcome"] == Outcome.DROPPED)


def end(recorder: Recorder, row: int, ending: Any, body: bytes) -> None:
    if expected(ending) == Outcome.DROPPED:
        return
    recorder.sent(row, 100 + row)
    if ending in ("answered", Outcome.OK):
        recorder.answered(row, 200 + row, 200, body, None)
    elif ending == Outcome.HTTP_ERROR:
        recorder.answered(row, 200 + row, 503, body, b"caf\xe9;dur=1")
    elif isinstance(ending, Outcome):
        recorder.failed(row, ending)


def expected(ending: Any) -> Outcome:
    if ending is None:
        return Outcome.DROPPED
    return Outcome({"in flight": Outcome.CENSORED, "answered": Outcome.OK}.get(ending, ending))
