"""What every server says and refuses, word for word the same."""

import asyncio
from typing import Any

import httpx
import pytest

from architectures.contract import (
    API_KEY_HEADER,
    MAX_BODY_BYTES,
    METRICS_PATH,
    OPENAPI_PATH,
    PROBLEM_MEDIA_TYPE,
    REQUEST_ID_HEADER,
    parse_server_timing,
)

PROBLEM_MEMBERS = {"type", "title", "status", "detail", "instance"}
MOST_SENT_BYTES = 4 * MAX_BODY_BYTES


@pytest.fixture
def client(sut: Any) -> Any:
    with httpx.Client(base_url=sut.url, timeout=30) as client:
        yield client


def ask(client: httpx.Client, sut: Any, **headers: str) -> httpx.Response:
    example = sut.subject.examples[0]
    kind = {"Content-Type": example.media_type}
    return client.post(sut.subject.path, content=example.body, headers={**kind, **headers})


def is_problem(reply: httpx.Response, status: int) -> bool:
    document = reply.json()
    return (
        reply.status_code == status == document["status"]
        and reply.headers["content-type"] == PROBLEM_MEDIA_TYPE
        and set(document) == PROBLEM_MEMBERS
        and document["instance"] == f"urn:request:{reply.headers[REQUEST_ID_HEADER]}"
    )


def test_it_says_who_it_is(client: httpx.Client, sut: Any) -> None:
    info = client.get("/v1/info").json()
    assert info["nonce"] == sut.deployment.nonce
    assert (info["architecture"], info["variant"]) == (sut.architecture.name, sut.variant.name)
    assert info["components"] == list(sut.deployment.components)
    assert info["tier"] == sut.subject.choice.tier
    assert info["policy"]["queue_bound"] == 48


