"""The admin API is shut to whoever lacks its key, and says in problems what is wrong."""

from typing import Any

import httpx
import pytest

from architectures.contract import ADMIN_KEY_HEADER, ADMIN_PREFIX, PROBLEM_MEDIA_TYPE
from architectures.plugin import load_ensemble

STAMP = ADMIN_PREFIX + "stamp"


@pytest.fixture
def admin(sut: Any) -> Any:
    """A client that holds the key; None where the ensemble offers nothing to an operator."""
    if not hasattr(load_ensemble(sut.subject.choice), "load_admin"):
        yield None
        return
    key = {ADMIN_KEY_HEADER: sut.deployment.admin_key}
    with httpx.Client(base_url=sut.url, timeout=30, headers=key) as client:
        yield client


def slug(reply: httpx.Response, status: int) -> str:
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == PROBLEM_MEDIA_TYPE
    return str(reply.json()["type"]).rpartition(":")[2]


def test_it_is_shut_without_its_key(admin: Any, sut: Any) -> None:
    for headers in ({}, {ADMIN_KEY_HEADER: "guessed"}, {ADMIN_KEY_HEADER: "<script>"}):
        reply = httpx.post(sut.url + STAMP, json={}, headers=headers, timeout=30)
        if admin is None:
            assert slug(reply, 404) == "not-found"
            continue
        assert slug(reply, 401) == "bad-admin-key"
        assert ADMIN_KEY_HEADER in reply.headers["www-authenticate"]
        assert "guessed" not in reply.text


def test_who_holds_the_key_is_heard(admin: Any) -> None:
    if admin is None:
        return
    done = admin.post(STAMP, json={"letters": 3})
    assert (done.status_code, done.json()) == (200, {"action": "stamp", "told": {"letters": 3}})
    assert admin.post(STAMP).json()["told"] == {}


def test_what_cannot_be_done_is_a_problem(admin: Any) -> None:
    if admin is None:
        return
    assert slug(admin.post(ADMIN_PREFIX + "nothing", json={}), 404) == "no-such-action"
    assert slug(admin.post(STAMP, json={"refuse": 1}), 409) == "out-of-ink"
    assert slug(admin.post(STAMP, json=[1]), 400) == "not-an-object"
    for body in (b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"half": "\\ud800"}'):
        assert slug(admin.post(STAMP, content=body), 400) == "not-json"
    assert slug(admin.post(STAMP, content=bytes(2 << 20)), 413) == "body-too-large"
    assert slug(admin.get(STAMP), 405) == "method-not-allowed"
