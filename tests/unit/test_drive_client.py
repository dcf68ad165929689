"""The generator's connections and timers, in the process that uses them."""

import hashlib
import os
import resource
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import perf_counter_ns
from typing import ClassVar

import gevent
import pytest
from gevent.event import AsyncResult

from workloads.arrivals import WorkloadError
from workloads.http_answer import Answer
from workloads.locustfile_client import Connection, Connections, request_head
from workloads.locustfile_timer import Alarm, LoopAlarm, TimerFdAlarm

MANY = 1100


class Echo(BaseHTTPRequestHandler):
    """Answers with the peer's port, so that a test sees which connection was used."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        received = self.rfile.read(int(self.headers["Content-Length"]))
        body = str(self.client_address[1]).encode()
        if "X-Sum" in self.headers:
            body = hashlib.sha256(received).hexdigest().encode()
        self.requests.append(self.headers["X-Request-ID"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", self.headers.get("X-Then", "keep-alive"))
        self.end_headers()
        self.wfile.write(body)
        if "X-Leave" in self.headers:  # says it stays, and leaves
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Client:
    """One request at a time over the connections under test."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.connections = Connections(url, self._ended)
        self._answer = AsyncResult()

    def ask(self, body: bytes = b"body", *, headers: bytes = b"") -> str:
        self._answer = AsyncResult()
        head = request_head(self._url, "/v1/tag", "image/jpeg", len(body)) + b"7\r\n"
        connection = self.connections.take() or self.connections.connect()
        connection.send(0, head + headers + b"\r\n", body)
        return str(self._answer.get(timeout=30).body.decode())

    def _ended(self, connection: Connection, answer: Answer | None) -> None:
        if answer is not None and answer.reusable:
            self.connections.keep(connection)
        else:
            connection.close()
        self._answer.set(answer)


def test_connections_rotate(url: str) -> None:
    client = Client(url)
    client.connections.open(3)
    first = [client.ask() for _ in range(3)]
    assert len(set(first)) == 3
    assert [client.ask() for _ in range(3)] == first
    assert client.connections.opened == 3
    client.connections.close()


def test_a_connection_the_server_closed_is_not_used_again(url: str) -> None:
    client = Client(url)
    client.ask(headers=b"X-Then: close\r\n")
    assert client.ask()
    assert client.connections.opened == 2
    client.connections.close()


def test_a_connection_closed_while_idle_is_noticed_and_let_go(url: str) -> None:
    client = Client(url)
    client.ask(headers=b"X-Leave: 1\r\n")
    gevent.sleep(0.2)
    assert client.ask()
    assert client.connections.opened == 2
    client.connections.close()


def test_a_body_beyond_what_the_kernel_holds_arrives_whole(url: str) -> None:
    client = Client(url)
    body = os.urandom(8_000_000)
    assert client.ask(body, headers=b"X-Sum: 1\r\n") == hashlib.sha256(body).hexdigest()
    assert client.ask()
    assert client.connections.opened == 1
    client.connections.close()


def test_connections_are_kept_beyond_descriptor_1023(url: str) -> None:
    """Where ``select`` fails, and Locust's own session opens a connection a request unseen."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * MANY:
        pytest.skip(f"the limit on open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * MANY), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(MANY)]
    try:
        client = Client(url)
        used = {client.ask() for _ in range(20)}
        assert len(used) == client.connections.opened == 1
        client.connections.close()
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://127.0.0.1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(WorkloadError, match="no address"):
        Connections(url, lambda *_: None)


Kind = Callable[[Callable[[], None]], Alarm]


@pytest.mark.parametrize("kind", [TimerFdAlarm, LoopAlarm])
def test_an_alarm_never_rings_early_and_rings_once(kind: Kind) -> None:
    rung: list[int] = []
    alarm = kind(lambda: rung.append(perf_counter_ns()))
    for wait_ns in (-1_000_000, 0, 100_000, 3_000_000, 20_000_000):
        rung.clear()
        deadline_ns = perf_counter_ns() + wait_ns
        alarm.set(deadline_ns)
        while not rung:
            gevent.sleep(0.001)
        gevent.sleep(0.01)
        assert len(rung) == 1
        assert deadline_ns <= rung[0] < deadline_ns + 2_000_000_000
    alarm.close()


@pytest.mark.parametrize("kind", [TimerFdAlarm, LoopAlarm])
def test_an_alarm_set_again_forgets_its_first_deadline(kind: Kind) -> None:
    rung: list[int] = []
    alarm = kind(lambda: rung.append(perf_counter_ns()))
    begun_ns = perf_counter_ns()
    alarm.set(begun_ns + 5_000_000)
    alarm.set(begun_ns + 50_000_000)
    gevent.sleep(0.1)
    assert len(rung) == 1
    assert rung[0] >= begun_ns + 50_000_000
    alarm.close()


@pytest.mark.parametrize("kind", [TimerFdAlarm, LoopAlarm])
def test_an_alarm_may_be_set_as_it_rings(kind: Kind) -> None:
    rung: list[int] = []

    def again() -> None:
        rung.append(perf_counter_ns())
        if len(rung) < 5:
            alarm.set(rung[0])

    alarm = kind(again)
    alarm.set(perf_counter_ns())
    gevent.sleep(0.1)
    assert len(rung) == 5
    alarm.close()
