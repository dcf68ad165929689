"""A real Ray and a real HAProxy: equal footing while they run, and nothing left after a SIGKILL.

Ray's daemons leave their parent's session and HAProxy outlives a killed driver, so this is the
architecture most able to stay behind.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.leftovers import alive, each

pytest.importorskip("ray", reason="Ray is not installed")

HARNESS = """
import os, sys, time
from pathlib import Path
from architectures.catalog import parse
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy
from harness.deploy import deploy
architecture, variant = parse(sys.argv[1])
choice = EnsembleChoice("language_guess", "plain", search_path=(sys.argv[2],))
claim = ResourceClaim(tuple(map(int, sys.argv[4:])), 2**32)
with deploy(architecture, variant, ensemble=choice, policy=ServingPolicy(), claim=claim,
            log_directory=Path(sys.argv[3]), startup_timeout_s=240) as deployment:
    print(deployment.keeper.pid, deployment.pids()["driver"], deployment.url, flush=True)
    while not deployment.exited():
        time.sleep(0.1)
"""
ROOT = Path(__file__).parents[2]
LEFT_AFTER_S = 20.0
# Where Ray and HAProxy would put their files if they were not told otherwise.
SHARED_PLACES = ("/tmp/ray", "/tmp/haproxy-serve", str(Path.home() / ".ray"))  # noqa: S108
SHARED_MEMORY = "/dev/shm/"  # noqa: S108 - where the kernel keeps it
CORES = tuple(sorted(os.sched_getaffinity(0)))[-2:]
CORE = CORES[-1]


@dataclass
class Running:
    """A deployment held by a harness process of its own, and what it consists of."""

    harness: "subprocess.Popen[str]"
    keeper: psutil.Process
    driver: psutil.Process
    url: str
    directory: Path
    processes: list[psutil.Process]
    existed: dict[str, float]

    def each(self, ask: Callable[[psutil.Process], Any]) -> list[Any]:
        """An answer a process. HAProxy replaces itself, so some end while they are asked."""
        return each(self.processes, ask)

    def listening(self) -> dict[int, set[str]]:
        """Port -> the addresses its listeners are bound to."""
        found: dict[int, set[str]] = {}
        for connections in self.each(lambda process: process.net_connections("inet")):
            for connection in connections:
                if connection.status == psutil.CONN_LISTEN:
                    found.setdefault(connection.laddr.port, set()).add(connection.laddr.ip)
        return found

    def shared_memory(self) -> set[str]:
        """Shared-memory files that its processes have mapped."""
        paths = {
            region.path
            for regions in self.each(lambda process: process.memory_maps())
            for region in regions
        }
        return {path for path in paths if path.startswith(SHARED_MEMORY)}


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    existed = _changed_at(SHARED_PLACES)
    variant, cores = request.param
    second = str(ROOT / "tests/second_ensemble")
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, variant, second, tmp_path, *map(str, cores)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert harness.stdout is not None
    try:
        line = harness.stdout.readline()
        assert line, "the deployment did not come up; its logs are shown above"
        keeper, driver = (psutil.Process(int(word)) for word in line.split()[:2])
        yield Running(
            harness,
            keeper,
            driver,
            line.split()[2],
            Path(driver.environ()["HOME"]),
            keeper.children(recursive=True),
            existed,
        )
    finally:
        harness.kill()
        harness.wait()


def _changed_at(paths: tuple[str, ...]) -> dict[str, float]:
    return {path: os.stat(path).st_ctime for path in paths if Path(path).exists()}  # noqa: PTH116


@pytest.mark.parametrize("running", [("ray_serve:tuned", (CORE,))], indirect=True, ids=["tuned"])
def test_a_killed_harness_leaves_no_trace_of_ray_or_haproxy(running: Running) -> None:
    _check_equal_footing(running)
    ports, segments = set(running.listening()), running.shared_memory()
    running.harness.kill()
    _expect_no_trace(running, ports, segments)


@pytest.mark.parametrize(
    "running", [("ray_serve:default_fused", CORES)], indirect=True, ids=["default_fused"]
)
def test_a_killed_driver_leaves_no_trace(running: Running) -> None:
    ports, segments = set(running.listening()), running.shared_memory()
    assert {*running.each(lambda process: process.nice())} == {psutil.Process().nice()}
    running.driver.kill()
    running.harness.wait(LEFT_AFTER_S)  # it notices, and ends the deployment as it always does
    _expect_no_trace(running, ports, segments)


def _check_equal_footing(running: Running) -> None:
    names = str(running.each(lambda process: " ".join(process.cmdline())))
    for part in ("raylet", "gcs_server", "ServeController", "ServeReplica", "haproxy -db"):
        assert part in names
    assert {*running.each(lambda process: process.nice())} == {psutil.Process().nice()}
    assert {*running.each(lambda process: tuple(process.cpu_affinity()))} == {(CORE,)}
    loopback = {"127.0.0.1", "::ffff:127.0.0.1"}
    exposed = {port: ips for port, ips in running.listening().items() if not ips <= loopback}
    assert exposed == {}


def _expect_no_trace(running: Running, ports: set[int], segments: set[str]) -> None:
    end = time.monotonic() + LEFT_AFTER_S
    processes = (*running.processes, running.keeper)
    while alive(processes) and time.monotonic() < end:
        time.sleep(0.1)
    assert alive(processes) == []
    assert _mentions(running.directory) == []
    assert not running.directory.exists()
    assert urlsplit(running.url).port in ports
    assert ports.isdisjoint(_all_listening())
    assert [path for path in segments if Path(path).exists()] == []
    assert _changed_at(SHARED_PLACES) == running.existed


def _mentions(directory: Path) -> list[str]:
    """Processes that name the deployment's directory in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            told = [*process.cmdline(), *process.environ().values()]
            if process.pid != os.getpid() and any(str(directory) in text for text in told):
                found.append(" ".join(process.cmdline()))
    return found


def _all_listening() -> set[int]:
    connections = psutil.net_connections("inet")
    return {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}
