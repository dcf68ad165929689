"""Workers that share a port: they answer for each other, are replaced, and end together."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import httpx
import psutil
import pytest

from architectures.monolith import ARCHITECTURE, worker_count
from architectures.monolith.server import shares
from architectures.server_config import ServerConfig
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy
from harness.deploy import Deployment, deploy

SECOND = str(Path(__file__).parents[1] / "second_ensemble")
CHOICE = EnsembleChoice("language_guess", "plain", search_path=(SECOND,))
SETTLED_S = 5.5


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Deployment]:
    """A claim of two cores; on a machine of one both workers share it."""
    cores = sorted(os.sched_getaffinity(0))
    with deploy(
        ARCHITECTURE,
        ARCHITECTURE.variants[0],
        ensemble=CHOICE,
        policy=ServingPolicy(),
        claim=ResourceClaim((cores[0], cores[-1]), 1 << 30),
        log_directory=tmp_path / "logs",
    ) as deployment:
        yield deployment


def workers(deployment: Deployment) -> list[psutil.Process]:
    return psutil.Process(deployment.pids()["server"]).children()


def answer(deployment: Deployment) -> int:
    """The pid that answers on a connection of its own."""
    return int(httpx.get(deployment.url + "/v1/info", timeout=20).json()["pid"])


def test_connections_are_spread_and_metrics_are_of_all_workers(two_workers: Deployment) -> None:
    pids = {process.pid for process in workers(two_workers)}
    assert len(pids) == 2
    assert {answer(two_workers) for _ in range(40)} == pids
    for _ in range(10):
        headers = {"Content-Type": "text/plain"}
        url = two_workers.url + "/v1/guess"
        assert httpx.post(url, content=b"the fox", headers=headers, timeout=20).status_code == 200
    text = httpx.get(two_workers.url + "/metrics", timeout=20).text
    assert 'servebench_requests_total{graph="guess",status="200"} 10.0' in text
    assert "servebench_in_flight 0.0" in text


def test_a_dead_worker_is_replaced(two_workers: Deployment) -> None:
    sleep(SETTLED_S)
    dead, other = workers(two_workers)
    os.kill(dead.pid, signal.SIGKILL)
    end = monotonic() + 20
    while len(new := {p.pid for p in workers(two_workers)} - {dead.pid, other.pid}) != 1:
        assert monotonic() < end, "nobody took its place"
        sleep(0.05)
    assert {answer(two_workers) for _ in range(40)} == {other.pid, *new}
    assert not two_workers.exited()


def test_a_worker_that_dies_at_once_ends_the_server(two_workers: Deployment) -> None:
    os.kill(workers(two_workers)[0].pid, signal.SIGKILL)
    end = monotonic() + 20
    while not (ended := two_workers.exited()):
        assert monotonic() < end, "the server goes on as if nothing had happened"
        sleep(0.05)
    assert ended[0].status == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(two_workers: Deployment, number: signal.Signals) -> None:
    processes = workers(two_workers)
    os.kill(two_workers.pids()["server"], number)
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive


def test_the_queue_bound_is_split_without_loss() -> None:
    assert shares(64, 3) == [22, 21, 21]
    assert shares(1, 3) == [1, 1, 1]


@pytest.mark.parametrize(
    ("cores", "threads", "device", "workers"),
    [(1, 1, "cpu", 1), (4, 1, "cpu", 4), (4, 2, "cpu", 2), (2, 4, "cpu", 1), (8, 1, "cuda", 1)],
)
def test_workers_and_their_threads_fit_the_cores(
    cores: int, threads: int, device: str, workers: int
) -> None:
    config = ServerConfig(
        "monolith",
        "default",
        EnsembleChoice("x", "t", device),
        ServingPolicy(torch_threads=threads),
        cores,
        "n",
        0,
        "",
        ("server",),
    )
    assert worker_count(config) == workers
