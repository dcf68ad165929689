"""Real processes: what comes up, what is said when it does not, and that nothing stays behind."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import harness.deploy as harness_deploy
from architectures.spec import (
    Architecture,
    Blueprint,
    Component,
    EnsembleChoice,
    Launch,
    ResourceClaim,
    ServingPolicy,
    Variant,
)
from harness.deploy import Deployment, deploy
from harness.kept import DeployError
from harness.ports import Ports

SERVER = """
import json, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import shared_memory, resource_tracker
port, nonce, habit = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if habit == "crashes":
    print("the weights are missing", flush=True); sys.exit(7)
if habit == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if habit == "daemons":
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)
        os._exit(0)
if habit == "shares":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    segment = shared_memory.SharedMemory(create=True, size=4096)
    resource_tracker.unregister(segment._name, "shared_memory")
    open("segment", "w").write(segment.name)
    os.environ["SEGMENT"] = segment.name
if habit == "dies":
    threading.Timer(0.5, lambda: os._exit(3)).start()
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        info = {"nonce": nonce, "architecture": "toy", "variant": habit,
                "env": dict(os.environ), "cores": sorted(os.sched_getaffinity(0)),
                "cwd": os.getcwd(), "pid": os.getpid()}
        body = json.dumps(info).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *args): pass
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where the kernel keeps it
CORE = max(os.sched_getaffinity(0))
CLAIM = ResourceClaim((CORE,), 2**30)
CHOICE = EnsembleChoice("nothing", "tiny", search_path=("/somewhere",))


def _blueprint(launch: Launch) -> Blueprint:
    port = launch.port()
    url = f"http://127.0.0.1:{port}"
    nonce = "another" if launch.variant.name == "stale" else launch.nonce
    argv = (sys.executable, "-c", SERVER, str(port), nonce, launch.variant.name)
    return Blueprint((Component("server", argv, url + "/readyz", {"GIVEN": "yes"}),), url)


HABITS = ("plain", "crashes", "stubborn", "daemons", "shares", "dies", "stale")
TOY = Architecture("toy", "A toy.", tuple(Variant(habit, habit) for habit in HABITS), _blueprint)


def _deploy(habit: str, logs: Path, timeout_s: float = 30.0) -> AbstractContextManager[Deployment]:
    return deploy(
        TOY,
        Variant(habit, habit),
        ensemble=CHOICE,
        policy=ServingPolicy(),
        claim=CLAIM,
        log_directory=logs,
        startup_timeout_s=timeout_s,
    )


def _listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port)) == 0


