"""Every ensemble there is in one: the built-in one, the serving patterns, and the branching one.

One deployment of it shows what many would.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import branching

from architectures import ensemble, patterns
from architectures.graph import Graph, IoStage, Stage
from architectures.plugin import Admin, Example, StageSpec

TIERS = ensemble.TIERS
MEDIA_TYPES = ensemble.MEDIA_TYPES

describe = ensemble.describe
examples = ensemble.examples

_PARTS: tuple[ModuleType, ...] = (ensemble, patterns, branching)
_OF_GRAPH = {graph: part for part in _PARTS for graph in part.GRAPHS}
_OF_STAGE = {stage: part for part in _PARTS for stage in part.STAGES}

assert not set(branching.STAGES) & (set(patterns.STAGES) | set(ensemble.STAGES))

STAGES: Mapping[str, StageSpec] = {name: part.STAGES[name] for name, part in _OF_STAGE.items()}
GRAPHS: Mapping[str, Graph] = {name: _OF_GRAPH[name].GRAPHS[name] for name in _OF_GRAPH}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    stage: Stage | IoStage = _OF_STAGE[name].load_stage(name, tier, device, threads)
    return stage


def request(graph: str, example: Example) -> Example:
    part = _OF_GRAPH[graph]
    if part is branching:  # its own examples are texts
        (example,) = branching.examples("load", 1, example.key)
        return branching.request(graph, example)
    made: Example = part.request(graph, example) if hasattr(part, "request") else example
    return made


class _Operators:
    def __init__(self, tier: str) -> None:
        self._all: list[Any] = [patterns.load_admin(tier), branching.load_admin(tier)]
        self.actions = {name: said for one in self._all for name, said in one.actions.items()}

    async def act(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        (operator,) = (one for one in self._all if action in one.actions)
        done: Mapping[str, Any] = await operator.act(action, body)
        return done


def load_admin(tier: str) -> Admin:
    return _Operators(tier)
