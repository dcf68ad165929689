"""What ``/metrics`` counts, right for one process and for several that serve one port.

Forked workers share the directory named by ``PROMETHEUS_MULTIPROC_DIR``; whichever of them is asked
answers for all. prometheus_client reads that variable when it is first imported.
"""

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import multiprocess as shared
from prometheus_client.exposition import generate_latest

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)


class FrontMetrics:
    """Requests by graph and status, response seconds by graph, requests in flight."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        registry = CollectorRegistry()  # its own, so that one process may build several apps
        self._registry = registry
        self._requests = Counter(
            "servebench_requests", "Requests answered.", ("graph", "status"), registry=registry
        )
        self._seconds = Histogram(
            "servebench_response_seconds",
            "From the first header read to the answer.",
            ("graph",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "servebench_in_flight",
            "Requests admitted and not yet answered.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._in_flight.set(0)
        self._detached = Counter(
            "servebench_detached",
            "Walks that no answer waits for, by how they ended.",
            ("graph", "outcome"),
            registry=registry,
        )
        # ``labels`` locks and hashes at every call; a request looks its series up here.
        self._counters: dict[tuple[str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def in_flight(self, count: int) -> None:
        """Set how many requests this process holds."""
        self._in_flight.set(count)

    def answered(self, graph: str, status: int, spent_ns: int) -> None:
        """Count one answer; 499 stands for a client that left before it."""
        key = (graph, status)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._requests.labels(graph, str(status))
        histogram = self._histograms.get(graph)
        if histogram is None:
            histogram = self._histograms[graph] = self._seconds.labels(graph)
        counter.inc()
        histogram.observe(spent_ns / 1e9)

    def detached(self, graph: str, outcome: str) -> None:
        """Count one walk that no answer waits for: done, shed, failed or cancelled."""
        self._detached.labels(graph, outcome).inc()

    def exposition(self) -> bytes:
        """The Prometheus text, summed over all processes where there are several."""
        if DIRECTORY_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        shared.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def forget_process(pid: int) -> None:
    """Drop a dead worker's requests in flight; its counts stay."""
    if DIRECTORY_VARIABLE in os.environ:
        shared.mark_process_dead(pid)  # type: ignore[no-untyped-call]
