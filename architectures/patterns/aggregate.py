"""Aggregate: all classifiers answer, and their answers become one; ``/v1/ensemble/aggregate``.

The answer keeps what each member said, so that the whole can be compared with its best member.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.ensemble.attributes import ATTRIBUTES, SCORE_SLICES
from architectures.ensemble.features import soft_vote
from architectures.ensemble.graphs import CLASSIFIERS
from architectures.ensemble.types import Floats
from architectures.graph import Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.patterns.crops import TO_CROP
from architectures.patterns.tags import (
    NAMES_SCHEMA,
    TAGS_SCHEMA,
    object_schema,
    right,
    tags,
)
from architectures.plugin import StageSpec

STAGES: Mapping[str, StageSpec] = {"aggregate_ballots": StageSpec("aggregate_ballots", "light")}

MEMBERS = tuple(name.removeprefix("classify_") for name in CLASSIFIERS)

AGGREGATE = Graph(
    "ensemble/aggregate",
    (
        *TO_CROP,
        *(Node(name, {"crop": "crop.crop"}) for name in CLASSIFIERS),
        Node(
            "aggregate_ballots",
            {member: f"classify_{member}.scores" for member in MEMBERS},
        ),
    ),
    answer="aggregate_ballots.answer",
    answer_schema=object_schema(
        {
            "tags": TAGS_SCHEMA,
            "vote": NAMES_SCHEMA,
            "members": object_schema(dict.fromkeys(MEMBERS, TAGS_SCHEMA)),
            "models_run": {"type": "array", "items": {"enum": list(MEMBERS)}},
        }
    ),
)

GRAPHS: Mapping[str, Graph] = {AGGREGATE.name: AGGREGATE}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``; it is the same in every tier.

    Raises:
        KeyError: no such stage.
    """
    return {"aggregate_ballots": _aggregate_all}[name]


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each right tag: of the mean as ``category``, of the others as ``vote.category``."""
    voices = {"vote": document["vote"], **document["members"]}
    alone = {
        f"{voice}.{kind}": share
        for voice, found in voices.items()
        for kind, share in right(found, label).items()
    }
    return {**right(document["tags"], label), **alone}


def majority(ballots: Sequence[Floats]) -> dict[str, str]:
    """Kind -> the value most members name; among equals the one with the greatest mean score.

    Args:
        ballots: a score vector ``(SCORES,)`` of each member.
    """
    mean = soft_vote(ballots)
    return {kind: _elected(kind, ballots, mean) for kind in ATTRIBUTES}


def _elected(kind: str, ballots: Sequence[Floats], mean: Floats) -> str:
    part = SCORE_SLICES[kind]
    named = [int(np.argmax(ballot[part])) for ballot in ballots]
    best = max(dict.fromkeys(named), key=lambda value: (named.count(value), mean[part][value]))
    return ATTRIBUTES[kind][best]


def _aggregate_all(batch: Sequence[Inputs]) -> list[Outputs]:
    return [{"answer": _aggregated(member)} for member in batch]


def _aggregated(member: Inputs) -> dict[str, Any]:
    """Each member's ``scores`` to their mean, their majority, and what each said."""
    ballots = {name: np.asarray(member[name]) for name in MEMBERS}
    scores = list(ballots.values())
    return {
        "tags": tags(soft_vote(scores)),
        "vote": majority(scores),
        "members": {name: tags(ballot) for name, ballot in ballots.items()},
        "models_run": list(ballots),
    }
