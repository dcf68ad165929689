"""What a hypothesis is tested by: a scenario, or a plan of effort, and every name in it."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from pydantic_core import PydanticCustomError

from architectures import catalog
from architectures.catalog import CatalogError
from harness.effort.plan import EffortPlan
from harness.effort.plan import read_plan as read_effort_plan
from harness.expected import expected_s
from harness.rate import parse_rate
from harness.remote import is_remote
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError, read_scenario
from reports.claims.written import ClaimError
from reports.effort.found import FIGURES
from reports.metrics import METRICS

CODE_LINES = "code_lines"


@dataclass(frozen=True, slots=True)
class Known:
    """A metric that a record holds.

    Attributes:
        scale: what a figure in the key's own unit is multiplied by, to be in ``unit``.
    """

    name: str
    unit: str
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Evidence:
    """One file that says how evidence is made.

    Attributes:
        written: as claims write its path.
        path: where it lies.
    """

    written: str
    path: Path
    section: Scenario | EffortPlan

    @property
    def kind(self) -> Literal["run", "effort"]:
        """The word of ``python -m harness`` that makes it."""
        return "effort" if isinstance(self.section, EffortPlan) else "run"

    @property
    def name(self) -> str:
        """As its recorded runs are called."""
        return self.section.name

    @property
    def command(self) -> str:
        """What makes it, for a command line."""
        return f"python -m harness {self.kind} {self.near}"

    @property
    def near(self) -> Path:
        """Its path as seen from here, where it lies below; whole otherwise."""
        whole = self.path.resolve()
        return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole

    @cached_property
    def suts(self) -> tuple[str, ...]:
        """Keys of its SUTs, ``architecture:variant``.

        Raises:
            ClaimError: it names one that is not there.
        """
        return tuple(sut_key(name, str(self.path)) for name in self.section.suts)

    @property
    def steps(self) -> tuple[str, ...]:
        """Its load steps as records call them; none of a plan of effort."""
        if isinstance(self.section, EffortPlan):
            return ()
        load = self.section.load
        rates = [rate.asked for rate in load.offered()]
        return (*rates, *(f"{clients} at once" for clients in load.concurrency))

    @property
    def deployments(self) -> tuple[str, ...]:
        """Its deployments' names; none of a scenario."""
        if isinstance(self.section, Scenario):
            return ()
        return tuple(deployment.name for deployment in self.section.deployments)

    @property
    def metrics(self) -> Mapping[str, "Known"]:
        """All that its records hold, by key."""
        if isinstance(self.section, Scenario):
            return {metric.key: Known(metric.name, metric.unit) for metric in METRICS}
        figures = {one.key: Known(one.name, one.unit, one.scale) for one in FIGURES}
        return {**figures, CODE_LINES: Known("Wiring", "lines")}

    @property
    def expected_s(self) -> float | None:
        """About how long it takes; of effort nobody knows before."""
        return None if isinstance(self.section, EffortPlan) else expected_s(self.section)

    @property
    def lacking(self) -> str:
        """Why this machine cannot make it, in words; empty where it can."""
        cores, here = self.section.budget.cores, len(os.sched_getaffinity(0))
        if cores < here:
            return ""
        return f"needs {cores + 1} cores, this machine lets us use {here}"


def sut_key(name: str, source: str) -> str:
    """``architecture:variant`` of a SUT as it may be written.

    Raises:
        ClaimError: there is none; ``source`` is named.
    """
    if is_remote(name):
        return name
    try:
        return _key(name)
    except CatalogError as error:
        raise ClaimError(f"{source}: {error}") from error


@cache
def _key(name: str) -> str:
    """Looked up once: the catalogue reads the entry points of everything that is installed."""
    architecture, variant = catalog.parse(name)
    return f"{architecture.name}:{variant.name}"


def step_asked(at: str) -> str:
    """A load step as records call it: ``20`` is ``20 rps``."""
    try:
        number: float | str = float(at)
    except ValueError:
        number = at
    try:
        return parse_rate(number).asked
    except PydanticCustomError:
        return at


def find_file(written: str, claim: Path) -> Path:
    """Where a claim's scenario lies: beside the claim, or below a folder above it.

    Raises:
        ClaimError: nowhere.
    """
    for folder in claim.resolve().parents:
        if (folder / written).is_file():
            return folder / written
    raise ClaimError(
        f"{claim}: scenario = {written!r} is no file; it is looked for from the claim's folder "
        "upwards, so write it as seen from the checkout's top"
    )


def read_evidence(written: str, path: Path) -> Evidence:
    """Read a scenario, or a plan of effort, whichever it is.

    Raises:
        ClaimError: it cannot be run as written.
    """
    try:
        effort = _is_plan(path)
        return Evidence(written, path, read_effort_plan(path) if effort else read_scenario(path))
    except ScenarioError as error:
        raise ClaimError(str(error)) from error


def _is_plan(path: Path) -> bool:
    """Whether it speaks of deployments; what is no TOML is left to who reads it in words."""
    try:
        return "deployments" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False
