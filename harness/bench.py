"""What all trials of a run share, and how they tell how far they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from architectures.plugin import Example
from harness.environment import Cores
from harness.record import Step
from harness.run_directory import RunDirectory
from harness.scenario import Scenario

Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being done and which share of it is behind us."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials of a run share.

    Attributes:
        references: graph -> its answers; entry i answers payload i. Empty where nobody answers.
        ceiling_rps: in-process, at the best batch size; None where it cannot be measured.
    """

    scenario: Scenario
    cores: Cores
    directory: RunDirectory
    payloads: Sequence[Example]
    references: Mapping[str, Sequence[Any]]
    steps: Sequence[Step]
    ceiling_rps: float | None