def _processes_in(directory: str) -> list[int]:
    """Processes whose working directory is the deployment's, gone or not."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                cwd = str((entry / "cwd").readlink())
            except OSError:
                continue
            if cwd.removesuffix(" (deleted)") == directory:
                found.append(int(entry.name))
    return found


def _assert_nothing_left(url: str, directory: str) -> None:
    assert not _listening(url)
    assert _processes_in(directory) == []
    assert not Path(directory).exists()


def test_comes_up_as_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "17")
    with _deploy("plain", tmp_path / "logs") as deployment:
        info = deployment.info
        assert deployment.components == ("server",)
        assert deployment.pids() == {"server": info["pid"]}
        assert deployment.start_up_s > 0
        assert deployment.exited() == ()
        assert info["cores"] == [CORE]
        assert "OMP_NUM_THREADS" not in info["env"]
        assert info["env"]["GIVEN"] == "yes"
        assert info["env"]["HOME"] == info["cwd"]
        assert info["env"]["PYTHONPATH"].split(os.pathsep)[0] == "/somewhere"
        assert os.sched_getaffinity(deployment.keeper.pid) != {CORE}
    _assert_nothing_left(deployment.url, info["cwd"])


@pytest.mark.parametrize("habit", ["daemons", "stubborn"])
def test_leaves_nothing(habit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness_deploy, "STOP_GRACE_S", 0.5)
    with _deploy(habit, tmp_path) as deployment:
        directory = deployment.info["cwd"]
        assert len(_processes_in(directory)) == (2 if habit == "daemons" else 1)
    _assert_nothing_left(deployment.url, directory)


def test_removes_shared_memory_of_the_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness_deploy, "STOP_GRACE_S", 0.2)
    with _deploy("shares", tmp_path) as deployment:
        segment = Path(SHARED_MEMORY, Path(deployment.info["cwd"], "segment").read_text())
        assert segment.exists()
    assert not segment.exists()


def test_crash_at_start_names_component_code_and_log(tmp_path: Path) -> None:
    with pytest.raises(DeployError) as caught, _deploy("crashes", tmp_path):
        pass
    words = str(caught.value)
    assert "component 'server' ended with exit code 7" in words
    assert "the weights are missing" in words
    assert str(tmp_path / "server.log") in words


def test_never_ready_ends_in_words(tmp_path: Path) -> None:
    def blueprint(launch: Launch) -> Blueprint:
        argv = (sys.executable, "-c", "import time; print('loading'); time.sleep(99)")
        url = f"http://127.0.0.1:{launch.port()}"
        return Blueprint((Component("slow", argv, url),), url)

    toy = Architecture("toy", "", (Variant("v", ""),), blueprint)
    with (
        pytest.raises(DeployError, match="'slow' did not get ready in time"),
        deploy(
            toy,
            toy.variants[0],
            ensemble=CHOICE,
            policy=ServingPolicy(),
            claim=CLAIM,
            log_directory=tmp_path,
            startup_timeout_s=1.0,
        ),
    ):
        pass


def test_no_such_command(tmp_path: Path) -> None:
    def blueprint(launch: Launch) -> Blueprint:
        url = f"http://127.0.0.1:{launch.port()}"
        return Blueprint((Component("ghost", ("no-such-command-at-all",), url),), url)

    toy = Architecture("toy", "", (Variant("v", ""),), blueprint)
    with (
        pytest.raises(DeployError, match="cannot start 'no-such-command-at-all'"),
        deploy(
            toy,
            toy.variants[0],
            ensemble=CHOICE,
            policy=ServingPolicy(),
            claim=CLAIM,
            log_directory=tmp_path,
        ),
    ):
        pass


def test_a_stale_server_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(DeployError, match="answered by another deployment"),
        _deploy("stale", tmp_path),
    ):
        pass


def test_says_which_component_died(tmp_path: Path) -> None:
    with _deploy("dies", tmp_path) as deployment:
        deadline_ns = time.monotonic_ns() + 20 * 10**9
        while not deployment.exited() and time.monotonic_ns() < deadline_ns:
            time.sleep(0.05)
        assert [str(exit_) for exit_ in deployment.exited()] == [
            "component 'server' ended with exit code 3"
        ]


HARNESS = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
import test_deploy as t
t.harness_deploy.STOP_GRACE_S = 1.0
with t._deploy(sys.argv[1], Path(sys.argv[2])) as deployment:
    print(deployment.url, deployment.info["cwd"], deployment.keeper.pid, flush=True)
    time.sleep(100)
"""


@pytest.mark.parametrize(
    ("habit", "number"),
    [
        ("plain", signal.SIGKILL),
        ("daemons", signal.SIGKILL),
        ("stubborn", signal.SIGKILL),
        ("shares", signal.SIGKILL),
        ("daemons", signal.SIGTERM),
        ("daemons", signal.SIGINT),
    ],
)
def test_harness_ended_by_any_signal_leaves_nothing(
    habit: str, number: signal.Signals, tmp_path: Path
) -> None:
    argv = [sys.executable, "-c", textwrap.dedent(HARNESS), habit, str(tmp_path)]
    here = Path(__file__).parent
    with subprocess.Popen(
        [*argv, str(here)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=here.parent.parent,
    ) as harness:
        assert harness.stdout is not None
        url, directory, keeper = harness.stdout.readline().split()
        segment = Path(directory, "segment")
        shared = Path(SHARED_MEMORY, segment.read_text()) if segment.exists() else None
        harness.send_signal(number)
        harness.wait(30)
    deadline_ns = time.monotonic_ns() + 30 * 10**9
    while Path("/proc", keeper).exists() and time.monotonic_ns() < deadline_ns:
        time.sleep(0.05)
    _assert_nothing_left(url, directory)
    assert shared is None or not shared.exists()


def test_ports_are_never_handed_out_twice_and_lie_below_the_ephemeral_range() -> None:
    ports = Ports()
    given = [ports.free() for _ in range(200)]
    assert len(set(given)) == len(given)
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(given) < low
