"""Who may ask the web UI: pages of its own, under names that only this machine answers to.

Locust answers any page's script, with a header that lets it read the answer. So a page opened in
another tab could start load, and one whose name was pointed at this machine (DNS rebinding) could
read what is measured. A browser says where a request comes from (``Origin``) and under which name
it asked (``Host``); neither can be made up by a page's script.
"""

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from socket import gethostname
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Headers: TypeAlias = list[tuple[str, str]]
Wsgi: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_ADDED = [
    ("X-Frame-Options", "DENY"),  # an invisible frame over another page's button
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
]


def is_loopback(host: str) -> bool:
    """Whether a server bound to ``host`` is reached from this machine alone.

    A name other than ``localhost`` is not asked for: what it means may change.
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """A WSGI application that asks another one only what its own pages ask.

    Args:
        app: the other one.
        bound: the host it listens on; empty or ``0.0.0.0`` is every one.
    """

    def __init__(self, app: Wsgi, bound: str) -> None:
        self._app = app
        self._names = {"localhost", bound.lower()}
        self._local = is_loopback(bound)
        if self._local:
            self._names |= {"127.0.0.1", "::1"}
        else:
            self._names |= {gethostname().lower(), gethostname().lower().partition(".")[0]}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer, or refuse with 403 and why."""
        why = self._refusal(environ)
        if why:
            start_response("403 Forbidden", [("Content-Type", "text/plain"), *_ADDED])
            return [f"{why}\n".encode()]

        def start(status: str, headers: Headers, *rest: Any) -> Any:
            kept = [one for one in headers if not one[0].lower().startswith("access-control-")]
            return start_response(status, kept + _ADDED, *rest)

        return self._app(environ, start)

    def _refusal(self, environ: dict[str, Any]) -> str:
        host = environ.get("HTTP_HOST", "").lower()
        if not self._knows(host):
            return (
                f"This web UI is not called {host[:100]!r}. Open it by the address that was "
                "printed, or by localhost through a tunnel."
            )
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and urlsplit(origin.lower()).netloc != host:
            return f"This web UI takes no orders from other pages ({origin[:100]!r})."
        return ""

    def _knows(self, host: str) -> bool:
        """Whether it is a name of ours. No page's name can be made to be an IP address."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return bool(name) and (name in self._names or (not self._local and _is_address(name)))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
