"""What a web session is asked for, as the scenario that its run records.

The scenario is written as TOML and read like any other, so that a mistake on the command line is
named as one in a file would be, and so that what was tried by hand can be played again as a run.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from architectures.spec import EnsembleChoice
from harness.scenario import Scenario
from harness.scenario_file import parse_scenario
from workloads.plan import PlanHeader

NAME = "web"
SOURCE = "harness web"

PAYLOADS = 50
"""Fewer than a scenario's: somebody is waiting for the page while reference answers are made."""

_FIRST_RATE_RPS = 10.0
"""Stands in the scenario until something has been played."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says.

    Attributes:
        sut: ``architecture:variant``.
        choice: the ensemble; the first of its graphs is the one the form begins with.
        graph: that graph.
        cores: that the SUT is pinned to.
        workers: processes that send.
    """

    sut: str
    choice: EnsembleChoice
    graph: str
    cores: int = 1
    slo_ms: float = 500.0
    percentile: float = 95.0
    workers: int = 1

    def scenario(self) -> Scenario:
        """Before anything has been played.

        Raises:
            ScenarioError: something asked for cannot be meant.
        """
        return parse_scenario(self.toml(), SOURCE)

    def toml(self) -> str:
        """The scenario as a file would hold it."""
        return toml(self._document())

    def _document(self) -> dict[str, Any]:
        choice = self.choice
        return {
            "name": NAME,
            "summary": "Explored by hand in the web UI: each load step is one attempt.",
            "suts": [self.sut],
            "ensemble": {
                "module": choice.module,
                "tier": choice.tier,
                "graph": self.graph,
                "serve": list(choice.graphs),
                "search_path": list(choice.search_path),
            },
            "budget": {"cores": self.cores, "start_up_limit_s": 300.0},
            "load": {
                "rates": [_FIRST_RATE_RPS],
                "blocks": 1,
                "payloads": PAYLOADS,
                "drain_s": max(5.0, self.slo_ms / 1e3),
            },
            "slo": {"percentile": self.percentile, "response_time_s": self.slo_ms / 1e3},
            "generator": {"workers": self.workers},
        }


def with_attempts(scenario: Scenario, headers: Sequence[PlanHeader]) -> Scenario:
    """The scenario with what was played: every attempt's rate, and the last one's other values.

    A scenario has one arrival process and one length for all its load steps, an attempt its own:
    those stand in each plan.
    """
    last = headers[-1]
    played = {
        "rates": tuple(header.rate_rps for header in headers),
        "workload": last.workload,
        "shape": dict(last.shape),
        "warm_up_s": last.warm_up_s,
        "steady_s": last.steady_s,
    }
    return scenario.model_copy(update={"load": scenario.load.model_copy(update=played)})


def in_words(header: PlanHeader, graph: str) -> str:
    """What an attempt was asked, for example ``poisson 20 rps``.

    Args:
        header: of its plan.
        graph: the session's own; another one is named.
    """
    said = f"{header.workload} {header.rate_rps:g} rps"
    if header.concurrency is not None:
        said = f"{header.concurrency} at once"
    if header.graphs != (graph,):
        said += f" of {', '.join(header.graphs)}"
    if header.mix:
        said += f", {', '.join(f'{value} {weight:g}' for value, weight in header.mix.items())}"
    return said


def toml(document: Mapping[str, Any]) -> str:
    """A document of tables as TOML: plain values first, then a section each."""
    plain = {key: value for key, value in document.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for title, section in document.items():
        if isinstance(section, Mapping):
            lines += ["", f"[{title}]"]
            lines += [f"{key} = {_value(value)}" for key, value in section.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    """A TOML value; JSON writes text, numbers, lists and truth as TOML does, and no table."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(key)} = {_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False)
