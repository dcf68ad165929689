"""Writing ten million samples, as load workers do: what it takes, apart from the load itself.

    python -m tests.selfbench.recording

Rows are recorded through the recorder's own calls, with a Server-Timing header of four numbers each
as the null service sends it, and every hundredth answer kept; then written. Each row of the result
is a process of its own, since memory is counted at its highest.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns, process_time_ns

import numpy as np

from tests.selfbench.rows import Row
from workloads.recorder import Recorder

SAMPLES = 10_000_000
_TRIALS = (1, 10)
_ANSWER_EVERY = 100
_ANSWER = b'{"index": 1234567, "delay_ns": 0, "tags": ["something", "else"]}'
_GAP_NS = 100_000
_BLOCK = 1 << 16


def measure(samples: int = SAMPLES) -> list[Row]:
    """Write all samples as one trial of one worker, and as ten trials one after the other."""
    return [_apart(samples, trials) for trials in _TRIALS]


def record(folder: Path, samples: int, trials: int) -> Row:
    """Record and write ``samples-0.parquet`` of each trial, in this process.

    Args:
        folder: gets a folder ``trial-<k>`` for each trial.
        samples: of all trials together.
        trials: equally long.
    """
    spent = np.zeros(4)
    written_bytes = 0
    for trial in range(trials):
        path = folder / f"trial-{trial:02}" / "samples-0.parquet"
        path.parent.mkdir(parents=True)
        marks = [(perf_counter_ns(), process_time_ns())]
        recorder = _recorded(samples // trials, seed=trial)
        marks.append((perf_counter_ns(), process_time_ns()))
        recorder.write(path, end_ns=1 << 62)
        marks.append((perf_counter_ns(), process_time_ns()))
        spent += np.diff(np.array(marks), axis=0).ravel()
        written_bytes += path.stat().st_size
    _, recording_cpu_s, writing_wall_s, writing_cpu_s = (spent / 1e9).tolist()
    return {
        "samples": samples,
        "trials": trials,
        "recording_us_a_sample": recording_cpu_s / samples * 1e6,
        "writing_wall_s": writing_wall_s,
        "writing_cpu_s": writing_cpu_s,
        "peak_rss_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "written_gb": written_bytes / 1e9,
    }


def _recorded(count: int, seed: int) -> Recorder:
    recorder = Recorder(np.arange(count), worker=0, answer_every=_ANSWER_EVERY)
    random = np.random.default_rng(seed)
    for start in range(0, count, _BLOCK):
        rows = range(start, min(start + _BLOCK, count))
        lags_ns = random.integers(20_000, 400_000, len(rows))
        service_ns = random.lognormal(17.0, 0.5, len(rows)).astype(np.int64)
        intended_ns = 10**12 + _GAP_NS * np.arange(rows.start, rows.stop)
        recorder.intended_ns[rows.start : rows.stop] = intended_ns
        sent_ns = intended_ns + lags_ns
        timings = (sent_ns, sent_ns + service_ns, service_ns // 1000)
        for row, sent, received, us in zip(rows, *(t.tolist() for t in timings), strict=True):
            recorder.sent(row, sent)
            recorder.answered(row, received, 200, _ANSWER, _server_timing(us))
    return recorder


def _server_timing(us: int) -> bytes:
    whole, part = divmod(us, 1000)
    queued, computed = us % 997, us % 811
    form = b"delay;dur=%d.%03d;queue=0.%03d;compute=0.%03d;batch=1, request;dur=%d.%03d"
    return form % (whole, part, queued, computed, whole, part)


def _apart(*asked: int) -> Row:
    with TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "tests.selfbench.recording", folder, *map(str, asked)]
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    row: Row = json.loads(done.stdout)
    return row


def _main() -> None:
    if len(sys.argv) > 1:
        folder, samples, trials = sys.argv[1:]
        rows = [record(Path(folder), int(samples), int(trials))]
    else:
        rows = measure()
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    _main()
