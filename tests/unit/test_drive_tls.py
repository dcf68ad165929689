"""The same load over TLS: a service elsewhere is reached no other way."""

import hashlib
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from architectures.plugin import Example
from harness.drive import boot
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, write_plan
from workloads.sample import Outcome, read_samples

BODY = os.urandom(300_000)
LONG_ANSWER = b"a" * 40_000
"""Several TLS records."""


class Summing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if body == BODY else 400)
        self.send_header("Server-Timing", hashlib.sha256(body).hexdigest())
        self.send_header("Content-Length", str(len(LONG_ANSWER)))
        self.end_headers()
        self.wfile.write(LONG_ANSWER)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl program makes this test's certificate")
    words = (
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"),
    )
    subprocess.run([openssl, *words], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "cert.pem"


@pytest.fixture
def url(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Summing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("trusted", [True, False])
def test_bodies_and_answers_are_whole_and_strangers_are_not_trusted(
    url: str,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool,
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    write_payloads(tmp_path / "payloads.parquet", [Example(0, BODY, "image/jpeg", {})])
    header = PlanHeader("constant", ("tag",), 20.0, 0.0, 1.5, seed=3)
    write_plan(tmp_path / "plan.parquet", build_plan(header, 1))
    with boot(
        plan=tmp_path / "plan.parquet",
        payloads=tmp_path / "payloads.parquet",
        url=url,
        directory=tmp_path,
        cores=[min(os.sched_getaffinity(0))],
        answer_every=1,
    ) as generator:
        result = generator.play()
    table = read_samples(result.samples)
    assert len(table) == 30
    if not trusted:
        assert set(table["outcome"].to_pylist()) == {Outcome.CONNECTION_ERROR}
        return
    assert set(table["outcome"].to_pylist()) == {Outcome.OK}
    assert set(table["server_timing"].to_pylist()) == {hashlib.sha256(BODY).hexdigest()}
    assert set(table["answer"].to_pylist()) == {LONG_ANSWER}
    assert result.report["connections"] < 25
