"""What all trials of a run share, and how they tell how far they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from architectures.plugin import Example
from harness.backends import NO_BACKENDS, Backends
from harness.environment import Cores
from harness.record import Step
from harness.run_directory import RunDirectory
from harness.scenario import Scenario

Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being done and which share of it is behind us."""

Score: TypeAlias = Callable[[str, Mapping[str, Any], Mapping[str, Any]], Mapping[str, float]]
"""``score(graph, document, label)`` of an ensemble (``architectures.plugin.Ensemble``)."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials of a run share.

    Attributes:
        references: graph -> its answers; entry i answers payload i. Empty where nobody answers,
            and without the graphs whose answers vary.
        ceiling_rps: in-process, at the best batch size; None where it cannot be measured.
        own: graph -> what it is asked in place of the payloads, of those that differ.
        varying: the graphs whose answers depend on more than the request.
        score: how good an answer is; None where the ensemble does not say.
        backends: what stands beside the SUTs.
    """

    scenario: Scenario
    cores: Cores
    directory: RunDirectory
    payloads: Sequence[Example]
    references: Mapping[str, Sequence[Any]]
    steps: Sequence[Step]
    ceiling_rps: float | None
    own: Mapping[str, Sequence[Example]] = field(default_factory=dict)
    varying: frozenset[str] = frozenset()
    score: Score | None = None
    backends: Backends = NO_BACKENDS

    def asked(self, graph: str) -> Sequence[Example]:
        """A graph's requests; entry i is payload i."""
        return self.own.get(graph, self.payloads)
