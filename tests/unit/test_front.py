"""The door by itself: what it does when the work behind it is late, wrong or unwanted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from architectures.contract import MAX_BODY_BYTES, Problem, StageTiming
from architectures.front import create_app
from architectures.graph import Graph, Inputs
from architectures.plugin import load_ensemble
from architectures.server_config import ServerConfig
from architectures.spec import EnsembleChoice, ServingPolicy
from architectures.walk import Answer

SECOND = str(Path(__file__).parents[1] / "second_ensemble")
CHOICE = EnsembleChoice("language_guess", "plain", search_path=(SECOND,))
CONFIG = ServerConfig(
    "monolith", "default", CHOICE, ServingPolicy(), 1, "nonce", 0, "", components=("server",)
)
KIND = {"Content-Type": "text/plain"}
Work = Callable[[Graph, Inputs], Awaitable[Answer]]


def make(work: Work, queue_bound: int = 4, **options: Any) -> FastAPI:
    return create_app(CONFIG, load_ensemble(CHOICE), work, queue_bound=queue_bound, **options)


async def echo(graph: Graph, request: Inputs) -> Answer:
    return Answer({"said": request["body"].decode()}, (StageTiming("s", 3, 2, 1, 1),))


def talk(app: FastAPI, *requests: dict[str, Any]) -> list[httpx.Response]:
    """Send requests at once to an app in this process; no server is between."""

    async def send_all() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            calls = (
                client.request(
                    **{
                        "method": "POST",
                        "url": "/v1/guess",
                        "content": b"hello",
                        "headers": KIND,
                        **request,
                    }
                )
                for request in requests
            )
            return await asyncio.wait_for(asyncio.gather(*calls), 20)

    return asyncio.run(send_all())


def slug(reply: httpx.Response) -> str:
    return str(reply.json()["type"]).rpartition(":")[2]


def metric(app: FastAPI, line: str) -> float:
    (reply,) = talk(app, {"method": "GET", "url": "/metrics", "content": b""})
    found = [each.split()[1] for each in reply.text.splitlines() if each.startswith(line)]
    return float(found[0]) if found else 0.0


def test_the_work_gets_the_body_and_its_media_type() -> None:
    seen: list[Inputs] = []

    async def work(graph: Graph, request: Inputs) -> Answer:
        seen.append(request)
        return Answer(graph.name, ())

    headers = {"Content-Type": "Text/Plain; charset=utf-8"}
    (reply,) = talk(make(work), {"headers": headers})
    assert reply.json() == "guess"
    assert seen == [{"body": b"hello", "media_type": "text/plain"}]


def test_work_that_is_late_is_cancelled_and_answered_504() -> None:
    ended: list[str] = []

    async def work(graph: Graph, request: Inputs) -> Answer:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        raise AssertionError

    app = make(work)
    (reply,) = talk(app, {"headers": {**KIND, "X-Request-Timeout": "0.05"}})
    assert (reply.status_code, slug(reply)) == (504, "deadline-exceeded")
    assert ended == ["cancelled"]
    assert metric(app, "servebench_in_flight") == 0


def test_an_unexpected_error_is_a_500_that_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def work(graph: Graph, request: Inputs) -> Answer:
        raise RuntimeError("the secret path is /etc/weights")

    app = make(work)
    with caplog.at_level(logging.ERROR, "servebench.front"):
        (reply,) = talk(app, {"headers": {**KIND, "X-Request-ID": "r-7"}})
    assert (reply.status_code, slug(reply)) == (500, "internal-error")
    assert "secret" not in reply.text
    assert "r-7" in reply.json()["detail"]
    assert "r-7" in caplog.text
    assert "secret" in caplog.text
    assert metric(app, "servebench_in_flight") == 0


def test_a_problem_of_the_work_is_answered_as_it_is() -> None:
    async def work(graph: Graph, request: Inputs) -> Answer:
        raise Problem("too-dark", 422, "open the blinds")

    (reply,) = talk(make(work), {})
    assert (reply.status_code, slug(reply)) == (422, "too-dark")
    assert reply.json()["detail"] == "open the blinds"


def test_no_more_than_the_bound_are_let_in() -> None:
    inside = 0
    most = 0

    async def work(graph: Graph, request: Inputs) -> Answer:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.1)
        inside -= 1
        return Answer("done", ())

    app = make(work, queue_bound=3)
    replies = talk(app, *[{}] * 8)
    assert sorted(reply.status_code for reply in replies) == [200] * 3 + [503] * 5
    assert most == 3
    assert all(r.headers["retry-after"] == "1" for r in replies if r.status_code == 503)
    assert talk(app, {})[0].status_code == 200


def test_an_answer_that_is_no_json_is_an_error_of_the_server() -> None:
    async def work(graph: Graph, request: Inputs) -> Answer:
        return Answer(object(), ())

    assert talk(make(work), {})[0].status_code == 500


def test_not_ready_says_so() -> None:
    (reply,) = talk(make(echo, ready=lambda: False), {"method": "GET", "url": "/readyz"})
    assert (reply.status_code, slug(reply)) == (503, "not-ready")
    assert reply.headers["retry-after"] == "1"


def scope(path: str = "/v1/guess", **headers: str) -> dict[str, Any]:
    pairs = {"content-type": "text/plain", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
    }


def converse(
    app: FastAPI, messages: Sequence[dict[str, Any]], request: dict[str, Any]
) -> tuple[list[dict[str, Any]], int]:
    """Play a client's ASGI messages, then its silence: what was sent, how many were read."""
    sent: list[dict[str, Any]] = []
    read = 0

    async def receive() -> Any:
        nonlocal read
        if read == len(messages):
            await asyncio.sleep(30)
        read += 1
        await asyncio.sleep(0.01)
        message = messages[read - 1]
        if "lost" in message:
            raise message["lost"]
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(request, receive, send), 10))
    return sent, read


