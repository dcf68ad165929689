"""What Locust's own tables say; in a process of its own, for Locust patches its process."""

import json
import subprocess
import sys

SCRIPT = """
import json
from locust.stats import RequestStats
from workloads.locustfile_live import show
from workloads.sample import Outcome
stats = RequestStats()
good = [(0, Outcome.OK, 200, 20_000_000, 5)] * 6
bad = [(0, Outcome.HTTP_ERROR, 500, 1_000_000, 0)] * 3 + [(0, Outcome.TIMED_OUT, 0, 9_000_000, 0)]
for part in (good[:2] + bad[:2], good[2:] + bad[2:]):
    show(stats, ["/v1/tag"], part)
entry = stats.get("/v1/tag", "POST")
print(json.dumps({
    "requests": [stats.total.num_requests, entry.num_requests],
    "failures": [stats.total.num_failures, entry.num_failures],
    "named": {str(error.error): error.occurrences for error in stats.errors.values()},
    "median": entry.median_response_time,
}))
"""


def test_each_request_and_each_failure_is_shown_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    shown = json.loads(done.stdout)
    assert shown["requests"] == [10, 10]
    assert shown["failures"] == [4, 4]
    assert sorted(shown["named"].values()) == [1, 3]
    assert any("HTTP_ERROR 500" in name for name in shown["named"])
    assert shown["median"] == 20
