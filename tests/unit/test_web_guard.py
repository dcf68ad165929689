"""Who may ask the web UI, by the Host and Origin that a browser sends; no server is needed."""

from collections.abc import Callable
from typing import Any

import pytest

from workloads.locustfile_web_guard import Guard, is_loopback


def inner(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """As Locust's: it lets every page read."""
    start_response("200 OK", [("Access-Control-Allow-Origin", "*"), ("Content-Type", "text/html")])
    return [b"figures"]


def asked(bound: str, host: str | None, origin: str | None = None) -> tuple[str, dict[str, str]]:
    told: list[tuple[str, list[tuple[str, str]]]] = []
    environ = {} if host is None else {"HTTP_HOST": host}
    if origin is not None:
        environ["HTTP_ORIGIN"] = origin
    body = Guard(inner, bound)(environ, lambda status, headers: told.append((status, headers)))
    status, headers = told[0]
    assert (b"".join(body) == b"figures") == (status == "200 OK")
    return status[:3], dict(headers)


@pytest.mark.parametrize(
    ("bound", "host", "origin", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8089", None, "200"),
        ("127.0.0.1", "LOCALHOST:1", "http://localhost:1", "200"),
        ("127.0.0.1", "[::1]:80", "http://[::1]:80", "200"),
        ("127.0.0.1", None, None, "403"),
        ("127.0.0.1", "10.0.0.1", None, "403"),
        ("127.0.0.1", "evil.example", "http://evil.example", "403"),
        ("127.0.0.1", "localhost.evil.example", None, "403"),
        ("127.0.0.1", "[::1", None, "403"),
        ("127.0.0.1", "localhost", "http://localhost:81", "403"),
        ("127.0.0.1", "localhost", "null", "403"),
        ("127.0.0.1", "localhost", "", "403"),
        ("0.0.0.0", "10.1.2.3:8089", "http://10.1.2.3:8089", "200"),  # noqa: S104 - guarded
        ("0.0.0.0", "10.1.2.3:8089", "http://10.1.2.4:8089", "403"),  # noqa: S104 - guarded
        ("0.0.0.0", "evil.example", "http://evil.example", "403"),  # noqa: S104 - guarded
        ("bench.example", "bench.example:8089", None, "200"),
    ],
)
def test_pages_of_its_own_under_its_own_names(
    bound: str, host: str | None, origin: str | None, status: str
) -> None:
    answered, headers = asked(bound, host, origin)
    assert answered == status
    assert not [name for name in headers if name.startswith("Access-Control")]
    assert headers["X-Frame-Options"] == "DENY"


def test_loopback_is_told_from_all_else() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.9.1", "::1")))
    assert not any(map(is_loopback, ("", "*", "0.0.0.0", "::", "192.168.1.1", "example.org")))  # noqa: S104
