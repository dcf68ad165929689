"""Load workers on other machines: where they connect, what is said about it, and when they may go.

The run's Locust master listens for them during a trial. Between trials nobody does, and after the
last one the run tells those who ask that it is over.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.scenario import Scenario

OVER = b"servebench: the run is over\n"
"""What a worker that looks for a master hears after the last trial."""

HEARD = b"heard\n"
"""What it answers."""

_FAREWELL_LIMIT_S = 10.0
_EVERYWHERE = ("*", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RemoteWorkers:
    """How many are awaited, and where.

    Attributes:
        count: started by hand, each by :attr:`command`.
        bind: the address the run listens on; ``0.0.0.0`` is every one of this machine.
        port: the port there.
    """

    count: int
    bind: str
    port: int

    @property
    def beyond_loopback(self) -> bool:
        """Whether other machines can connect."""
        return not is_loopback(self.bind)

    @property
    def near(self) -> str:
        """Where processes of this machine connect."""
        return _LOOPBACK if self.bind in _EVERYWHERE else self.bind

    @property
    def command(self) -> str:
        """What starts one."""
        host = socket.gethostname() if self.bind in _EVERYWHERE else self.bind
        return f"python -m harness worker --master {host}:{self.port}"


def remote_workers(scenario: Scenario) -> RemoteWorkers | None:
    """As the scenario asks for them; None where it does not."""
    section = scenario.generator
    if not section.remote_workers:
        return None
    return RemoteWorkers(section.remote_workers, section.bind, section.port)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone; a name other than localhost is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def out_of_reach(scenario: Scenario) -> Iterator[str]:
    """SUTs that a worker on another machine would not reach, in words."""
    asked = remote_workers(scenario)
    if asked is None or not asked.beyond_loopback:
        return
    for name in scenario.suts:
        architecture, _, variant = name.partition(":")
        if architecture != "remote":
            yield (
                f"generator.bind = {asked.bind!r} lets other machines send load, and {name} is "
                "deployed on this machine's loopback, which they cannot reach; name only "
                "remote:NAME in suts, or leave generator.bind at its default"
            )
        elif variant in scenario.remote and is_loopback(
            urlsplit(scenario.remote[variant].url).hostname or ""
        ):
            yield (
                f"remote.{variant}.url = {scenario.remote[variant].url!r} is loopback: a load "
                "worker on another machine would ask itself; name an address all of them reach"
            )


def who_came(asked: RemoteWorkers | None, heard: Mapping[str, str]) -> str:
    """For an error: who of the load workers came, and how to start the others.

    Args:
        asked: the remote ones.
        heard: the last thing the conductor said by each word: ``here``, ``turned_away``.
    """
    if asked is None:
        return ""
    local, of_local, remote, of_remote = heard.get("here", f"0 ? 0 {asked.count}").split()
    words = (
        f": {remote} of {of_remote} remote load workers came, and {local} of {of_local} of our "
        f"own; start each missing one with: {asked.command}"
    )
    turned_away = heard.get("turned_away")
    return words + (f"; turned away: {turned_away}" if turned_away else "")


@contextmanager
def awaited(asked: RemoteWorkers | None, say: Callable[[str], None]) -> Iterator[None]:
    """Say at the start of the trials who is awaited, and at the end that the run is over."""
    if asked is None:
        yield
        return
    say(f"each trial waits for {asked.count} remote load workers; start each: {asked.command}")
    if asked.beyond_loopback:
        say(
            f"warning: {asked.bind}:{asked.port} is open to other machines, and Locust's protocol "
            "has no authentication: use a trusted network or a tunnel (docs/distributed_load.md)"
        )
    try:
        yield
    finally:
        farewell(asked)


def farewell(asked: RemoteWorkers, limit_s: float = _FAREWELL_LIMIT_S) -> int:
    """Tell each worker that looks for the next trial that there is none.

    Returns:
        How many heard it; fewer than were awaited where some have gone, after ``limit_s``.
    """
    limit_ns = time.perf_counter_ns() + int(limit_s * 1e9)
    told = 0
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("" if asked.bind in _EVERYWHERE else asked.bind, asked.port))
        except OSError:
            return told  # somebody else has the port: the workers give up by themselves
        listening.listen()
        while told < asked.count and (left_ns := limit_ns - time.perf_counter_ns()) > 0:
            listening.settimeout(left_ns / 1e9)
            with suppress(OSError):
                connection, _ = listening.accept()
                told += _told(connection)
    return told


def _told(connection: socket.socket) -> bool:
    """Whether it was a worker: a Locust that still looks for its master connects here, too."""
    with connection:
        connection.settimeout(1.0)
        connection.sendall(OVER)
        return connection.recv(len(HEARD)) == HEARD
