"""Ended requests in Locust's own statistics: for people who watch, never for a published number.

Locust takes requests one by one, at 20 us each. Added together first, a fifth of a second of them
costs as much as a few; the live view lags that far behind.
"""

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from locust.stats import RequestStats, StatsEntry

from workloads.locustfile_exchanges import Heard
from workloads.sample import Outcome


def three_digits(milliseconds: float) -> float:
    """Locust's histogram key, to three significant digits and 0.01 ms; stock Locust keeps two."""
    if milliseconds < 1:
        return round(milliseconds, 2)
    return round(milliseconds, 2 - int(math.log10(milliseconds)))


def show(stats: Any, paths: Sequence[str], heard: list[Heard]) -> None:
    """Add ended requests to Locust's statistics; only a good answer has a response time there.

    Args:
        stats: Locust's ``RequestStats``.
        paths: by kind of request.
        heard: since the last call.
    """
    by_kind: defaultdict[int, list[Heard]] = defaultdict(list)
    for one in heard:
        by_kind[one[0]].append(one)
    for kind, some in by_kind.items():
        entry = _together(paths[kind], some)
        stats.get(paths[kind], "POST").extend(entry)
        stats.total.extend(entry)
        for _, outcome, status, _, _ in some:
            if outcome is not Outcome.OK:
                stats.log_error("POST", paths[kind], RequestFailedError(outcome, status))


def _together(path: str, heard: list[Heard]) -> Any:
    entry: Any = StatsEntry(RequestStats(), path, "POST")
    entry.reset()
    good_ms = [ns / 1e6 for _, outcome, _, ns, _ in heard if outcome is Outcome.OK]
    now_s = time.time()  # noqa: TID251 - Locust's charts are by wall clock
    second = int(now_s)
    entry.num_requests = entry.num_reqs_per_sec[second] = len(heard)
    entry.num_none_requests = len(heard) - len(good_ms)  # failures are counted as they are named
    entry.last_request_timestamp = now_s
    entry.total_content_length = sum(size for *_, size in heard)
    entry.total_response_time = sum(good_ms)
    entry.min_response_time = min(good_ms, default=None)
    entry.max_response_time = max(good_ms, default=0)
    for response_ms in good_ms:
        key = three_digits(response_ms)
        entry.response_times[key] = entry.response_times.get(key, 0) + 1
    return entry


class RequestFailedError(Exception):
    """How a request failed, as Locust's failure table shows it."""

    def __init__(self, outcome: Outcome, status: int) -> None:
        super().__init__(f"{outcome.name} {status or ''}")
