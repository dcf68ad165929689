"""What stands beside the SUTs while a run is prepared and played."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from architectures import backends
from harness.faults.between import Between, FaultError, backend_of, between
from harness.faults.meant import NETWORK
from harness.faults.parts import ByUrl, Part, embedded_file
from harness.kept import DeployError
from harness.moderation import Moderation, moderation
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError
from harness.surroundings import FAULTY_PARTS, EventSection

_VARIABLES = {
    "state": backends.STATE_VARIABLE,
    "database": backends.DATABASE_VARIABLE,
    "features": backends.FEATURES_VARIABLE,
}
_EMBEDDED = "sqlite"
EMBEDDED_FILES = {"database": "items.sqlite", "features": "features.sqlite"}
"""Where the parts of which faults are made lie in a deployment's folder, unless they have a URL."""


@dataclass(frozen=True, slots=True)
class Backends:
    """The stateful parts that a run's SUTs are told of.

    Attributes:
        variables: of ``architectures.backends``, for every deployment and every in-process run,
            beside those of our own environment.
        moderation: our stub of the external API; None where none was asked for.
        parts: those of which the scenario's events make faults, by name.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    moderation: Moderation | None = None
    parts: Mapping[str, Part] = field(default_factory=dict, repr=False)

    def behave(self, script: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Have the stub behave so from now on; None is as the scenario says, and ends all faults.

        Raises:
            ModerationError: it does not.
            ConnectionError: a fault cannot be ended.
        """
        if script is None:
            self._calm()
        if self.moderation is None:
            return {}
        return self.moderation.behave(script)

    def disturb(
        self, part: str, faults: Mapping[str, Any] | None, directory: Path
    ) -> Mapping[str, Any]:
        """Have a part suffer faults from now on; None is none. Answers what is in force.

        Args:
            part: one of ``parts``.
            faults: in words of its kind.
            directory: the deployment's folder.

        Raises:
            FaultError: they cannot be made.
        """
        if faults is None:
            return self.parts[part].calm()
        return self.parts[part].disturb(faults, directory)

    def _calm(self) -> None:
        for part in self.parts.values():
            try:
                part.calm()
            except FaultError as error:
                raise ConnectionError(str(error)) from error


NO_BACKENDS = Backends()


@contextmanager
def standing(scenario: Scenario, cores: Sequence[int], logs: Path) -> Iterator[Backends]:
    """What the scenario says stands beside its SUTs, until the block ends.

    Args:
        scenario: says it.
        cores: for what is started: the harness's.
        logs: of what is started.

    Raises:
        DeployError: something did not come up.
    """
    script = scenario.backends.moderation
    disturbed = {event.to for _, event in _disturbing(scenario)}
    if script is None and not disturbed:
        yield NO_BACKENDS
        return
    with ExitStack() as up:
        variables: dict[str, str] = {}
        parts: dict[str, Part] = {}
        for name in sorted(disturbed):
            url = backends.url(_VARIABLES[name])
            if url is None:
                parts[name] = up.enter_context(embedded_file(EMBEDDED_FILES[name]))
                continue
            proxy = _proxy(url, cores, up)
            variables[_VARIABLES[name]] = proxy.url
            parts[name] = ByUrl(proxy)
        stub = None if script is None else up.enter_context(moderation(script, cores, logs))
        if stub is not None:
            variables[backends.MODERATION_VARIABLE] = stub.url
        yield Backends(variables, stub, parts)


def _proxy(url: str, cores: Sequence[int], up: ExitStack) -> Between:
    try:
        return up.enter_context(between(url, cores))
    except FaultError as error:
        raise DeployError(str(error)) from error


def _disturbing(scenario: Scenario) -> Iterator[tuple[int, EventSection]]:
    """The events that make faults, with their numbers."""
    for number, event in enumerate(scenario.events):
        if event.to in FAULTY_PARTS:
            yield number, event


def kinds(scenario: Scenario) -> dict[str, str]:
    """What kind each part is of, for the record: never a URL.

    Raises:
        ScenarioError: the scenario demands one that the environment does not name, or faults
            that a part of this kind cannot have.
    """
    for part in scenario.backends.demanded:
        if not backends.url(_VARIABLES[part]):
            raise ScenarioError(
                f"scenario {scenario.name!r}: backends.{part} = 'environment', but "
                f"{_VARIABLES[part]} is not set; set it to the URL of an empty one"
            )
    for number, event in _disturbing(scenario):
        mistake = _unmakeable(event)
        if mistake:
            raise ScenarioError(f"scenario {scenario.name!r}: events.{number}: {mistake}")
    found = {part: _kind(variable) for part, variable in _VARIABLES.items()}
    return {**found, "moderation": _moderation(scenario)}


def _kind(variable: str) -> str:
    url = os.environ.get(variable, "")
    return urlsplit(url).scheme.partition("+")[0] or _EMBEDDED


def _moderation(scenario: Scenario) -> str:
    if scenario.backends.moderation is not None:
        return "stub"
    return "environment" if os.environ.get(backends.MODERATION_VARIABLE) else "absent"


def _unmakeable(event: EventSection) -> str | None:
    """Why the faults of an event cannot be made of the part as the environment has it, if so."""
    variable = _VARIABLES[event.to]
    url, asked = backends.url(variable), {*event.body, *(event.then or {})}
    if url is None:
        if asked == {"lock"}:
            return None
        return (
            f"to = {event.to!r} asks for {', '.join(sorted(asked))}, and SQLite's file has no "
            f"network: set {variable}, or ask for {{ lock = true }}"
        )
    if "lock" in asked:
        return (
            f"to = {event.to!r} locks SQLite's file, and {variable} names another part: unset it, "
            f"or ask for any of {NETWORK}"
        )
    try:
        backend_of(url)
    except FaultError as error:
        return f"{variable}: {error}"
    return None
