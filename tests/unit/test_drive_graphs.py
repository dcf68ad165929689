"""Each request of a plan goes to its own graph, with its own payload."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from architectures import contract
from architectures.plugin import Example
from harness.drive import boot
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, write_plan


class Logging(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: ClassVar[dict[int, tuple[str, str, bytes]]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        index = int(self.headers[contract.REQUEST_ID_HEADER])
        self.asked[index] = (self.path, self.headers["Content-Type"], body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Logging.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Logging) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/behind"
        server.shutdown()
        thread.join()


def test_each_request_asks_for_its_graph_with_its_payload(url: str, tmp_path: Path) -> None:
    examples = [Example(i, b"%d" % i * (i + 1), f"image/{i}", {}) for i in range(5)]
    write_payloads(tmp_path / "payloads.parquet", examples)
    header = PlanHeader("constant", ("tag", "names", "both"), 100.0, 0.0, 1.0, seed=3)
    plan = build_plan(header, len(examples))
    write_plan(tmp_path / "plan.parquet", plan)
    with boot(
        plan=tmp_path / "plan.parquet",
        payloads=tmp_path / "payloads.parquet",
        url=url,
        directory=tmp_path,
        cores=[min(os.sched_getaffinity(0))],
        workers=2,
    ) as generator:
        result = generator.play()
    assert result.report["sent"] == 100
    expected = {
        index: (
            "/behind" + contract.graph_path(plan.graph(index)),
            examples[payload].media_type,
            examples[payload].body,
        )
        for index, payload in enumerate(plan.payloads.tolist())
    }
    assert Logging.asked == expected
    assert len({path for path, _, _ in expected.values()}) == 3
