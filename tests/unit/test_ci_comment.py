"""The comment under a pull request, written to as much of GitHub as it needs."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

COMMENT = Path(__file__).parents[2] / ".github" / "actions" / "gate" / "comment"


class Hub(ThreadingHTTPServer):
    """As much of GitHub as a comment needs."""

    def __init__(self, comments: list[dict[str, Any]], *, refuses: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.comments, self.refuses = comments, refuses


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def told(self) -> str:
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def do_GET(self) -> None:
        page = int(self.path.rpartition("=")[2])
        self.answer(200, self.server.comments[100 * (page - 1) : 100 * page])

    def do_POST(self) -> None:
        body = self.told()
        if self.server.refuses:
            self.answer(403, {"message": "Resource not accessible by integration"})
            return
        number = 1000 + len(self.server.comments)
        made = {"id": number, "user": {"login": "bot"}, "body": body, "html_url": f"/c/{number}"}
        self.server.comments.append(made)
        self.answer(201, made)

    def do_PATCH(self) -> None:
        number = int(self.path.rpartition("/")[2])
        (old,) = (comment for comment in self.server.comments if comment["id"] == number)
        old["body"] = self.told()
        self.answer(200, old)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has)
        pass


@pytest.fixture
def hub() -> Iterator[Callable[..., Hub]]:
    up: list[Hub] = []

    def start(comments: list[dict[str, Any]], **options: bool) -> Hub:
        up.append(Hub(comments, **options))
        Thread(target=up[-1].serve_forever, args=(0.02,)).start()
        return up[-1]

    yield start
    for server in up:
        server.shutdown()
        server.server_close()


def commented(hub: Hub, folder: Path, text: str, event: dict[str, Any]) -> str:
    (folder / "event.json").write_text(json.dumps(event))
    (folder / "verdict.md").write_text(text)
    done = subprocess.run(
        [sys.executable, "-I", str(COMMENT)],
        env={
            "GATE_COMMENT_AUTHOR": "bot",
            "GATE_MARKDOWN": str(folder / "verdict.md"),
            "GATE_NAME": "mine",
            "GATE_PAGE": "https://example.org/page",
            "GITHUB_API_URL": f"http://127.0.0.1:{hub.server_port}",
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": "some/where",
            "GITHUB_TOKEN": "t",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PULL = {"pull_request": {"number": 7}}


def test_there_is_one_comment_and_it_is_changed_in_place(
    hub: Callable[..., Hub], tmp_path: Path
) -> None:
    marker = "<!-- servebench-gate: mine -->"
    others = [
        {"id": number, "user": {"login": "someone"}, "body": f"{marker}\nnot ours", "html_url": ""}
        for number in range(101)
    ]
    server = hub(others)
    commented(server, tmp_path, "### pass", PULL)
    commented(server, tmp_path, "### regression", PULL)
    assert len(server.comments) == 102
    assert all(comment["body"] == f"{marker}\nnot ours" for comment in server.comments[:101])
    body = server.comments[-1]["body"]
    assert body.startswith(f"{marker}\n### regression\n")
    assert "(https://example.org/page)" in body


def test_a_long_verdict_is_cut_to_what_a_comment_holds(
    hub: Callable[..., Hub], tmp_path: Path
) -> None:
    server = hub([])
    commented(server, tmp_path, "x" * 100_000, PULL)
    assert 60_000 < len(server.comments[0]["body"]) < 65_536


def test_a_token_that_may_not_write_is_no_error(hub: Callable[..., Hub], tmp_path: Path) -> None:
    assert "403" in commented(hub([], refuses=True), tmp_path, "### pass", PULL)


def test_no_comment_without_a_pull_request(hub: Callable[..., Hub], tmp_path: Path) -> None:
    server = hub([])
    assert "no pull request" in commented(server, tmp_path, "### pass", {})
    assert server.comments == []
