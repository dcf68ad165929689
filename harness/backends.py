"""What stands beside the SUTs while a run is prepared and played."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from architectures import backends
from harness.moderation import Moderation, moderation
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError

_VARIABLES = {
    "state": backends.STATE_VARIABLE,
    "database": backends.DATABASE_VARIABLE,
    "features": backends.FEATURES_VARIABLE,
}
_EMBEDDED = "sqlite"


@dataclass(frozen=True, slots=True)
class Backends:
    """The stateful parts that a run's SUTs are told of.

    Attributes:
        variables: of ``architectures.backends``, for every deployment and every in-process run,
            beside those of our own environment.
        moderation: our stub of the external API; None where none was asked for.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    moderation: Moderation | None = None

    def behave(self, script: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Have the stub behave so from now on; None is as the scenario says.

        Raises:
            ModerationError: it does not.
        """
        if self.moderation is None:
            return {}
        return self.moderation.behave(script)


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
    if script is None:
        yield NO_BACKENDS
        return
    with moderation(script, cores, logs) as stub:
        yield Backends({backends.MODERATION_VARIABLE: stub.url}, stub)


def kinds(scenario: Scenario) -> dict[str, str]:
    """What kind each part is of, for the record: never a URL.

    Raises:
        ScenarioError: the scenario demands one that the environment does not name.
    """
    for part in scenario.backends.demanded:
        if not backends.url(_VARIABLES[part]):
            raise ScenarioError(
                f"scenario {scenario.name!r}: backends.{part} = 'environment', but "
                f"{_VARIABLES[part]} is not set; set it to the URL of an empty one"
            )
    found = {part: _kind(variable) for part, variable in _VARIABLES.items()}
    return {**found, "moderation": _moderation(scenario)}


def _kind(variable: str) -> str:
    url = os.environ.get(variable, "")
    return urlsplit(url).scheme.partition("+")[0] or _EMBEDDED


def _moderation(scenario: Scenario) -> str:
    if scenario.backends.moderation is not None:
        return "stub"
    return "environment" if os.environ.get(backends.MODERATION_VARIABLE) else "absent"
