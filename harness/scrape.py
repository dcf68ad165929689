"""What a service says it used: its Prometheus metrics, read about once a second."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from time import monotonic_ns, thread_time_ns

from prometheus_client.parser import text_string_to_metric_families

from harness.http import ask
from harness.usage import Usage

PERIOD_S = 1.0
TIMEOUT_S = 2.0

CPU = "process_cpu_seconds_total"
MEMORY = "process_resident_memory_bytes"


class Scrape:
    """Readings of one service, in the columns of ``usage.parquet``.

    A page may hold several processes or instances, told apart by labels: they are summed. A
    counter that fell began anew, and a process that is gone keeps what it had used: the sum of
    CPU-seconds never falls.

    Args:
        url: of the metrics.
        component: what the rows are called.
    """

    def __init__(self, url: str, component: str) -> None:
        self._url = url
        self._component = component
        self._last_s: dict[tuple[tuple[str, str], ...], float] = {}
        self._ended_s = 0.0

    def row(self) -> dict[str, object]:
        """One reading.

        Raises:
            OSError: there was no answer in time, or it was no 200.
            ValueError: it holds neither CPU time nor memory of a process.
        """
        before_ns = monotonic_ns()
        reply = ask(self._url, timeout_s=TIMEOUT_S)
        t_ns = (before_ns + monotonic_ns()) // 2
        if reply.status != HTTPStatus.OK:
            raise OSError(f"{self._url} answers {reply.status}")
        cpu_s, resident = _read(reply.body.decode())
        if not cpu_s and not resident:
            raise ValueError(f"{self._url} holds neither {CPU} nor {MEMORY}")
        row: dict[str, object] = {"t_ns": t_ns, "component": self._component}
        if cpu_s:
            row |= {"cpu_s": self._total_s(cpu_s), "processes": len(cpu_s)}
        if resident:
            row["rss_bytes"] = int(sum(resident.values()))
        return row

    def _total_s(self, now_s: dict[tuple[tuple[str, str], ...], float]) -> float:
        for labels, last_s in self._last_s.items():
            if now_s.get(labels, 0.0) < last_s:
                self._ended_s += last_s
        self._last_s = now_s
        return self._ended_s + sum(now_s.values())


def _read(page: str) -> tuple[dict[tuple[tuple[str, str], ...], float], ...]:
    """CPU-seconds and resident bytes, by labels; the page's other lines are never parsed."""
    wanted = (CPU, MEMORY)
    lines = [line for line in page.splitlines() if line.startswith(wanted)]
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {CPU: {}, MEMORY: {}}
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            if sample.name in found:
                found[sample.name][tuple(sorted(sample.labels.items()))] = sample.value
    return found[CPU], found[MEMORY]


@contextmanager
def scraped(scrape: Scrape | None, usage: Usage) -> Iterator[None]:
    """Read in a thread of its own until the block ends.

    A reading that fails is left out: what it misses, the reports say.
    """
    if scrape is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(
        target=_read_until, args=(scrape, usage, stop), name="scrape", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _read_until(scrape: Scrape, usage: Usage, stop: threading.Event) -> None:
    next_ns, last = monotonic_ns(), False
    while True:
        started_ns = thread_time_ns()
        with suppress(OSError, ValueError):
            usage.add_rows([scrape.row()])
        usage.cost_s += (thread_time_ns() - started_ns) / 1e9
        if last:
            return
        next_ns = max(next_ns + int(PERIOD_S * 1e9), monotonic_ns())
        last = stop.wait((next_ns - monotonic_ns()) / 1e9)
