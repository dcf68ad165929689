"""What we say of response times against what the server, and arithmetic, know of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from time import perf_counter_ns, sleep
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from workloads.sample import Outcome

Floats: TypeAlias = npt.NDArray[np.float64]
Server: TypeAlias = Callable[..., Any]
Play: TypeAlias = Callable[..., Any]
NS = 1_000_000


def milliseconds(table: pa.Table, until: str, since: str) -> Floats:
    good = table["outcome"].to_numpy() == Outcome.OK
    return (table[until].to_numpy() - table[since].to_numpy())[good] / NS


def true_ms(truth: dict[str, Any]) -> Floats:
    return np.array([(answered - begun) / NS for _, begun, answered in truth["requests"]])


@pytest.mark.parametrize(
    ("arrivals", "service_s"),
    [
        ("constant", [0.05]),
        ("poisson", np.random.default_rng(3).exponential(0.03, 400).round(4).tolist()),
    ],
    ids=["constant 50 ms", "random"],
)
def test_known_delays_are_recovered(
    known_server: Server, play: Play, arrivals: str, service_s: Any
) -> None:
    """Within 2 % or 1 ms of the server's own log, which is the control: noise is in both.

    Never below it, ever. Above it other processes may push us, so the best of three counts: what
    the generator adds by itself it adds each time.
    """
    excess = []
    for _ in range(3):
        server = known_server(service_s=service_s)
        result, table = play(server.url, arrivals=arrivals, steady_s=3.0)
        truth = server.truth()
        assert len(truth["requests"]) == len(table) == int(result.report["sent"])
        assert (table["outcome"].to_numpy() == Outcome.OK).all()
        excess.append(excess_ms(table, truth))
        if excess[-1] <= 0:
            return
    pytest.fail(f"over the allowance by {excess} ms, three times")


def excess_ms(table: pa.Table, truth: dict[str, Any]) -> float:
    """The most by which p50 or p95 lies above the truth and its allowance."""
    ours, theirs = milliseconds(table, "received_ns", "intended_ns"), true_ms(truth)
    excess = -np.inf
    for percentile in (50, 95):
        seen, true = np.percentile(ours, percentile), np.percentile(theirs, percentile)
        assert seen >= true
        allowance = max(0.02 * true, 1.0) + asleep_ms(table, truth, percentile)
        excess = max(excess, seen - true - allowance)
    return float(excess)


def asleep_ms(table: pa.Table, truth: dict[str, Any], percentile: float) -> float:
    """How long requests lay in the kernel before the server's process ran: not the generator's."""
    begun_ns = np.array([begun for _, begun, _ in sorted(truth["requests"])])
    return float(np.percentile(begun_ns - table["sent_ns"].to_numpy(), percentile)) / NS


def test_a_closed_loop_hides_a_freeze(known_server: Server) -> None:
    """The control: ten clients at 10 rps each, timed from their sends, as is done everywhere.

    A freeze of .5 s in 4 is due to one request in eight (``test_scripts`` shows that we read it);
    here it is felt by ten in some 350.
    """
    server = known_server(service_s=[0.02], freeze_at_s=1.5, freeze_s=0.5)
    with ThreadPoolExecutor(10) as pool:
        times = list(pool.map(closed_loop_ms, [server.url] * 10))
    assert np.percentile(np.concatenate(times), 95) < 100


def closed_loop_ms(url: str) -> Floats:
    connection = HTTPConnection(url.removeprefix("http://"))
    start_ns, times = perf_counter_ns(), []
    while perf_counter_ns() < start_ns + 4_000 * NS:
        sent_ns = perf_counter_ns()
        connection.request("POST", "/v1/tag", b"x" * 1000, {"X-Request-ID": "0"})
        connection.getresponse().read()
        times.append((perf_counter_ns() - sent_ns) / NS)
        sleep(max(0.1 - times[-1] / 1e3, 0))
    connection.close()
    return np.array(times)


def test_a_queue_is_as_long_as_lindley_says(known_server: Server, play: Play) -> None:
    """One server, 5 ms of CPU each, 110 rps: the waits follow from the plan by one recursion."""
    differences = []
    for _ in range(3):
        server = known_server(burn_s=0.005, one_by_one=True)
        result, table = play(server.url, rate_rps=110.0, steady_s=5.0)
        _, begun, answered = np.array(server.truth()["requests"]).T / NS
        waiting = begun[1:] < answered[:-1]
        service_ms = float(np.median(np.diff(answered)[waiting]))
        intended_ms = (table["intended_ns"].to_numpy() - result.phases.start_ns) / NS
        expected = lindley_ms(intended_ms, service_ms)
        seen = milliseconds(table, "received_ns", "intended_ns")
        differences.append(float(np.percentile(seen, 95) / np.percentile(expected, 95) - 1))
        if abs(differences[-1]) < 0.15:
            return
    pytest.fail(f"p95 is off by {differences}, three times")


def lindley_ms(intended_ms: Floats, service_ms: float) -> Floats:
    free, left = 0.0, []
    for start in intended_ms:
        free = max(free, start) + service_ms
        left.append(free)
    return np.array(left) - intended_ms
