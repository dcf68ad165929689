"""The generator's connections and timers, in the process that uses them."""

import os
import resource
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import perf_counter_ns
from typing import ClassVar

import pytest

from workloads.arrivals import WorkloadError
from workloads.locustfile_client import Connections, request_head
from workloads.locustfile_timer import LoopTimer, Timer, TimerFd

MANY = 1100


class Echo(BaseHTTPRequestHandler):
    """Answers with the peer's port, so that a test sees which connection was used."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = str(self.client_address[1]).encode()
        self.requests.append(self.headers["X-Request-ID"])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", self.headers.get("X-Then", "keep-alive"))
        self.end_headers()
        self.wfile.write(body)

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


def ask(connections: Connections, url: str) -> str:
    head = request_head(url, "/v1/tag", "image/jpeg", 4)
    return str(connections.exchange(head + b"7\r\n\r\nbody").read().decode())


def test_connections_rotate(url: str) -> None:
    connections = Connections(url)
    connections.open(3)
    first = [ask(connections, url) for _ in range(3)]
    assert len(set(first)) == 3
    assert [ask(connections, url) for _ in range(3)] == first
    assert connections.opened == 3
    connections.close()


def test_a_connection_the_server_closed_is_not_used_again(url: str) -> None:
    connections = Connections(url)
    head = request_head(url, "/v1/tag", "image/jpeg", 4)
    connections.exchange(head + b"7\r\nX-Then: close\r\n\r\nbody").read()
    assert ask(connections, url)
    assert connections.opened == 2
    connections.close()


def test_connections_are_kept_beyond_descriptor_1023(url: str) -> None:
    """Where ``select`` fails, and Locust's own session opens a connection a request unseen."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * MANY:
        pytest.skip(f"the limit on open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * MANY), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(MANY)]
    try:
        connections = Connections(url)
        used = {ask(connections, url) for _ in range(20)}
        assert len(used) == connections.opened == 1
        connections.close()
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://127.0.0.1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(WorkloadError, match="no address"):
        Connections(url)


@pytest.mark.parametrize("kind", [TimerFd, LoopTimer])
def test_a_timer_never_wakes_early(kind: type[Timer]) -> None:
    timer = kind()
    for wait_ns in (0, 100_000, 3_000_000, 20_000_000):
        deadline_ns = perf_counter_ns() + wait_ns
        timer.until(deadline_ns)
        assert deadline_ns <= perf_counter_ns() < deadline_ns + 2_000_000_000
    timer.close()
