"""Whole deployments of every variant, serving an ensemble that the architecture has never seen."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns, sleep

import httpx
import pytest

from architectures.contract import parse_server_timing
from architectures.microservices import ARCHITECTURE
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy
from architectures.walk import Answer, run_batch
from harness.deploy import Deployment, deploy

CHOICE = EnsembleChoice(
    "language_guess",
    "plain",
    search_path=(str(Path(__file__).resolve().parents[1] / "second_ensemble"),),
)
COMPONENTS = {
    "fused_cpu": ["service-nearest", "gateway"],
    "grouped": ["service-nearest", "gateway"],
    "split": ["service-letters", "service-nearest", "gateway"],
    "per_call": ["service-letters", "service-nearest", "gateway"],
    "grpc": ["service-nearest", "gateway"],
    "broker": ["broker", "service-nearest", "gateway"],
}


@pytest.fixture(scope="module", params=ARCHITECTURE.variants, ids=lambda variant: variant.name)
def deployment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    claim = ResourceClaim((min(os.sched_getaffinity(0)),), 1 << 30)
    with deploy(
        ARCHITECTURE,
        request.param,
        ensemble=CHOICE,
        policy=ServingPolicy(),
        claim=claim,
        log_directory=tmp_path_factory.mktemp("logs"),
    ) as running:
        yield running


def ask(deployment: Deployment, body: bytes) -> httpx.Response:
    headers = {"Content-Type": "text/plain"}
    return httpx.post(deployment.url + "/v1/guess", content=body, headers=headers, timeout=30)


def test_answers_equal_those_without_a_server(deployment: Deployment) -> None:
    ensemble = load_ensemble(CHOICE)
    stages = {name: ensemble.load_stage(name, "plain", "cpu", 1) for name in ensemble.STAGES}
    for example in ensemble.examples("load", 20, 7):
        (reference,) = run_batch(ensemble.GRAPHS["guess"], stages, [{"body": example.body}])
        assert isinstance(reference, Answer)
        assert ask(deployment, example.body).json() == reference.document


def test_every_stage_says_where_its_time_went(deployment: Deployment) -> None:
    header = ask(deployment, b"two young dogs").headers["Server-Timing"]
    timings, request_ns = parse_server_timing(header)
    assert [timing.stage for timing in timings] == ["letters", "nearest"]
    assert all(timing.batch_size == 1 for timing in timings)
    assert request_ns is not None
    assert sum(timing.wall_ns for timing in timings) <= request_ns


def test_a_stage_s_refusal_reaches_the_client(deployment: Deployment) -> None:
    response = ask(deployment, "größer".encode())
    assert response.status_code == 422
    assert response.json()["detail"] == "The body is not ASCII text."


def test_components_are_named_services_first(deployment: Deployment) -> None:
    assert list(deployment.components) == COMPONENTS[deployment.info["variant"]]
    assert deployment.info["components"] == list(deployment.components)


def test_a_lost_service_is_a_503_and_no_longer_ready(tmp_path: Path) -> None:
    claim = ResourceClaim((min(os.sched_getaffinity(0)),), 1 << 30)
    with deploy(
        ARCHITECTURE,
        ARCHITECTURE.variants[0],
        ensemble=CHOICE,
        policy=ServingPolicy(),
        claim=claim,
        log_directory=tmp_path,
    ) as deployment:
        assert ask(deployment, b"a sentence").status_code == 200
        os.kill(deployment.pids()["service-nearest"], signal.SIGKILL)
        sleep(0.2)
        response = ask(deployment, b"a sentence")
        assert response.status_code == 503
        assert response.json()["type"].endswith("stage-unavailable")
        assert "nearest" in response.json()["detail"]
        assert becomes_unready(deployment.url)


def becomes_unready(url: str) -> bool:
    end_ns = monotonic_ns() + 15_000_000_000
    while monotonic_ns() < end_ns:
        if httpx.get(url + "/readyz").status_code == 503:
            return True
        sleep(0.2)
    return False
