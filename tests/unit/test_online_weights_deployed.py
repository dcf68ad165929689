"""Feedback sent to real deployments reaches every replica, with no restart and no request lost."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from architectures import catalog
from architectures.contract import ADMIN_KEY_HEADER, graph_path
from architectures.patterns import examples, request
from architectures.plugin import Example
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy
from harness.deploy import Deployment, deploy
from tests.waiting import until

GRAPHS = ("online/weights", "feedback")
EXAMPLES = examples("load", 6, 21)
CORES = tuple(sorted(os.sched_getaffinity(0)))[:2]


class Client:
    """Asks a deployment, each time on a new connection: any of its replicas may take it."""

    def __init__(self, deployment: Deployment) -> None:
        self._url = deployment.url
        self._key = deployment.admin_key

    def ask(self, graph: str, example: Example) -> dict[str, Any]:
        sent = request(graph, example)
        headers = {"Content-Type": sent.media_type, **sent.headers}
        return self._post(graph_path(graph), content=sent.body, headers=headers)

    def act(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {ADMIN_KEY_HEADER: self._key}
        return self._post(f"/v1/admin/{action}", content=json.dumps(body), headers=headers)

    def refused(self, body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return httpx.post(self._url + "/v1/feedback", content=body, headers=headers, timeout=60)

    def _post(self, path: str, **given: Any) -> dict[str, Any]:
        reply = httpx.post(self._url + path, timeout=60, **given)
        assert reply.status_code == 200, reply.text
        document: dict[str, Any] = reply.json()
        return document


@contextmanager
def serving(reference: str, logs: Path) -> Iterator[Client]:
    architecture, variant = catalog.parse(reference)
    with deploy(
        architecture,
        variant,
        ensemble=EnsembleChoice("architectures.patterns", "tiny", graphs=GRAPHS),
        policy=ServingPolicy(),
        claim=ResourceClaim(CORES, 1 << 32),
        log_directory=logs,
    ) as deployment:
        yield Client(deployment)
        assert not deployment.exited()


@pytest.mark.parametrize(
    ("reference", "replicas"), [("monolith", len(CORES)), ("microservices", 1)]
)
def test_what_feedback_teaches_reaches_every_replica(
    reference: str, replicas: int, tmp_path: Path
) -> None:
    with serving(reference, tmp_path) as client:
        found: dict[str, dict[str, Any]] = {}

        def asked() -> list[dict[str, Any]]:
            answers = [client.ask("online/weights", example) for example in EXAMPLES]
            found.update({answer["replica"]: answer for answer in answers})
            return answers

        until(lambda: {answer["version"] for answer in asked()} == {0} and len(found) == replicas)
        began = dict(found)
        renamed = client.act("drift", {"swap": [["mug", "hat"]]})["renamed"]
        until(lambda: all(client.ask("feedback", one)["taken"] for one in EXAMPLES))
        until(lambda: _all_learned(client))
        current = client.act("weights", {})
        assert current["version"] > 0
        until(lambda: asked() and all(_is(answer, current) for answer in found.values()))

        assert found.keys() == began.keys(), "no replica was restarted"
        assert all(answer["renamed"] == renamed for answer in found.values())
        assert all(answer["adopted_ns"] > answer["published_ns"] for answer in found.values())
        assert current["learner"] is not None

        client.act("reset_weights", {})
        until(lambda: {one["version"] for one in asked()} == {current["version"] + 1})
        refused = client.refused(b'{"of": "weights", "token": "mug"}')
        assert refused.status_code == 422
        assert refused.json()["type"] == "urn:servebench:problem:malformed-feedback"
        assert '"label": {"category": "mug"}' in refused.json()["detail"]


def _all_learned(client: Client) -> bool:
    counted = client.act("weights", {})["counted"]
    return counted.get("learned") == counted["taken"]


def _is(answer: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    return all(answer[name] == current[name] for name in ("version", "published_ns"))
