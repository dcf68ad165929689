"""Real stage services of one probing stage, by any transport; all end with the block.

The stage does what its member's inputs ask: ``mark`` touches a file, ``sleep_s`` sleeps,
``until`` waits for a file, ``refuse`` refuses, ``fail`` raises, ``odd`` returns what cannot travel.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic_ns, sleep
from typing import Any

import httpx

from architectures.microservices import ARCHITECTURE
from architectures.microservices.hop import Transport
from architectures.microservices.over_broker import BROKER
from architectures.microservices.over_broker.mailbox import open_mailbox
from architectures.microservices.over_broker.sender import BrokerTransport
from architectures.microservices.over_grpc.sender import connect
from architectures.server_config import ServerConfig
from architectures.spec import EnsembleChoice, ServingPolicy
from harness.ports import PORTS

ROOT = Path(__file__).resolve().parents[1]
POLICY = ServingPolicy(max_batch=8, queue_bound=24)
SERVICE = "service-probe"
READY_WITHIN_S = 60
ENSEMBLE = """
import time
from pathlib import Path
from architectures.contract import Problem
from architectures.graph import Graph, Node
from architectures.plugin import StageSpec

TIERS, MEDIA_TYPES = ("only",), ("text/plain",)
STAGES = {"probe": StageSpec("probe", "model")}
GRAPHS = {"g": Graph("g", (Node("probe", {"image": "request.body"}),), answer="probe.total")}

def load_stage(name, tier, device, threads):
    return run

def run(batch):
    for member in batch:
        if "mark" in member:
            with Path(member["mark"]).open("a") as file:
                file.write("run ")
    time.sleep(max(member.get("sleep_s", 0.0) for member in batch))
    for member in batch:
        while "until" in member and not Path(member["until"]).exists():
            time.sleep(0.01)
    return [one(member) for member in batch]

def one(member):
    if member.get("fail"):
        raise RuntimeError("as asked")
    if member.get("refuse"):
        return Problem("no", 422, "No.")
    return {**member, "odd": object()} if member.get("odd") else {**member, "more": b"raw"}

describe = examples = None
"""


@dataclass
class Services:
    """Services of the probing stage behind one transport.

    Attributes:
        processes: of the services, in start order.
    """

    transport: str
    folder: Path
    peers: dict[str, str]
    stack: ExitStack
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def config(self) -> ServerConfig:
        (variant,) = (v for v in ARCHITECTURE.variants if v.name == self.transport)
        choice = EnsembleChoice("probe_ensemble", "only", search_path=(str(self.folder),))
        return ServerConfig(
            architecture="microservices",
            variant=variant.name,
            ensemble=choice,
            policy=POLICY,
            cores=1,
            nonce="n",
            port=PORTS.free(),
            directory=str(self.folder),
            components=(),
            options=variant.options,
            role=SERVICE,
            peers=self.peers,
        )

    def start(self) -> subprocess.Popen[bytes]:
        """One more service; it is ready when this returns."""
        process = self.stack.enter_context(
            running("architectures.microservices.service", self.config())
        )
        self.processes.append(process)
        return process

    def log(self) -> str:
        """What the services of this folder said."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[Transport]:
        """A gateway's transport to them."""
        async with open_transport(self.transport, self.peers) as transport:
            yield transport


@contextmanager
def services(transport: str, folder: Path) -> Iterator[Services]:
    """None yet, but where they will be; the broker, where they need one."""
    (folder / "probe_ensemble.py").write_text(ENSEMBLE)
    port = PORTS.free()
    peers = {SERVICE: f"127.0.0.1:{port}"}
    if transport == "broker":
        peers = {BROKER: f"redis://:secret@127.0.0.1:{port}"}
    with ExitStack() as stack:
        made = Services(transport, folder, peers, stack)
        if transport == "broker":
            config = made.config()
            options = {**config.options, "broker_memory_bytes": 64 * 1024 * 1024}
            config = replace(config, role=BROKER, options=options)
            name = "architectures.microservices.over_broker.redis_server"
            stack.enter_context(running(name, config))
        yield made


@contextmanager
def running(module: str, config: ServerConfig) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers ``/readyz``, until the block ends."""
    log = Path(config.directory, f"{config.port}.log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**os.environ, **config.environment()},
            stdout=out,
            stderr=out,
        )
    try:
        _await_ready(process, f"http://127.0.0.1:{config.port}/readyz", log)
        yield process
    finally:
        process.kill()
        process.wait()


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end_ns = monotonic_ns() + READY_WITHIN_S * 1_000_000_000
    while monotonic_ns() < end_ns:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            sleep(0.05)
    raise AssertionError(f"not ready in time: {log.read_text()}")


def open_transport(
    transport: str, peers: Mapping[str, str]
) -> AbstractAsyncContextManager[Transport]:
    """A gateway's transport to the services at ``peers``."""
    if transport == "grpc":
        return connect(peers[SERVICE], POLICY)
    return _through_broker(peers[BROKER])


@asynccontextmanager
async def _through_broker(url: str) -> AsyncIterator[Transport]:
    async with open_mailbox(url, POLICY.queue_bound) as mailbox:
        yield BrokerTransport(mailbox, ("probe",))


async def appears(path: Path) -> None:
    """Wait for a file."""
    await asyncio.to_thread(_await_file, path)


def _await_file(path: Path) -> None:
    end_ns = monotonic_ns() + READY_WITHIN_S * 1_000_000_000
    while not path.exists():
        assert monotonic_ns() < end_ns, f"{path} does not appear"
        sleep(0.01)


def inputs(**extra: Any) -> dict[str, Any]:
    """A member of the probing stage."""
    return {"image": 1, **extra}
