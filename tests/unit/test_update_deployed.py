"""Models are replaced in real deployments under load: no error, no restart, shadows shed first."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest

from architectures import catalog
from architectures.backends import STATE_VARIABLE
from architectures.contract import ADMIN_KEY_HEADER
from architectures.patterns import examples, score
from architectures.patterns.update.rollout import Release, Rollout
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy
from harness.deploy import Deployment, deploy
from harness.http import Reply, ask
from tests.servers import redis_server
from tests.waiting import until

GRAPH = "ensemble/update"
EXAMPLES = examples("load", 12, 5)
CORES = tuple(sorted(os.sched_getaffinity(0)))[:2]


@dataclass
class Client:
    """Asks a deployment, each time on a new connection: any of its replicas may take it."""

    deployment: Deployment
    key: str = field(default="", repr=False)

    def ask(self, number: int = 0) -> dict[str, Any]:
        example = EXAMPLES[number % len(EXAMPLES)]
        url = f"{self.deployment.url}/v1/{GRAPH}"
        reply = ask(url, example.body, example.media_type, timeout_s=60)
        assert reply.status == 200, reply.body
        document: dict[str, Any] = reply.json()
        return document

    def order(self, action: str, **body: Any) -> dict[str, Any]:
        reply = self.post(action, body, self.key or self.deployment.admin_key)
        assert reply.status == 200, reply.body
        document: dict[str, Any] = reply.json()
        return document

    def post(self, action: str, body: Mapping[str, Any], key: str) -> Reply:
        url = f"{self.deployment.url}/v1/admin/{action}"
        headers = {ADMIN_KEY_HEADER: key}
        return ask(url, json.dumps(body).encode(), "application/json", 60, headers)

    def detached(self, outcome: str) -> float:
        """Walks after an answer that ended so, in all replicas."""
        text = ask(self.deployment.url + "/metrics", timeout_s=60).body.decode()
        name = f'servebench_detached_total{{graph="{GRAPH}",outcome="{outcome}"}}'
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def replicas_serving(self, version: int, count: int) -> bool:
        """Whether so many replicas answer, and all with this version."""
        answers = [self.ask(number) for number in range(12)]
        seen = {answer["replica"] for answer in answers}
        return len(seen) == count and {answer["version"] for answer in answers} == {version}


@contextmanager
def serving(
    reference: str,
    logs: Path,
    *,
    cores: tuple[int, ...] = CORES,
    policy: ServingPolicy | None = None,
    state: Mapping[str, str] | None = None,
) -> Iterator[Client]:
    architecture, variant = catalog.parse(reference)
    with deploy(
        architecture,
        variant,
        ensemble=EnsembleChoice("architectures.patterns", "tiny", graphs=(GRAPH,)),
        policy=policy or ServingPolicy(),
        claim=ResourceClaim(cores, 1 << 32),
        log_directory=logs,
        state=state or {},
    ) as deployment:
        yield Client(deployment)
        assert not deployment.exited()


@pytest.fixture(scope="module")
def monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving("monolith", tmp_path_factory.mktemp("logs")) as client:
        yield client


class Load:
    """Asks in a circle from a few threads until the block ends.

    Attributes:
        answers: number of the example, and its answer.
        errors: whatever was not answered with 200.
    """

    def __init__(self, client: Client, threads: int = 2) -> None:
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.errors: list[Exception] = []
        self._client = client
        self._over = Event()
        self._threads = [Thread(target=self._run, args=(i,)) for i in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, first: int) -> None:
        number = first
        while not self._over.is_set():
            try:
                self.answers.append((number % len(EXAMPLES), self._client.ask(number)))
            except (AssertionError, OSError) as error:
                self.errors.append(error)
            number += 1


def test_a_wrong_admin_key_is_refused(monolith: Client) -> None:
    for key in ("", "not it"):
        assert monolith.post("promote", {}, key).status == 401
    assert monolith.order("rollout")["rollout"] == 0


def test_the_whole_way_of_a_candidate_under_load(monolith: Client) -> None:
    """Shadow, canary, promotion, roll back: every request is answered, by who it says."""
    replicas = len(CORES)
    with Load(monolith) as load:
        until(lambda: monolith.replicas_serving(1, replicas))
        staged = monolith.order("stage_candidate", model="depthwise")
        assert staged["candidate"]["version"] == 2
        until(lambda: monolith.order("rollout")["agreement"]["compared"] >= 20)
        until(lambda: len(swaps_of(monolith, "candidate")) == replicas)
        assert {answer["version"] for _, answer in load.answers} == {1}

        shared = monolith.order("canary", percent=50)
        until(lambda: len(examples_seen(load, shared["rollout"])) == len(EXAMPLES))
        promoted = monolith.order("promote")
        until(lambda: monolith.replicas_serving(2, replicas))
        back = monolith.order("roll_back")
        until(lambda: monolith.replicas_serving(1, replicas))
    assert load.errors == []
    assert_the_canary_took_its_share(load, shared["rollout"])
    who = {(answer["slot"], answer["version"], answer["model"]) for _, answer in load.answers}
    assert who == {
        ("known_good", 1, "residual"),
        ("candidate", 2, "depthwise"),
        ("known_good", 2, "depthwise"),
    }
    assert promoted["published_ns"] < back["published_ns"]
    swaps = swaps_of(monolith, "known_good")
    assert Counter(swap["version"] for swap in swaps) == {2: replicas, 1: replicas}
    assert all("failed" not in swap for swap in swaps)


def swaps_of(client: Client, slot: str) -> list[dict[str, Any]]:
    return [swap for swap in client.order("rollout")["swaps"] if swap["slot"] == slot]


def examples_seen(load: Load, rollout: int) -> set[int]:
    """Numbers of the examples that were answered by a published state of the rollout."""
    return {number for number, answer in tuple(load.answers) if answer["rollout"] == rollout}


def assert_the_canary_took_its_share(load: Load, rollout: int) -> None:
    share = Rollout(candidate=Release(2, "depthwise"), canary_percent=50)
    taken = {
        number
        for number, example in enumerate(EXAMPLES)
        if share.answered_by_candidate(example.body)
    }
    assert 0 < len(taken) < len(EXAMPLES)
    for number, answer in load.answers:
        if answer["rollout"] == rollout:
            assert answer["slot"] == ("candidate" if number in taken else "known_good")
            assert answer["shadowed"] == (number not in taken)


def test_answers_are_right(monolith: Client) -> None:
    rights = [
        score(GRAPH, monolith.ask(number), example.label)["category"]
        for number, example in enumerate(EXAMPLES)
    ]
    assert sum(rights) >= len(EXAMPLES) - 1


def test_shadows_are_shed_before_answers(tmp_path: Path) -> None:
    """One core, kept busy; the canary waits for the same stage as the shadows, and not for them."""
    policy = ServingPolicy(detached_bound=2)
    with serving("monolith", tmp_path, cores=CORES[:1], policy=policy) as client:
        client.order("stage_candidate", model="hybrid")
        with Load(client, threads=8) as load:
            until(lambda: client.detached("shed") >= 20)
            shared = client.order("canary", percent=50)["rollout"]
            until(lambda: len(examples_seen(load, shared)) == len(EXAMPLES))
        assert load.errors == []
        assert client.detached("failed") == 0
        told = client.order("rollout")["agreement"]
        assert told["wanted"] > told["compared"]


def test_every_process_follows_a_redis_and_serves_on_without_it(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with ExitStack() as servers:
        url = servers.enter_context(redis_server())
        state = {STATE_VARIABLE: url}
        with serving("microservices", logs, state=state) as client, Load(client, 1) as load:
            client.order("stage_candidate", model="depthwise")
            until(lambda: client.order("rollout")["agreement"]["compared"] >= 5)
            client.order("promote")
            until(lambda: client.replicas_serving(2, 1))
            told = client.order("rollout")

            servers.close()
            answered = len(load.answers)
            until(lambda: len(load.answers) >= answered + 10)
            assert {answer["version"] for _, answer in load.answers[answered:]} == {2}
            away = client.post("rollout", {}, client.deployment.admin_key)
            assert away.status == 503, away.body
        assert load.errors == []
    password = url.split(":")[2].split("@")[0]
    assert password not in json.dumps(told)
    for log in logs.iterdir():
        text = log.read_text("utf-8", "replace")
        assert password not in text
        # A Redis that took too long to answer, on a busy machine, is away once more.
        again = text.count("is followed again")
        assert text.count("is followed no further") <= 1 + again, "not once a poll"
