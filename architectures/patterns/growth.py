"""Growth: the same vote with 3, 6, 9 and 12 classifiers, to see what each further model costs.

Members beyond the third are further instances of the three shipped classifiers: what is measured
is deployment, not accuracy.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures import ensemble
from architectures.ensemble.attributes import ATTRIBUTES, SCORE_SLICES
from architectures.ensemble.graphs import CLASSIFIERS
from architectures.graph import Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.patterns.crops import TO_CROP
from architectures.plugin import StageSpec

SIZES = (3, 6, 9, 12)

_TALLY = "tally_members"
_MEMBERS = tuple(f"member_{i:02}" for i in range(1, max(SIZES) + 1))
_DIGITS = 6

STAGES: Mapping[str, StageSpec] = {name: StageSpec(name, "model") for name in _MEMBERS} | {
    _TALLY: StageSpec(_TALLY, "light")
}


def _graph(size: int) -> Graph:
    members = _MEMBERS[:size]
    return Graph(
        f"models_{size}",
        (
            *TO_CROP,
            *(Node(member, {"crop": "crop.crop"}) for member in members),
            Node(_TALLY, {member: f"{member}.scores" for member in members}),
        ),
        answer=f"{_TALLY}.answer",
        answer_schema={
            "type": "object",
            "required": ["members", "tags"],
            "properties": {
                "members": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "object"}},
            },
        },
    )


GRAPHS: Mapping[str, Graph] = {graph.name: graph for graph in map(_graph, SIZES)}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    """Load one of ``STAGES``."""
    if name == _TALLY:
        return tally
    kind = CLASSIFIERS[_MEMBERS.index(name) % len(CLASSIFIERS)]
    return ensemble.load_stage(kind, tier, device, threads)


def tally(batch: Sequence[Inputs]) -> list[Outputs]:
    """The members' mean scores ``(n,)`` each, as the best value of every attribute."""
    return [{"answer": _answer(list(member.values()))} for member in batch]


def _answer(scores: Sequence[Any]) -> dict[str, Any]:
    mean = np.mean(np.stack(scores), axis=0)
    return {
        "members": len(scores),
        "tags": [
            {
                "kind": kind,
                "value": values[int(mean[SCORE_SLICES[kind]].argmax())],
                "score": round(float(mean[SCORE_SLICES[kind]].max()), _DIGITS),
            }
            for kind, values in ATTRIBUTES.items()
        ],
    }


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> Mapping[str, float]:
    """Each attribute right or not."""
    del graph
    return {tag["kind"]: float(tag["value"] == label[tag["kind"]]) for tag in document["tags"]}
