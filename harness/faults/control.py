"""A loopback HTTP control: JSON objects POSTed to ``/control`` reach a function of ours."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeAlias

from architectures.server_config import HOST

Follow: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes changes and answers what is in force; a ValueError says why they cannot be meant."""

_PATH = "/control"
_MOST_BYTES = 64 * 1024


@contextmanager
def controlled(follow: Follow) -> Iterator[str]:
    """Serve on a free port, in a thread, until the block ends; gives the URL."""

    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, document = _answer(self, follow)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Control) as server:
        thread = Thread(target=server.serve_forever, name="control")
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _answer(request: BaseHTTPRequestHandler, follow: Follow) -> tuple[int, Mapping[str, Any]]:
    if request.path != _PATH:
        return 404, {"error": f"there is only {_PATH}"}
    try:
        changes = json.loads(request.rfile.read(_length(request)))
        if not isinstance(changes, dict):
            raise ValueError("give a JSON object")  # noqa: TRY004, TRY301 - one kind of error
        return 200, follow(changes)
    except ValueError as error:
        return 400, {"error": str(error)}


def _length(request: BaseHTTPRequestHandler) -> int:
    length = int(request.headers.get("Content-Length", "0"))
    if not 0 < length <= _MOST_BYTES:
        raise ValueError(f"send a body of at most {_MOST_BYTES} bytes")
    return length
