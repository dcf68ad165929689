"""Where the page of a web session listens, and who may look."""

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from architectures.server_config import HOST
from harness.ports import PORTS
from workloads.locustfile_web_guard import is_loopback

PASSWORD_VARIABLE = "SERVEBENCH_WEB_PASSWORD"  # noqa: S105 - the name of one, not one
LEAST_CHARACTERS = 12


class ListenError(Exception):
    """The page cannot listen there; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on.

    Attributes:
        password: asked for by the page; empty on loopback, where it asks for none.
        made: whether we made it up, so that it has to be told once.
    """

    host: str = HOST
    port: int = 0
    password: str = field(default="", repr=False)
    made: bool = False

    @property
    def url(self) -> str:
        """What a person opens; one bound everywhere is named by this machine's own name."""
        host = self.host
        if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - told, not bound
            host = socket.gethostname()
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def own_url(self) -> str:
        """What this machine asks."""
        if self.host in {"0.0.0.0", ""}:  # noqa: S104 - told, not bound
            return f"http://{HOST}:{self.port}"
        return f"http://[::1]:{self.port}" if self.host == "::" else self.url


def listen_on(host: str, port: int | None, environment: Mapping[str, str] = os.environ) -> Listen:
    """See that an address can be listened on, and find a password where one is needed.

    Args:
        host: an address of this machine, or a name of one.
        port: None takes a free one.
        environment: may hold the password.

    Raises:
        ListenError: it cannot be listened on, or the password given is too short to be one.
    """
    found = PORTS.free() if port is None else port
    try:
        _try(host, found)
    except OSError as error:
        raise ListenError(
            f"--host {host} --port {found}: cannot be listened on ({error.strerror or error}); "
            f"name an address of this machine, such as {HOST}, and a port that is free"
        ) from error
    if is_loopback(host):
        return Listen(host, found)
    given = environment.get(PASSWORD_VARIABLE, "")
    if given and len(given) < LEAST_CHARACTERS:
        raise ListenError(
            f"{PASSWORD_VARIABLE} has {len(given)} characters, and whoever guesses it can start "
            f"load here: give it {LEAST_CHARACTERS} or more, or unset it to have one made"
        )
    return Listen(host, found, given or secrets.token_urlsafe(18), made=not given)


def write_password(path: Path, password: str) -> None:
    """Write a password where only its owner reads it: never on a command line, which all see."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password)


def _try(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
