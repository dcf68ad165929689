"""How many requests a SUT says it holds, by its own ``/metrics``: asked about once a second."""

import threading
from contextlib import suppress
from http import HTTPStatus
from time import monotonic_ns
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from architectures.contract import METRICS_PATH
from harness.http import ask

IN_FLIGHT = "servebench_in_flight"
"""Requests admitted and not yet answered, queued ones included; summed over processes."""

PERIOD_S = 1.0
_TIMEOUT_S = 2.0
_OLD_S = 5.0


class Inside:
    """The last answer, from a thread of its own: a full SUT may take long to give one.

    Args:
        url: of the SUT, without a path.
    """

    def __init__(self, url: str) -> None:
        self._url = url + METRICS_PATH
        self._stop = threading.Event()
        self._seen: tuple[int, float | None] = (0, None)
        self._thread = threading.Thread(target=self._run, name="inside", daemon=True)

    def __enter__(self) -> Self:
        """Begin asking."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop asking."""
        self._stop.set()
        self._thread.join()

    def requests(self) -> float | None:
        """As last told; None where it tells nothing, or nothing of late."""
        t_ns, seen = self._seen
        return seen if monotonic_ns() - t_ns < _OLD_S * 1e9 else None

    def _run(self) -> None:
        while True:
            with suppress(OSError, ValueError):
                reply = ask(self._url, timeout_s=_TIMEOUT_S)
                if reply.status == HTTPStatus.OK:
                    self._seen = (monotonic_ns(), in_flight(reply.body.decode()))
            if self._stop.wait(PERIOD_S):
                return


def in_flight(page: str) -> float | None:
    """What a page of metrics says of :data:`IN_FLIGHT`; None where it says nothing.

    Raises:
        ValueError: its lines are none of Prometheus's.
    """
    lines = [line for line in page.splitlines() if line.startswith(IN_FLIGHT)]
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    found = [sample.value for family in families for sample in family.samples]
    return sum(found) if found else None
