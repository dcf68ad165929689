"""The admin API by itself: its key, and what happens when an action goes wrong."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from architectures.backends import ADMIN_KEY_VARIABLE
from architectures.contract import ADMIN_KEY_HEADER, Problem
from architectures.front import create_app
from architectures.graph import Graph, Inputs
from architectures.plugin import EnsembleDescription
from architectures.server_config import ServerConfig
from architectures.spec import EnsembleChoice, ServingPolicy
from architectures.walk import Answer

KEY = "open sesame ü"
CONFIG = ServerConfig(
    "monolith", "default", EnsembleChoice("m", "t"), ServingPolicy(), 1, "n", 0, "", ("server",)
)


class Operator:
    """Does what each action is named after."""

    actions: Mapping[str, str] = {"say": "Say it back.", "fail": "Fail.", "refuse": "Refuse."}

    async def act(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if action == "fail":
            raise RuntimeError("the secret path is /etc/weights")
        if action == "refuse":
            raise Problem("not-now", 409, f"Not <now>, {body['who']}.")
        return {"said": body["what"]}


def describe(tier: str) -> EnsembleDescription:
    return EnsembleDescription("none", tier, {}, "", meaningful=False)


async def run(graph: Graph, request: Inputs) -> Answer:
    raise AssertionError


def post(action: str, key: str | None = KEY, **asked: Any) -> httpx.Response:
    ensemble: Any = SimpleNamespace(
        GRAPHS={}, STAGES={}, MEDIA_TYPES=(), describe=describe, load_admin=lambda _: Operator()
    )
    app = create_app(CONFIG, ensemble, run, queue_bound=1)
    headers = {} if key is None else {ADMIN_KEY_HEADER: key.encode()}

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
            return await client.post(f"/v1/admin/{action}", headers=headers, **asked)

    return asyncio.run(send())


def slug(reply: httpx.Response) -> str:
    assert reply.headers["content-type"] == "application/problem+json"
    return str(reply.json()["type"]).rpartition(":")[2]


@pytest.fixture(autouse=True)
def key_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    # A header arrives as Latin-1 text: the digest is of that text.
    text = KEY.encode().decode("latin-1")
    monkeypatch.setenv(ADMIN_KEY_VARIABLE, hashlib.sha256(text.encode()).hexdigest())


def test_the_key_opens_it_and_nothing_else_does() -> None:
    assert post("say", json={"what": "x"}).json() == {"said": "x"}
    for key in (None, "", "open sesame", KEY + "!"):
        reply = post("say", key, json={"what": "x"})
        assert (reply.status_code, slug(reply)) == (401, "bad-admin-key")
        assert ADMIN_KEY_HEADER in reply.headers["www-authenticate"]


def test_a_digest_is_no_key() -> None:
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    assert post("say", digest, json={"what": "x"}).status_code == 401


def test_it_is_shut_where_no_key_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADMIN_KEY_VARIABLE)
    reply = post("say", json={"what": "x"})
    assert (reply.status_code, slug(reply)) == (403, "admin-shut")


def test_a_failure_shows_nothing_and_is_found_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "servebench.admin"):
        reply = post("fail", json={})
    assert (reply.status_code, slug(reply)) == (500, "internal-error")
    assert "secret" not in reply.text
    request_id = reply.headers["x-request-id"]
    assert reply.json()["instance"].endswith(request_id)
    assert request_id in reply.json()["detail"]
    assert request_id in caplog.text
    assert "secret" in caplog.text


def test_a_refusal_that_quotes_a_body_quotes_no_markup() -> None:
    reply = post("refuse", json={"who": "<script>"})
    assert (reply.status_code, slug(reply)) == (409, "not-now")
    assert reply.json()["detail"] == "Not <now>, <script>."
    assert "<" not in reply.text


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": "\\ud800"}', b"9" * 5000]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    reply = post("say", content=body)
    assert (reply.status_code, slug(reply)) == (400, "not-json")


def test_an_unknown_action_is_told_the_known_ones() -> None:
    reply = post("nothing", json={})
    assert (reply.status_code, slug(reply)) == (404, "no-such-action")
    assert "say, fail, refuse" in reply.json()["detail"]
