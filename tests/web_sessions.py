"""A session of the web UI for tests: real Locust, its words to the harness, and a tiny service."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from select import select
from typing import Any
from urllib.parse import urlencode

from architectures import contract
from architectures.plugin import Example
from harness.locust_process import LocustProcess
from harness.ports import PORTS
from tests.waiting import until
from workloads.payloads import write_payloads

LABELS = ("cat", "dog", "dog")


class Service(ThreadingHTTPServer):
    """Answers every request at once, and remembers each: its path, index and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[tuple[str, int, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        index = int(self.headers[contract.REQUEST_ID_HEADER])
        self.server.asked.append((self.path, index, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Answer:
    """What the web UI answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class WebSession:
    """Locust's web UI over a service, as the harness starts it; ``heard`` is what it was told."""

    def __init__(self, process: LocustProcess, port: int, connect_to: str) -> None:
        self.process = process
        self.port = port
        self.host = f"{connect_to}:{port}"
        self.heard: list[str] = []
        self._connect_to = connect_to
        self._rest = b""

    def ask(
        self, path: str, form: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """GET, or POST a form."""
        connection = HTTPConnection(self._connect_to, self.port, timeout=60)
        body = None if form is None else urlencode(form)
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        method = "GET" if form is None else "POST"
        try:
            connection.request(method, path, body, {**kind, **(headers or {})})
            response: HTTPResponse = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def start(self, **form: Any) -> Any:
        """Press Start; a word of the answer."""
        return self.ask("/swarm", {"duration": 0.5, "rate": 40, **form}).json()

    def words(self) -> list[str]:
        """Everything said so far."""
        while select([self.process.control], [], [], 0)[0]:
            received = self.process.control.recv(65536)
            if not received:
                raise AssertionError(f"it ended\n{self.process.last_lines()}")
            *lines, self._rest = (self._rest + received).split(b"\n")
            self.heard += [line.decode() for line in lines]
        return self.heard

    def forget(self) -> None:
        """Hear anew."""
        self.words()
        self.heard.clear()

    def await_word(self, word: str) -> str:
        """The rest of the first line that begins with a word."""

        def said() -> list[str]:
            return [line for line in self.words() if line.partition(" ")[0] == word]

        return str(until(said)[0].partition(" ")[2])

    def play(self, **form: Any) -> Path:
        """Play an attempt to its end: its folder."""
        self.forget()
        answer = self.start(**form)
        assert answer["success"], answer
        self.await_word("done")
        return Path(self.await_word("attempt").partition(" ")[2])


@contextmanager
def web_session(
    directory: Path, url: str, *, connect_to: str = "127.0.0.1", **changed: Any
) -> Iterator[WebSession]:
    """Boot it, with three payloads of two kinds, and wait until the page answers."""
    payloads = directory / "payloads.parquet"
    write_payloads(
        payloads,
        [
            Example(number, kind.encode(), "image/jpeg", {"category": kind})
            for number, kind in enumerate(LABELS)
        ],
    )
    port = PORTS.free()
    options = {
        "host": url,
        "payloads": payloads,
        "web-host": "127.0.0.1",
        "web-port": port,
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    cores = sorted(os.sched_getaffinity(0))
    process = LocustProcess((), options, directory=directory, cores=cores, workers=1, apart=True)
    session = WebSession(process, port, connect_to)

    def answers() -> bool:
        assert process.running(), process.last_lines()
        try:
            return session.ask("/assets/favicon-light.png").status == 200
        except OSError:
            return False

    try:
        until(answers)
        yield session
    finally:
        process.end()
