"""The bandit and the agent in a real deployment of two workers: they answer, and they learn."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from architectures import patterns
from architectures.contract import ADMIN_KEY_HEADER
from architectures.monolith import ARCHITECTURE
from architectures.patterns.arms import ARMS, costs
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy
from harness.deploy import Deployment, deploy
from tests.waiting import until

GRAPHS = ("online/choose", "online/choose_apart", "online/agent", "feedback")
REQUESTS = 20

CLIENT = httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))
"""Each request on a connection of its own, so that both workers get some."""


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    cores = sorted(os.sched_getaffinity(0))
    with deploy(
        ARCHITECTURE,
        ARCHITECTURE.variants[0],
        ensemble=EnsembleChoice("architectures.patterns", "tiny", graphs=GRAPHS),
        policy=ServingPolicy(),
        claim=ResourceClaim((cores[0], cores[-1]), 2 << 30),
        log_directory=folder,
    ) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("logs")) as deployment:
        yield deployment


def ask(service: Deployment, graph: str, count: int = REQUESTS) -> list[dict[str, Any]]:
    """Answers to labelled requests."""
    answers = []
    for example in patterns.examples("load", count, 0):
        sent = patterns.request(graph, example)
        headers = {"Content-Type": sent.media_type, **sent.headers}
        url = f"{service.url}/v1/{graph}"
        answer = CLIENT.post(url, content=sent.body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert set(patterns.score(graph, answer.json(), example.label)) == {"right", "reward"}
        answers.append(answer.json())
    return answers


def told(service: Deployment, action: str) -> dict[str, Any]:
    headers = {ADMIN_KEY_HEADER: service.admin_key}
    answer = CLIENT.post(f"{service.url}/v1/admin/{action}", headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def give(service: Deployment, body: dict[str, Any]) -> httpx.Response:
    return CLIENT.post(f"{service.url}/v1/feedback", json=body)


def rewards(service: Deployment, state: str) -> float:
    """How many rewards a state has seen, in all replicas' states where they learn apart."""
    seen = told(service, "choosing")
    return sum(
        arm["rewards"]
        for name, arms in seen.items()
        if name.startswith(state)
        for arm in arms.values()
    )


def test_the_bandit_learns_from_labels_and_from_later_feedback(service: Deployment) -> None:
    answers = ask(service, "online/choose")
    assert {answer["model"] for answer in answers} <= set(ARMS)
    assert all(answer["cost"] == costs("tiny")[answer["model"]] for answer in answers)
    until(lambda: rewards(service, "shared") == REQUESTS)
    one = answers[0]
    body = {"of": "choice", "model": one["model"], "context": one["context"], "reward": 0.9}
    taken = give(service, body)
    assert (taken.status_code, taken.json()) == (200, {"of": "choice", "taken": True})
    assert rewards(service, "shared") == REQUESTS + 1
    # Each worker refreshes its copy within a request of the news: nobody stays behind.
    until(
        lambda: all(
            answer["state_version"] >= REQUESTS + 1 for answer in ask(service, "online/choose", 4)
        )
    )


def test_apart_each_replica_learns_only_from_its_own_answers(service: Deployment) -> None:
    answers = ask(service, "online/choose_apart")
    replicas = {answer["replica"] for answer in answers}
    assert len(replicas) == 2
    until(lambda: rewards(service, "apart") == REQUESTS)
    seen = told(service, "choosing")
    for replica in replicas:
        mine = [answer for answer in answers if answer["replica"] == replica]
        counted = {arm: told["rewards"] for arm, told in seen[f"apart/{replica}"].items()}
        assert counted == {arm: sum(a["model"] == arm for a in mine) for arm in ARMS}
    body = {key: answers[0][key] for key in ("model", "context", "state", "replica")}
    assert give(service, {"of": "choice", "reward": 1.0, **body}).status_code == 200
    assert rewards(service, "apart") == REQUESTS + 1


def test_the_agent_stops_early_and_learns(service: Deployment) -> None:
    answers = ask(service, "online/agent")
    runs = [len(answer["models_run"]) for answer in answers]
    assert sum(runs) / len(runs) < 2
    taught = sum(2 * len(answer["steps"]) - 2 for answer in answers)
    until(lambda: told(service, "agent") == {"state_version": taught})
    label = {kind: tag["value"] for kind, tag in answers[0]["tags"].items()}
    body = {"of": "agent", "tier": "tiny", "steps": answers[0]["steps"], "label": label}
    assert give(service, body).json() == {"of": "agent", "taken": True}
    later = taught + 2 * len(answers[0]["steps"]) - 2
    assert told(service, "agent") == {"state_version": later}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"model": "nobody"},
        {"context": [1.0]},
        {"context": [1e9] * 9},
        {"reward": 7.0},
        {"reward": "NaN"},
        {"state": "apart", "replica": "00000000"},
        {"state": "apart", "replica": ""},
        {"more": 1},
    ],
)
def test_feedback_that_cannot_be_meant_is_refused(
    service: Deployment, wrong: dict[str, Any]
) -> None:
    body: dict[str, Any] = {"of": "choice"}
    if wrong:
        body |= {"model": "hybrid", "context": [1.0] + [0.0] * 8, "reward": 0.5, **wrong}
    refused = give(service, body)
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:servebench:problem:malformed-feedback"


def test_a_label_that_says_nothing_is_refused(service: Deployment) -> None:
    (example,) = patterns.examples("load", 1, 0)
    for graph in GRAPHS[:3]:
        headers = {"Content-Type": example.media_type, "X-Label": "category=<b>"}
        url = f"{service.url}/v1/{graph}"
        refused = CLIENT.post(url, content=example.body, headers=headers)
        assert refused.status_code == 422
        assert refused.json()["type"] == "urn:servebench:problem:bad-label"
        assert "<b>" not in refused.text
