"""Real deployments of every architecture and variant, each started once for all its tests."""

import asyncio
import json
import os
import re
import socket
import struct
import subprocess
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from architectures import catalog
from architectures.catalog import CatalogError
from architectures.contract import graph_path
from architectures.in_process import COMMAND, InProcessRequest
from architectures.plugin import Example, load_ensemble
from architectures.spec import Architecture, EnsembleChoice, ResourceClaim, ServingPolicy, Variant
from harness.deploy import Deployment, deploy
from harness.remote import REMOTE

SECOND = str(Path(__file__).parents[1] / "second_ensemble")
CHOICES = {
    "tagging": EnsembleChoice("architectures.ensemble", "tiny"),
    "language": EnsembleChoice("language_guess", "plain", search_path=(SECOND,)),
}
POLICY = ServingPolicy(queue_bound=48)
REFERENCES = 200
LEFT_WITHIN_S = 15.0


@dataclass(frozen=True)
class Refusal:
    """A bad request and the problem it must be answered with."""

    name: str
    body: bytes
    media_type: str
    status: int
    slug: str


@dataclass(frozen=True)
class Subject:
    """What is served, what is asked and what must come back."""

    choice: EnsembleChoice
    graph: str
    examples: Sequence[Example]
    references: Sequence[Any]
    refusals: Sequence[Refusal]

    @property
    def path(self) -> str:
        return graph_path(self.graph)


@dataclass(frozen=True)
class Sut:
    """One deployment under test."""

    architecture: Architecture
    variant: Variant
    subject: Subject
    deployment: Deployment

    @property
    def url(self) -> str:
        return self.deployment.url

    @property
    def instant(self) -> bool:
        """A service without delay: it need not be late or full, however many ask."""
        if self.architecture.answers:
            return self.subject.choice is CHOICES["language"]
        return not self.variant.options

    def is_right(self, index: int, document: Any) -> bool:
        """Whether a document answers example ``index``."""
        if not self.architecture.answers:
            return set(document) == {"index", "delay_ns"}
        return close(document, self.subject.references[index])


def close(answer: Any, reference: Any) -> bool:
    """Equal, but for floats, which may differ by 1e-4: a batch sums in another order."""
    if isinstance(reference, Mapping):
        return (
            isinstance(answer, Mapping)
            and answer.keys() == reference.keys()
            and all(close(answer[key], reference[key]) for key in reference)
        )
    if isinstance(reference, list):
        return (
            isinstance(answer, list)
            and len(answer) == len(reference)
            and all(map(close, answer, reference))
        )
    if isinstance(reference, float):
        return isinstance(answer, float) and abs(answer - reference) <= 1e-4
    return type(answer) is type(reference) and answer == reference


def _bomb() -> bytes:
    """A PNG of a few bytes that says it has 900 million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _refusals(name: str, example: Example) -> list[Refusal]:
    body, kind = example.body, example.media_type
    common = [
        Refusal("empty", b"", kind, 400, "empty-body"),
        Refusal("media type", body, "application/json", 415, "unsupported-media-type"),
        Refusal("no media type", body, "", 415, "unsupported-media-type"),
    ]
    if name == "language":
        return [*common, Refusal("not text", b"\xff\xfe", kind, 422, "not-text")]
    return [
        *common,
        Refusal("not an image", b"hello, I am no image", kind, 422, "not-an-image"),
        Refusal("truncated", body[: len(body) // 2], kind, 422, "truncated-image"),
        Refusal("bomb", _bomb(), "image/png", 422, "image-too-large"),
    ]


@cache
def subject(name: str, directory: Path) -> Subject:
    """An ensemble's requests and the answers it gives with no server around it."""
    choice = CHOICES[name]
    ensemble = load_ensemble(choice)
    (graph,) = ensemble.GRAPHS
    examples = ensemble.examples("load", REFERENCES, 11)
    payloads, out = directory / f"{name}.parquet", directory / f"{name}.jsonl"
    columns = {
        "media_type": [example.media_type for example in examples],
        "body": pa.array([example.body for example in examples], pa.binary()),
    }
    pq.write_table(pa.table(columns), payloads)
    request = InProcessRequest("references", choice, graph, str(payloads), out=str(out))
    subprocess.run(COMMAND, input=request.to_json(), check=True, timeout=240)
    references = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return Subject(choice, graph, examples, references, _refusals(name, examples[0]))


def _suts() -> list[tuple[str, str]]:
    """Every variant serves the built-in ensemble, every architecture the second one too."""
    listed = []
    for name in catalog.names():
        if name == REMOTE:
            continue  # nothing of ours to deploy; tests/unit/test_remote.py attaches to some
        try:
            architecture = catalog.find(name)
        except CatalogError:
            listed.append((name, "language"))  # the fixture skips it by name
            continue
        subjects = [
            (variant.name, "tagging" if architecture.answers else "language")
            for variant in architecture.variants
        ]
        if architecture.answers:
            subjects.append((architecture.variants[0].name, "language"))
        listed += [(f"{name}:{variant}", served) for variant, served in subjects]
    return listed


@pytest.fixture(scope="session", params=_suts(), ids=lambda listed: f"{listed[0]}-{listed[1]}")
def sut(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sut]:
    """A running deployment; when its tests are over, ending it must leave nothing behind."""
    reference, served = request.param
    try:
        architecture, variant = catalog.parse(reference)
    except CatalogError as error:
        pytest.skip(str(error))
    asked = subject(served, tmp_path_factory.getbasetemp())
    memory = _shared_memory()
    with deploy(
        architecture,
        variant,
        ensemble=asked.choice,
        policy=POLICY,
        claim=ResourceClaim((max(os.sched_getaffinity(0)),), 1 << 32),
        log_directory=tmp_path_factory.mktemp("logs"),
        startup_timeout_s=240,
    ) as deployment:
        yield Sut(architecture, variant, asked, deployment)
        keeper = psutil.Process(deployment.keeper.pid)
        processes = [keeper, *keeper.children(recursive=True)]
        assert not deployment.exited()
    _, alive = psutil.wait_procs(processes, timeout=LEFT_WITHIN_S)
    assert not alive, "processes outlived their deployment"
    target = urlsplit(deployment.url)
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind((target.hostname, target.port))
    pids = {str(process.pid) for process in processes}
    assert not [name for name in _shared_memory() - memory if pids & set(re.split("[-_]", name))]


def _shared_memory() -> set[str]:
    """Names of segments. Other programs make some too; ours hold a pid of one of our processes."""
    place = Path("/dev/shm")  # noqa: S108 - where the kernel keeps them
    return {path.name for path in place.iterdir()} if place.exists() else set()


class RawConnection:
    """One HTTP/1.1 connection, to do what a well-behaved client would not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        lines = [f"POST {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[list[RawConnection]]:
    """Open connections first, so that what is sent on them arrives all at once."""
    target = urlsplit(url)
    opened = [
        RawConnection(*await asyncio.open_connection(target.hostname, target.port))
        for _ in range(count)
    ]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.writer.close()


@pytest.fixture
def connect() -> Any:
    """``async with connect(url, count) as connections``."""
    return connections
