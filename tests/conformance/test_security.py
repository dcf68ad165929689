"""What a deployment shows to the world: loopback alone, no secret, nothing a client can plant."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from architectures.contract import ADMIN_PREFIX, PROBLEM_MEDIA_TYPE
from tests.leftovers import each

PLANTED = "<script>alert(1)</script>"
LISTENING = psutil.CONN_LISTEN
LOOPBACK = re.compile(r"127\..*|::1|::ffff:127\..*")


def test_nothing_listens_beyond_loopback(sut: Any) -> None:
    connections = each(_processes(sut), lambda process: process.net_connections("inet"))
    found = {one.laddr.ip for some in connections for one in some if one.status == LISTENING}
    assert found
    assert [address for address in found if not LOOPBACK.fullmatch(address)] == []


def _processes(sut: Any) -> Iterator[psutil.Process]:
    keeper = psutil.Process(sut.deployment.keeper.pid)
    yield keeper
    yield from keeper.children(recursive=True)


def test_no_refusal_echoes_what_was_planted(sut: Any) -> None:
    with httpx.Client(base_url=sut.url, timeout=60) as client:
        replies = list(_planted(client, sut))
    assert len(replies) > 3
    for reply in replies:
        assert 400 <= reply.status_code < 500, reply.text
        assert reply.headers["content-type"] == PROBLEM_MEDIA_TYPE, reply.text
        assert reply.json()["status"] == reply.status_code
        assert "<" not in reply.text
        assert not any("<" in value or "\r" in value for value in reply.headers.values())


def _planted(client: httpx.Client, sut: Any) -> Iterator[httpx.Response]:
    """Refusals of what may be quoted in their details: paths, headers, bodies."""
    yield client.get(f"/{PLANTED}")
    yield client.post(f"{ADMIN_PREFIX}{PLANTED}")
    yield client.post(f"/v1/{PLANTED}", content=PLANTED)
    for subject in sut.subjects.values():
        kind, body = subject.examples[0].media_type, subject.examples[0].body
        yield client.post(subject.path, content=body, headers={"Content-Type": PLANTED})
        timeout = {"Content-Type": kind, "X-Request-Timeout": PLANTED}
        yield client.post(subject.path, content=body, headers=timeout)
        if kind == "application/json" or (kind.startswith("image/") and sut.architecture.answers):
            yield client.post(subject.path, content=PLANTED, headers=subject.headers())
        if kind == "application/json":
            fields = ("text", "label", "prediction_id", "id", "reward", "category")
            for field in fields:
                reply = client.post(subject.path, json={field: PLANTED}, headers=subject.headers())
                if reply.status_code != 200:
                    yield reply
        for header in subject.graph.endpoint.headers:
            headers = {**subject.headers(), header.title(): PLANTED}
            reply = client.post(subject.path, content=body, headers=headers)
            if reply.status_code != 200:
                yield reply


def test_no_log_and_no_page_holds_a_secret(sut: Any) -> None:
    secrets = {sut.deployment.admin_key, *_passwords(sut)}
    pages = [
        httpx.get(sut.url + path, timeout=30).text
        for path in ("/v1/info", "/openapi.json", "/metrics")
    ]
    logs = [path.read_text("utf-8", "replace") for path in sut.logs.rglob("*") if path.is_file()]
    assert logs
    for text in (*pages, *logs):
        assert not any(secret in text for secret in secrets)


def _passwords(sut: Any) -> set[str]:
    found = {urlsplit(url).password for url in sut.state.values()} - {None}
    for environment in each(_processes(sut), lambda process: process.environ()):
        found |= set(re.findall(r"redis://:([\w-]+)@", str(environment)))
    return {word for word in found if word}