def test_work_for_a_client_that_left_is_cancelled_and_counted() -> None:
    ended: list[str] = []

    async def work(graph: Graph, request: Inputs) -> Answer:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        raise AssertionError

    app = make(work)
    body = {"type": "http.request", "body": b"hello", "more_body": False}
    sent, _ = converse(app, [body, {"type": "http.disconnect"}], scope())
    assert sent == []
    assert ended == ["cancelled"]
    assert metric(app, 'servebench_requests_total{graph="guess",status="499"}') == 1


@pytest.mark.parametrize("uploaded", [True, False])
def test_a_channel_that_fails_is_a_client_that_left(uploaded: bool) -> None:  # noqa: FBT001
    """A proxy in front hands its client's messages on by a call that fails when the client goes."""

    async def work(graph: Graph, request: Inputs) -> Answer:
        await asyncio.sleep(30)
        raise AssertionError

    app = make(work)
    body = {"type": "http.request", "body": b"hello", "more_body": not uploaded}
    sent, _ = converse(app, [body, {"lost": RuntimeError("the call was cancelled")}], scope())
    assert sent == []
    assert metric(app, 'servebench_requests_total{graph="guess",status="499"}') == 1


def test_a_client_that_leaves_in_its_upload_never_reaches_the_work() -> None:
    part = {"type": "http.request", "body": b"hel", "more_body": True}
    sent, _ = converse(make(echo), [part, {"type": "http.disconnect"}], scope())
    assert sent == []


def test_a_client_that_never_ends_its_upload_gets_504() -> None:
    part = {"type": "http.request", "body": b"hel", "more_body": True}
    sent, _ = converse(make(echo), [part], scope(**{"x-request-timeout": "0.1"}))
    assert sent[0]["status"] == 504


def test_a_body_is_put_together_from_its_parts() -> None:
    parts = [
        {"type": "http.request", "body": b"hel", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.request", "body": b"lo", "more_body": False},
    ]
    sent, _ = converse(make(echo), parts, scope())
    assert sent[0]["status"] == 200
    assert sent[1]["body"] == b'{"said":"hello"}'


def test_too_large_is_said_at_once_and_only_so_much_more_is_read() -> None:
    part = {"type": "http.request", "body": bytes(1 << 20), "more_body": True}
    sent, read = converse(make(echo), [part] * 100, scope())
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert [message.get("more_body", False) for message in sent[1:]] == [True, False]
    assert read <= 2 * (MAX_BODY_BYTES >> 20) + 2


def test_too_large_by_its_header_is_refused_before_it_is_read() -> None:
    sent, read = converse(make(echo), [], scope(**{"content-length": str(MAX_BODY_BYTES + 1)}))
    assert sent[0]["status"] == 413
    assert read == 0
