"""The second ensemble with a second graph beside the first, one that takes its time."""

from collections.abc import Mapping, Sequence
from time import sleep

import language_guess

from architectures.contract import Problem
from architectures.graph import Graph, Inputs, Node, Outputs, Stage
from architectures.plugin import StageSpec

TIERS = language_guess.TIERS
MEDIA_TYPES = language_guess.MEDIA_TYPES
STAGES: Mapping[str, StageSpec] = {
    **language_guess.STAGES,
    "ponder": StageSpec("ponder", "model"),
}
GRAPHS: Mapping[str, Graph] = {
    **language_guess.GRAPHS,
    "length": Graph(
        "length",
        [Node("letters", {"text": "request.body"}), Node("ponder", {"length": "letters.length"})],
        answer="ponder.document",
        answer_schema={"type": "object", "required": ["length"]},
    ),
}
PONDERED_S = 0.01
"""A member's time, of which nothing can be saved."""

describe = language_guess.describe
examples = language_guess.examples


def _ponder(members: Sequence[Inputs]) -> list[Outputs | Problem]:
    sleep(PONDERED_S * len(members))
    return [{"document": {"length": int(member["length"])}} for member in members]


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage:
    if name == "ponder":
        return _ponder
    return language_guess.load_stage(name, tier, device, threads)
