"""A real service process, spoken to over loopback: raw messages, and the gateway's hop."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns, sleep
from typing import Any

import httpx
import numpy as np
import pytest

from architectures import wire
from architectures.contract import Problem
from architectures.microservices import ARCHITECTURE
from architectures.microservices.hop import Hop, Pace
from architectures.microservices.over_http.sender import HttpTransport, open_session
from architectures.server_config import ServerConfig
from architectures.spec import EnsembleChoice, ServingPolicy
from architectures.walk import StageResult

ROOT = Path(__file__).resolve().parents[2]
POLICY = ServingPolicy(max_batch=8, queue_bound=24)
BATCHED = Pace(8, 1, 0.0)
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
    time.sleep(max(member.get("sleep_s", 0.0) for member in batch))
    return [one(member) for member in batch]

def one(member):
    if "mark" in member:
        Path(member["mark"]).touch()
    if member.get("fail"):
        raise RuntimeError("as asked")
    if member.get("refuse"):
        return Problem("no", 422, "No.")
    return {"image": member["image"] + 1, "bytes": b"raw", "odd": object} if member.get(
        "unsendable") else {"image": member["image"] + 1, "bytes": b"raw"}

describe = examples = None
"""


@dataclass(frozen=True)
class Service:
    process: subprocess.Popen[bytes]
    url: str
    log: Path


Start = Callable[[], Service]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "probe_ensemble.py").write_text(ENSEMBLE)
    started: list[subprocess.Popen[bytes]] = []

    def run() -> Service:
        config = ServerConfig(
            architecture="microservices",
            variant="fused_cpu",
            ensemble=EnsembleChoice("probe_ensemble", "only", search_path=(str(folder),)),
            policy=POLICY,
            cores=1,
            nonce="n",
            port=free_port(),
            directory=str(folder),
            components=(),
            options=ARCHITECTURE.variants[0].options,
            role="service-probe",
        )
        log = folder / f"{config.port}.log"
        process = subprocess.Popen(
            [sys.executable, "-m", "architectures.microservices.service"],
            cwd=ROOT,
            env={**os.environ, **config.environment()},
            stderr=log.open("wb"),
        )
        started.append(process)
        url = f"http://127.0.0.1:{config.port}"
        await_ready(process, url, log)
        return Service(process, url, log)

    yield run
    for process in started:
        process.kill()
        process.wait()


def await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end_ns = monotonic_ns() + 60_000_000_000
    while monotonic_ns() < end_ns:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(url + "/readyz").status_code == 200:
                return
        except httpx.TransportError:
            sleep(0.05)
    pytest.fail(f"not ready in a minute: {log.read_text()}")


@pytest.fixture(scope="module")
def service(start: Start) -> Service:
    return start()


def calls(*members: Mapping[str, Any]) -> bytes:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    return bytes(wire.encode_calls([{"image": image, **member} for member in members]))


def post(service: Service, message: bytes, path: str = "/stages/probe") -> httpx.Response:
    return httpx.post(service.url + path, content=message, timeout=30)


def test_members_of_one_message_share_a_batch(service: Service) -> None:
    replies = wire.decode_replies(post(service, calls({}, {}, {}, {"refuse": True})).content)
    first, refusal = replies[0], replies[3]
    assert isinstance(first, StageResult)
    assert first.batch_size == 4
    assert first.outputs["image"].tolist() == (np.arange(12).reshape(2, 2, 3) + 1).tolist()
    assert first.outputs["image"].dtype == np.uint8
    assert first.outputs["bytes"] == b"raw"
    assert isinstance(refusal, Problem)
    assert (refusal.slug, refusal.status, refusal.detail) == ("no", 422, "No.")


def test_a_failing_stage_fails_its_members_and_lives_on(service: Service) -> None:
    (reply,) = wire.decode_replies(post(service, calls({"fail": True}, {}, {})).content)[:1]
    assert isinstance(reply, Problem)
    assert (reply.slug, reply.status) == ("stage-failed", 500)
    assert service.log.read_text().count("RuntimeError: as asked") == 1
    (reply,) = wire.decode_replies(post(service, calls({})).content)
    assert isinstance(reply, StageResult)


