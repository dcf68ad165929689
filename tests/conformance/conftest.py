"""Real deployments of every architecture and variant, each started once for all its tests."""

import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from architectures import catalog
from architectures.backends import (
    DATABASE_VARIABLE,
    FEATURES_VARIABLE,
    MODERATION_VARIABLE,
    STATE_VARIABLE,
)
from architectures.catalog import CatalogError
from architectures.spec import Architecture, EnsembleChoice, ResourceClaim, ServingPolicy, Variant
from harness.deploy import Deployment, deploy
from tests.catalogue import PATIENT, moderation_stub
from tests.conformance.listing import MAIN_GRAPHS, Listed, served, suts
from tests.conformance.raw import connections
from tests.conformance.subjects import Subject, subjects
from tests.servers import postgres_server, redis_server

POLICY = ServingPolicy(queue_bound=48)
LEFT_WITHIN_S = 15.0


@dataclass(frozen=True)
class Sut:
    """One deployment under test."""

    architecture: Architecture
    variant: Variant
    subject: Subject
    subjects: Mapping[str, Subject]
    deployment: Deployment
    logs: Path
    state: Mapping[str, str]
    servers: bool

    @property
    def url(self) -> str:
        return self.deployment.url

    @property
    def instant(self) -> bool:
        """A service without delay: it need not be late or full, however many ask."""
        return not self.architecture.answers and not self.variant.options

    def is_right(self, index: int, document: Any) -> bool:
        """Whether a document answers example ``index``."""
        if not self.architecture.answers:
            return set(document) == {"index", "delay_ns"}
        return self.subject.is_right(index, 200, document)


@cache
def _asked_of(choice: EnsembleChoice, directory: Path) -> dict[str, Subject]:
    directory.mkdir(exist_ok=True)
    return subjects(choice, MAIN_GRAPHS, directory)


@pytest.fixture(scope="session", params=suts(), ids=str)
def sut(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    moderation_url: str,
) -> Iterator[Sut]:
    """A running deployment; when its tests are over, ending it must leave nothing behind."""
    listed: Listed = request.param
    try:
        architecture, variant = catalog.parse(listed.reference)
    except CatalogError as error:
        pytest.skip(str(error))
    choice = served(listed)
    asked = _asked_of(listed.whole, tmp_path_factory.getbasetemp() / "references")
    asked = {name: asked[name] for name in choice.graphs or asked}
    logs = tmp_path_factory.mktemp("logs")
    memory = _shared_memory()
    with (
        _state(moderation_url, servers=listed.servers) as state,
        deploy(
            architecture,
            variant,
            ensemble=choice,
            policy=POLICY,
            claim=ResourceClaim(_cores(listed), 1 << 32),
            log_directory=logs,
            startup_timeout_s=240,
            state=state,
        ) as deployment,
    ):
        if listed.starts_slowly:
            keeper = psutil.Process(deployment.keeper.pid)
            _confine([keeper, *keeper.children(recursive=True)])
        subject = next(asked[name] for name in MAIN_GRAPHS if name in asked)
        yield Sut(architecture, variant, subject, asked, deployment, logs, state, listed.servers)
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


def _cores(listed: Listed) -> tuple[int, ...]:
    """Of its start."""
    cores = sorted(os.sched_getaffinity(0))
    return tuple(cores[-2:] if listed.starts_slowly else cores[-1:])


def _confine(processes: Iterable[psutil.Process]) -> None:
    """One core for all there is, once it has started: tests flood it, and are to outrun it."""
    for process in processes:
        with suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {max(os.sched_getaffinity(0))})


@pytest.fixture(scope="session")
def moderation_url() -> Iterator[str]:
    """The external API that catalogue items are sent to."""
    with moderation_stub() as stub:
        yield stub.url


@contextmanager
def _state(moderation_url: str, *, servers: bool) -> Iterator[dict[str, str]]:
    """Where stateful parts are: in files, or in servers that nobody else uses."""
    told = {MODERATION_VARIABLE: moderation_url, **PATIENT}
    if not servers:
        yield told
        return
    with postgres_server() as postgres, redis_server() as redis:
        databases = {DATABASE_VARIABLE: postgres, FEATURES_VARIABLE: redis, STATE_VARIABLE: redis}
        yield {**told, **databases}


def _shared_memory() -> set[str]:
    """Names of segments. Other programs make some too; ours hold a pid of one of our processes."""
    place = Path("/dev/shm")  # noqa: S108 - where the kernel keeps them
    return {path.name for path in place.iterdir()} if place.exists() else set()


@pytest.fixture
def connect() -> Any:
    """``async with connect(url, count) as connections``."""
    return connections