def test_it_is_healthy_and_ready(client: httpx.Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_an_answer_carries_its_timings_and_its_id(client: httpx.Client, sut: Any) -> None:
    reply = ask(client, sut, **{REQUEST_ID_HEADER: "asked-1"})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers[REQUEST_ID_HEADER] == "asked-1"
    assert sut.is_right(0, reply.json())
    timings, request_ns = parse_server_timing(reply.headers["server-timing"])
    assert request_ns is not None
    assert all(0 <= timing.wall_ns <= request_ns for timing in timings)
    if sut.architecture.answers:
        assert {timing.stage for timing in timings} == sut.subject.graph.primary
        assert all(timing.compute_ns > 0 for timing in timings)


@pytest.mark.parametrize("given", ["two words", "x" * 500, "<script>"])
def test_an_unfit_request_id_is_replaced(client: httpx.Client, sut: Any, given: str) -> None:
    reply = ask(client, sut, **{REQUEST_ID_HEADER: given})
    assert reply.status_code == 200
    assert reply.headers[REQUEST_ID_HEADER] not in (given, "")


def test_bad_input_is_refused_as_a_problem(client: httpx.Client, sut: Any) -> None:
    for name, subject in sut.subjects.items():
        for refusal in subject.refusals:
            if refusal.status == 422 and not sut.architecture.answers:
                continue  # nothing looks into the body
            headers = {**subject.headers(), "Content-Type": refusal.media_type}
            if not refusal.media_type:
                del headers["Content-Type"]
            reply = client.post(subject.path, content=refusal.body, headers=headers)
            assert is_problem(reply, refusal.status), (name, refusal.name, reply.text)
            assert reply.json()["type"].endswith(f":{refusal.slug}"), (name, refusal.name)


@pytest.mark.parametrize("body", [b"{", b"[1", b"null", b"[" * 100_000, b'{"text": NaN}', b"{}"])
def test_bad_json_is_refused_as_a_problem(client: httpx.Client, sut: Any, body: bytes) -> None:
    for name, subject in sut.subjects.items():
        if subject.examples[0].media_type != "application/json":
            continue
        reply = client.post(subject.path, content=body, headers=subject.headers())
        assert reply.status_code in (400, 413, 422), (name, reply.text)
        assert is_problem(reply, reply.status_code)


def test_a_graph_with_keys_refuses_who_has_none(client: httpx.Client, sut: Any) -> None:
    for name, subject in sut.subjects.items():
        if API_KEY_HEADER.lower() not in subject.graph.endpoint.headers:
            continue
        body, headers = subject.examples[0].body, subject.headers()
        del headers[API_KEY_HEADER]
        nobody = client.post(subject.path, content=body, headers=headers)
        assert is_problem(nobody, 401), (name, nobody.text)
        assert API_KEY_HEADER in nobody.headers["www-authenticate"]
        headers[API_KEY_HEADER] = "somebody-elses"
        other = client.post(subject.path, content=body, headers=headers)
        assert other.status_code in (401, 403), (name, other.text)
        assert is_problem(other, other.status_code)
        assert "somebody-elses" not in other.text


def test_a_wrong_method_is_told_the_right_one(client: httpx.Client, sut: Any) -> None:
    for subject in sut.subjects.values():
        for method in ("GET", "PUT", "DELETE"):
            reply = client.request(method, subject.path)
            assert is_problem(reply, 405)
            assert reply.headers["allow"] == "POST"


def test_a_wrong_media_type_is_told_the_right_ones(client: httpx.Client, sut: Any) -> None:
    for subject in sut.subjects.values():
        headers = {**subject.headers(), "Content-Type": "text/html"}
        reply = client.post(subject.path, content=b"x", headers=headers)
        assert is_problem(reply, 415)
        assert subject.examples[0].media_type in reply.headers["accept-post"]


def test_an_unknown_path_is_not_found(client: httpx.Client) -> None:
    assert is_problem(client.post("/v1/nothing", content=b"x"), 404)
    assert is_problem(client.get("/elsewhere"), 404)


@pytest.mark.parametrize("given", ["soon", "-1", "0", "nan", "1e3", ""])
def test_a_malformed_timeout_is_refused(client: httpx.Client, sut: Any, given: str) -> None:
    assert is_problem(ask(client, sut, **{"X-Request-Timeout": given}), 400)


def test_the_schema_names_every_graph_and_what_it_takes(client: httpx.Client, sut: Any) -> None:
    document = client.get(OPENAPI_PATH).json()
    for subject in sut.subjects.values():
        operation = document["paths"][subject.path]["post"]
        assert subject.examples[0].media_type in operation["requestBody"]["content"]
        assert {"200", "400", "413", "415", "422", "503", "504"} <= set(operation["responses"])
        named = {parameter["name"] for parameter in operation["parameters"]}
        assert set(subject.graph.endpoint.headers) <= named


def test_answers_are_counted(client: httpx.Client, sut: Any) -> None:
    ask(client, sut)
    assert f'servebench_requests_total{{graph="{sut.subject.graph.name}",status="200"}}' in (
        client.get(METRICS_PATH).text
    )


def test_a_body_declared_too_large_is_refused_unread(sut: Any, connect: Any) -> None:
    async def declare() -> tuple[int, dict[str, str], bytes]:
        kind = sut.subject.examples[0].media_type
        async with connect(sut.url, 1) as (connection,):
            length = str(1 << 30)
            connection.send(
                sut.subject.path, {"Content-Type": kind, "Content-Length": length}, b"x" * 1000
            )
            return await asyncio.wait_for(connection.answer(), 20)

    status, headers, _ = asyncio.run(declare())
    assert status == 413
    assert headers["content-type"] == PROBLEM_MEDIA_TYPE


def test_an_endless_body_is_refused_on_the_way(sut: Any, connect: Any) -> None:
    async def stream() -> tuple[int, int]:
        kind = sut.subject.examples[0].media_type
        chunk = b"%x\r\n" % (1 << 16) + bytes(1 << 16) + b"\r\n"
        async with connect(sut.url, 1) as (connection,):
            connection.send(
                sut.subject.path, {"Content-Type": kind, "Transfer-Encoding": "chunked"}, b""
            )
            answer = asyncio.ensure_future(connection.answer())
            sent = 0
            while not answer.done() and sent < MOST_SENT_BYTES:
                connection.writer.write(chunk)
                sent += len(chunk)
                await asyncio.wait(
                    {answer, asyncio.ensure_future(connection.writer.drain())},
                    return_when=asyncio.FIRST_COMPLETED,
                )
            status, _, _ = await asyncio.wait_for(answer, 20)
            return status, sent

    status, sent = asyncio.run(stream())
    assert status == 413
    assert sent < MOST_SENT_BYTES
