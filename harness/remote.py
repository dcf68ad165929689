"""A running service under test: found in the scenario, attached to, and left alone."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from time import monotonic_ns, sleep
from typing import Any
from urllib.parse import urlsplit

from architectures import remote
from architectures.contract import INFO_PATH
from architectures.spec import Architecture, Variant
from harness.bench import Bench
from harness.http import ask
from harness.kept import DeployError
from harness.rate import parse_rate
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError
from harness.scrape import Scrape, scraped
from harness.subject import Subject
from harness.usage import Target, Usage
from workloads.meant import did_you_mean

REMOTE = remote.ARCHITECTURE.name
OK = HTTPStatus.OK
_READY_S = 10.0
_POLL_S = 0.2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def is_remote(reference: str) -> bool:
    """Whether a scenario's ``suts`` entry is a running service."""
    return reference.partition(":")[0] == REMOTE


def declared(scenario: Scenario, reference: str) -> tuple[Architecture, Variant]:
    """The running service that ``remote:NAME`` means, as architectures are described.

    Raises:
        ScenarioError: there is no section [remote.NAME].
    """
    name = reference.partition(":")[2]
    if name and not _NAME.fullmatch(name):
        raise ScenarioError(
            f"scenario {scenario.name!r}: suts names {reference!r}; a name is of letters, digits, "
            "_ and -, for folders bear it"
        )
    if name not in scenario.remote:
        meant = did_you_mean(name, scenario.remote) or "; write it, with its `url`"
        raise ScenarioError(
            f"scenario {scenario.name!r}: suts names {reference!r}, but there is no section "
            f"[remote.{name or 'NAME'}]{meant}"
        )
    return remote.ARCHITECTURE, Variant(name, f"At {scenario.remote[name].url}.")


def check_absolute(scenario: Scenario, why: str) -> None:
    """See that no rate is a share of a ceiling that nobody measures.

    Args:
        scenario: says the rates.
        why: there is no ceiling, in words.

    Raises:
        ScenarioError: one is; its key is named.
    """
    load, capacity = scenario.load, scenario.capacity
    written = [("load.rates", rate) for rate in load.rates]
    if load.sweep is not None:
        written += [("load.sweep.low", load.sweep.low), ("load.sweep.high", load.sweep.high)]
    if capacity is not None:
        written += [("capacity.start", capacity.start), ("capacity.most", capacity.most)]
    for key, rate in written:
        if parse_rate(rate).unit == "ceiling":
            raise ScenarioError(
                f"scenario {scenario.name!r}: {key} has {rate!r}, but {why}; "
                "write requests per second, such as 20"
            )


@dataclass(frozen=True)
class Attached:
    """A running service, as ``harness.subject.Running``.

    Attributes:
        url: where requests go; a path prefix is kept.
        path: asked for in place of the graphs' own; empty is theirs.
        info: its ``/v1/info``, where it answers one in JSON.
        start_up_s: None: others started it.
        ours: whether its processes may run on the cores kept for the SUT, and what they use
            there is known.
    """

    url: str
    path: str
    info: Mapping[str, Any]
    scrape: Scrape | None
    ours: bool
    start_up_s: float | None = None

    @property
    def admin_key(self) -> str:
        """Not ours to know."""
        return ""

    def redeploy(self) -> Mapping[str, float]:
        """Not ours to end.

        Raises:
            DeployError: always.
        """
        raise DeployError("a running service is not ours to replace")

    def exits(self) -> tuple[str, ...]:
        """Nothing: its processes are not ours to see."""
        return ()

    def target(self) -> Target | None:
        """Nobody's: its processes are not ours to see."""
        return None

    def watched(self, usage: Usage) -> AbstractContextManager[None]:
        """What it says it uses joins ``usage`` until the block ends."""
        return scraped(self.scrape, usage)


@contextmanager
def attached(bench: Bench, name: str) -> Iterator[Subject]:
    """Attach to the running service [remote.NAME]; nothing is started, nor ended.

    Raises:
        DeployError: it does not answer as it was declared to.
    """
    section = bench.scenario.remote[name]
    url = section.url.rstrip("/")
    if section.ready is not None:
        _await_ready(name, url + section.ready)
    scrape = None
    if section.metrics is not None:
        scrape = Scrape(url + section.metrics, REMOTE)
        _check_metrics(name, scrape)
    known = scrape is not None and on_loopback(url)
    running = Attached(url, section.path or "", _info(name, url), scrape, known)
    yield Subject(bench, running, section.answers)


def on_loopback(url: str) -> bool:
    """Whether a URL's host is this machine by name or number; other names are not looked up."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _await_ready(name: str, url: str) -> None:
    end_ns = monotonic_ns() + int(_READY_S * 1e9)
    while True:
        try:
            status = ask(url).status
            if status == OK:
                return
            said = f"answers {status}"
        except OSError as error:
            said = f"does not answer ({error})"
        if monotonic_ns() > end_ns:
            raise DeployError(
                f"remote {name!r}: {url} {said}, not 200 within {_READY_S:g} s; "
                f"start the service, or mend [remote.{name}]"
            )
        sleep(_POLL_S)


def _check_metrics(name: str, scrape: Scrape) -> None:
    try:
        scrape.row()
    except (OSError, ValueError) as error:
        raise DeployError(
            f"remote {name!r}: its usage cannot be read: {error}; "
            f"mend [remote.{name}] metrics, or leave it out"
        ) from error


def _info(name: str, url: str) -> Mapping[str, Any]:
    """What it says of itself; whatever is no JSON object says nothing.

    Raises:
        DeployError: nobody is there.
    """
    try:
        reply = ask(url + INFO_PATH)
    except OSError as error:
        raise DeployError(
            f"remote {name!r}: nobody answers at {url} ({error}); "
            f"start the service, or mend [remote.{name}] url"
        ) from error
    try:
        said = reply.json()
    except ValueError:
        return {}
    return said if reply.status == OK and isinstance(said, dict) else {}