@pytest.mark.parametrize(
    ("message", "path", "status", "words"),
    [
        (b"", "/stages/probe", 400, "cut short"),
        (b"[[1, 2, 3]]", "/stages/probe", 400, "another first word"),
        (calls({}), "/stages/prob", 404, "/stages/probe"),
        (calls({}), "/", 404, "/stages/probe"),
        (calls(*[{}] * (POLICY.queue_bound + 1)), "/stages/probe", 503, "24 places"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(
    service: Service, message: bytes, path: str, status: int, words: str
) -> None:
    response = post(service, message, path)
    assert response.status_code == status
    assert words in response.text


def test_a_stage_is_posted_to(service: Service) -> None:
    assert httpx.get(service.url + "/stages/probe").status_code == 405


@asynccontextmanager
async def hop_to(url: str, pace: Pace = BATCHED) -> AsyncIterator[Hop]:
    async with open_session(POLICY) as session:
        yield Hop("probe", HttpTransport(url, session), pace)


def inputs(**extra: Any) -> dict[str, Any]:
    return {"image": np.zeros((4, 4, 3), np.uint8), **extra}


def sizes(results: Sequence[StageResult]) -> list[int]:
    return [result.batch_size for result in results]


def test_calls_of_one_turn_travel_together(service: Service) -> None:
    async def scene() -> list[StageResult]:
        async with hop_to(service.url) as hop:
            return await asyncio.gather(*[hop.call(inputs()) for _ in range(10)])

    assert sizes(asyncio.run(scene())) == [8] * 8 + [2] * 2


def test_calls_gather_while_the_service_is_busy(service: Service) -> None:
    async def scene() -> list[StageResult]:
        async with hop_to(service.url) as hop:
            first = hop.call(inputs(sleep_s=0.3))
            await asyncio.sleep(0.05)
            later = []
            for _ in range(5):
                later.append(hop.call(inputs()))
                await asyncio.sleep(0.01)
            return await asyncio.gather(first, *later)

    first, *later = asyncio.run(scene())
    assert first.batch_size == 1
    assert sizes(later) == [5] * 5
    assert later[0].queue_ns > 100_000_000


def test_a_first_call_waits_for_others_as_long_as_the_policy_says(service: Service) -> None:
    async def scene() -> tuple[list[StageResult], list[StageResult]]:
        async with hop_to(service.url, Pace(8, 1, 0.3)) as hop:
            early = hop.call(inputs())
            await asyncio.sleep(0.05)
            pair = await asyncio.gather(early, hop.call(inputs()))
            full = await asyncio.gather(*[hop.call(inputs()) for _ in range(8)])
            return pair, full

    pair, full = asyncio.run(scene())
    assert sizes(pair) == [2, 2]
    assert pair[0].queue_ns > 200_000_000
    assert sizes(full) == [8] * 8
    assert full[0].queue_ns < 200_000_000, "a full message waits for nobody"


def test_a_call_for_each_message_leaves_batching_to_the_service(service: Service) -> None:
    async def scene() -> list[StageResult]:
        async with hop_to(service.url, Pace(1, 24, 0.0)) as hop:
            first = hop.call(inputs(sleep_s=0.5))
            await asyncio.sleep(0.1)
            return await asyncio.gather(first, *[hop.call(inputs()) for _ in range(6)])

    first, *later = asyncio.run(scene())
    assert first.batch_size == 1
    assert max(sizes(later)) > 1


def test_a_refusal_is_raised_as_the_stage_worded_it(service: Service) -> None:
    async def scene() -> list[StageResult | BaseException]:
        async with hop_to(service.url) as hop:
            both = [hop.call(inputs(refuse=True)), hop.call(inputs())]
            return await asyncio.gather(*both, return_exceptions=True)

    refusal, result = asyncio.run(scene())
    assert isinstance(refusal, Problem)
    assert refusal.args == ("no", 422, "No.")
    assert isinstance(result, StageResult)


@pytest.mark.parametrize("extra", [{"unsendable": True}, {"secret": object()}], ids=["out", "in"])
def test_a_value_that_cannot_travel_is_the_servers_fault(
    service: Service, extra: dict[str, Any]
) -> None:
    async def scene() -> None:
        async with hop_to(service.url) as hop:
            await hop.call(inputs(**extra))

    with pytest.raises(Problem) as caught:
        asyncio.run(scene())
    assert (caught.value.slug, caught.value.status) == ("stage-failed", 500)


def test_a_waiting_call_that_is_cancelled_never_runs(service: Service, tmp_path: Path) -> None:
    async def scene() -> StageResult:
        async with hop_to(service.url) as hop:
            busy = hop.call(inputs(sleep_s=0.3))
            await asyncio.sleep(0.1)
            dropped = hop.call(inputs(mark=str(tmp_path / "dropped")))
            kept = hop.call(inputs(mark=str(tmp_path / "kept")))
            dropped.cancel()
            await busy
            return await kept

    assert asyncio.run(scene()).batch_size == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_sent_call_that_is_cancelled_leaves_the_service_s_queue(
    service: Service, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with hop_to(service.url, Pace(1, 24, 0.0)) as hop:
            busy = hop.call(inputs(sleep_s=0.6))
            await asyncio.sleep(0.1)
            dropped = hop.call(inputs(mark=str(tmp_path / "dropped")))
            await asyncio.sleep(0.2)
            dropped.cancel()
            await busy
            await hop.call(inputs())

    asyncio.run(scene())
    assert not list(tmp_path.iterdir())


def test_a_stopped_service_ends_what_it_runs_and_is_then_reported(start: Start) -> None:
    service = start()

    async def scene() -> StageResult:
        async with open_session(POLICY) as session:
            transport = HttpTransport(service.url, session)
            hop = Hop("probe", transport, BATCHED)
            assert await transport.is_ready()
            running = hop.call(inputs(sleep_s=0.4))
            await asyncio.sleep(0.15)
            service.process.send_signal(signal.SIGTERM)
            result = await running
            await asyncio.to_thread(service.process.wait, 20)
            assert not await transport.is_ready()
            with pytest.raises(Problem) as caught:
                await hop.call(inputs())
            assert (caught.value.slug, caught.value.status) == ("stage-unavailable", 503)
            return result

    assert asyncio.run(scene()).batch_size == 1
    assert service.process.returncode in (0, -signal.SIGTERM)
