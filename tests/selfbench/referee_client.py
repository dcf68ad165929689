"""MLPerf LoadGen's Server scenario over HTTP, in a process of its own: JSON in, JSON out.

LoadGen schedules Poisson arrivals and times each from its scheduled start; what is ours is only
the threads that post, each on a connection it keeps. LoadGen knows no failed request: a failure is
completed with an empty answer at once, and counted, so that the caller can judge it.
"""

import array
import http.client
import json
import queue
import re
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import mlperf_loadgen as lg

from workloads.payloads import read_payloads

_OK = 200
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Question:
    """What LoadGen is to play.

    Attributes:
        percentile: of the objective, in percent.
        clients: threads, each with one request at a time; more than can be in flight.
    """

    url: str
    path: str
    payloads: str
    rate_rps: float
    seconds: float
    slo_s: float
    percentile: float
    seed: int
    clients: int = 96


class Poster:
    """Threads that post what LoadGen issues."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._examples = read_payloads(Path(question.payloads))
        self._issued: queue.SimpleQueue[tuple[Any, int] | None] = queue.SimpleQueue()
        self.failed = 0
        self._threads = [
            threading.Thread(target=self._post_all, daemon=True) for _ in range(question.clients)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def count(self) -> int:
        """How many payloads there are."""
        return len(self._examples)

    def issue(self, samples: Any) -> None:
        """LoadGen's callback: only queues, for it holds up the schedule."""
        for sample in samples:
            self._issued.put((sample.id, sample.index))

    def end(self) -> None:
        """Let every thread end."""
        for _ in self._threads:
            self._issued.put(None)

    def _post_all(self) -> None:
        address = urlsplit(self._question.url)
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=_PATIENCE_S
        )
        while (issued := self._issued.get()) is not None:
            sample, index = issued
            body = self._post(connection, index)
            kept = array.array("B", body)
            pointer, size = kept.buffer_info()
            lg.QuerySamplesComplete([lg.QuerySampleResponse(sample, pointer, size)])
        connection.close()

    def _post(self, connection: http.client.HTTPConnection, index: int) -> bytes:
        example = self._examples[index]
        try:
            headers = {"Content-Type": example.media_type}
            connection.request("POST", self._question.path, example.body, headers)
            reply = connection.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self.failed += 1
            return b""
        if reply.status != _OK:
            self.failed += 1
        return body


def play(question: Question) -> dict[str, Any]:
    """Play one question; times in ms."""
    poster = Poster(question)
    sut = lg.ConstructSUT(poster.issue, lambda: None)
    library = lg.ConstructQSL(poster.count, poster.count, lambda _: None, lambda _: None)
    with TemporaryDirectory() as folder:
        lg.StartTestWithLogSettings(sut, library, _settings(question), _logs(folder), "none.config")
        summary = Path(folder, "mlperf_log_summary.txt").read_text()
    poster.end()
    lg.DestroyQSL(library)
    lg.DestroySUT(sut)
    return {
        "valid": "Result is : VALID" in summary,
        "scheduled_rps": _number(summary, r"Scheduled samples per second\s*:"),
        "completed_rps": _number(summary, r"Completed samples per second\s*:"),
        "p50_ms": _number(summary, r"50.00 percentile latency \(ns\)\s*:") / 1e6,
        "p99_ms": _number(summary, r"99.00 percentile latency \(ns\)\s*:") / 1e6,
        "failed": poster.failed,
    }


def _settings(question: Question) -> Any:
    settings = lg.TestSettings()
    settings.scenario = lg.TestScenario.Server
    settings.mode = lg.TestMode.PerformanceOnly
    settings.server_target_qps = question.rate_rps
    settings.server_target_latency_ns = int(question.slo_s * 1e9)
    settings.server_target_latency_percentile = question.percentile / 100
    settings.min_query_count = 1
    settings.min_duration_ms = int(question.seconds * 1e3)
    settings.qsl_rng_seed = question.seed
    settings.sample_index_rng_seed = question.seed + 1
    settings.schedule_rng_seed = question.seed + 2
    return settings


def _logs(folder: str) -> Any:
    output = lg.LogOutputSettings()
    output.outdir = folder
    logs = lg.LogSettings()
    logs.log_output = output
    logs.enable_trace = False
    return logs


def _number(text: str, label: str) -> float:
    found = re.search(label + r"\s*([\d.]+)", text)
    if found is None:
        raise RuntimeError(f"LoadGen's summary has no {label!r}:\n{text}")
    return float(found.group(1))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play(Question(**json.loads(sys.argv[1])))) + "\n")
