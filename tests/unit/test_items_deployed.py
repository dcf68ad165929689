"""Items on real deployments: answers, failures in the contract's words, no secret in a log."""

import json
import os
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from architectures import backends, contract
from architectures.catalog import parse
from architectures.microservices.gateway import _pace
from architectures.microservices.hop import Pace
from architectures.patterns.items import demo, keys
from architectures.patterns.items.graph import ITEMS
from architectures.plugin import Example
from architectures.server_config import ServerConfig
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy
from harness.deploy import deploy
from harness.faults.between import between
from tests.catalogue import PATIENT, Stub, example, moderation_stub

PATTERNS = EnsembleChoice("architectures.patterns", "tiny", graphs=(ITEMS.name,))
IO = {"find_product", "read_features", "moderate", "write_item"}


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with moderation_stub(rejects=0.5) as started:
        yield started


def _post(url: str, item: Example) -> tuple[int, dict[str, str], dict[str, Any]]:
    address = urlsplit(url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=120)
    try:
        headers = {"Content-Type": item.media_type, contract.TIMEOUT_HEADER: "60", **item.headers}
        connection.request("POST", contract.graph_path(ITEMS.name), item.body, headers)
        reply = connection.getresponse()
        return (
            reply.status,
            {name.lower(): text for name, text in reply.getheaders()},
            json.loads(reply.read()),
        )
    finally:
        connection.close()


@pytest.mark.parametrize("system", ["monolith", "microservices:fused_cpu"])
def test_a_deployment_serves_items_fails_in_words_and_logs_no_secret(
    system: str, tmp_path: Path, postgres_url: str, redis_url: str, stub: Stub
) -> None:
    architecture, variant = parse(system)
    cores = tuple(sorted(os.sched_getaffinity(0)))[:2]
    with between(postgres_url) as database, between(redis_url) as store:
        state = {
            **PATIENT,
            backends.DATABASE_VARIABLE: database.url,
            backends.FEATURES_VARIABLE: store.url,
            backends.MODERATION_VARIABLE: stub.url,
            backends.FEATURES_TIMEOUT_VARIABLE: "5",
        }
        with deploy(
            architecture,
            variant,
            ensemble=PATTERNS,
            policy=ServingPolicy(),
            claim=ResourceClaim(cores, 2**32),
            log_directory=tmp_path / "logs",
            state=state,
        ) as deployment:
            for i in range(6):
                status, headers, document = _post(deployment.url, example(i))
                assert status == 200, document
                assert (document["features"], document["moderation"]) != ("default", "pending")
                _check_timing(headers["server-timing"])
            store.tell(refuse=True, reset=True)
            status, headers, document = _post(deployment.url, example())
            assert status == 200, document
            assert document["features"] == "default"
            database.tell(refuse=True, reset=True)
            status, headers, document = _post(deployment.url, example())
            assert (status, headers["retry-after"]) == (503, str(contract.RETRY_AFTER_S))
            assert document["type"].endswith("database-unavailable")
            assert _post(deployment.url, Example(0, b"x", "image/jpeg", {}))[0] == 401
    _check_logs(tmp_path / "logs", [postgres_url, redis_url])


def _check_timing(header: str) -> None:
    timings, _ = contract.parse_server_timing(header)
    assert {timing.stage for timing in timings if timing.batch_size == 0} == IO
    assert {timing.stage for timing in timings} == {step.key for step in ITEMS.steps}


def _check_logs(folder: Path, urls: list[str]) -> None:
    """Something is logged of the parts that were lost, and nothing that opens a door."""
    logged = "".join(path.read_text(errors="replace") for path in folder.iterdir())
    assert "the database is unavailable" in logged
    assert "the feature store is unavailable" in logged
    secrets = [str(urlsplit(url).password) for url in urls]
    for tenant in range(demo.TENANTS):
        key = demo.key_of(tenant)
        digest = keys.digest(key)
        assert digest is not None
        secrets += [key, key[17:], digest.key_sha256.hex()]
    assert not [secret for secret in secrets if secret in logged]
    assert "postgres" not in logged


def test_calls_that_wait_for_others_share_no_message_and_no_turn() -> None:
    """Else one slow verdict would hold up all that travel with it, and all behind them."""
    config = ServerConfig(
        "microservices",
        "split",
        PATTERNS,
        ServingPolicy(),
        cores=2,
        nonce="",
        port=0,
        directory="",
        components=(),
        options={"message": "batch"},
    )
    assert _pace(config, waits=True) == Pace(1, config.policy.queue_bound, 0.0)
    assert _pace(config, waits=False).members == config.policy.max_batch
