"""Select: a cheap router sends each item to the classifier of its group; ``/v1/ensemble/select``.

One classifier runs where the aggregate runs three. Which one serves a group was chosen by accuracy
on training images that no model learned from, each classifier serving at least one group.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from architectures.ensemble.attributes import CATEGORIES
from architectures.ensemble.types import Bytes, Floats
from architectures.graph import Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.patterns import parameters
from architectures.patterns.aggregate import MEMBERS
from architectures.patterns.crops import TO_CROP
from architectures.patterns.image_features import EDGE_BINS, edges
from architectures.patterns.tags import (
    SHARE_SCHEMA,
    TAGS_SCHEMA,
    object_schema,
    right,
    rounded,
    tags,
)
from architectures.plugin import StageSpec

GROUPS: Mapping[str, tuple[str, ...]] = {
    "clothing": ("shirt", "trousers", "dress", "hat"),
    "footwear": ("shoe",),
    "tableware": ("mug", "bottle"),
    "furniture": ("chair", "lamp"),
    "accessories": ("bag", "watch", "glasses"),
}

GROUP_OF = {category: group for group, members in GROUPS.items() for category in members}

PARAMETERS = "select"
"""Name of the fitted arrays: the router's, and ``members``, the classifier of each group."""

SIDE_PX = 48
"""Side of the square whose edges the router reads."""

STAGES: Mapping[str, StageSpec] = {
    "route": StageSpec("route", "model"),
    "tell_selected": StageSpec("tell_selected", "light"),
}

SELECT = Graph(
    "ensemble/select",
    (
        *TO_CROP,
        Node("route", {"crop": "crop.crop"}),
        *(
            Node(f"classify_{member}", {"crop": "crop.crop"}, when=f"route.{member}")
            for member in MEMBERS
        ),
        Node(
            "tell_selected",
            {
                "group": "route.group",
                "share": "route.share",
                **{member: f"classify_{member}.scores?" for member in MEMBERS},
            },
        ),
    ),
    answer="tell_selected.answer",
    answer_schema=object_schema(
        {
            "tags": TAGS_SCHEMA,
            "group": object_schema({"value": {"enum": list(GROUPS)}, "score": SHARE_SCHEMA}),
            "models_run": {
                "type": "array",
                "items": {"enum": list(MEMBERS)},
                "minItems": 1,
                "maxItems": 1,
            },
        }
    ),
)

GRAPHS: Mapping[str, Graph] = {SELECT.name: SELECT}

_CELLS = SIDE_PX // 8
_SHAPES = {
    "coefficients": (len(CATEGORIES), _CELLS * _CELLS * EDGE_BINS),
    "intercepts": (len(CATEGORIES),),
}
_MEMBERSHIP = np.array(
    [[GROUP_OF[category] == group for group in GROUPS] for category in CATEGORIES], np.float64
)
"""``(categories, groups)``: 1 where a category belongs to a group."""


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage.
    """
    if name == "route":
        return _route(tier)
    return {"tell_selected": _tell_all}[name]


def digests(tier: str) -> dict[str, str]:
    """Who its fitted arrays are."""
    return {PARAMETERS: parameters.digest(tier, PARAMETERS)}


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each right tag, and for the right group."""
    group = float(document["group"]["value"] == GROUP_OF[label["category"]])
    return {**right(document["tags"], label), "group": group}


def routing_features(crop: Bytes) -> Floats:
    """What the router reads of a crop ``(side, side, 3)``: the edges of a small square, flat."""
    return edges(Image.fromarray(crop), SIDE_PX).ravel()


def routes(tier: str) -> dict[str, str]:
    """Group -> the classifier that serves it in a tier."""
    return _routes(parameters.load(tier, PARAMETERS, _SHAPES))


def _routes(arrays: parameters.Arrays) -> dict[str, str]:
    """Drawn parameters choose none: then the groups take turns."""
    chosen = arrays.get("members", np.arange(len(GROUPS)) % len(MEMBERS))
    return {group: MEMBERS[int(index)] for group, index in zip(GROUPS, chosen, strict=True)}


def _route(tier: str) -> Stage:
    """``crop`` to ``group``, its ``share``, and for each classifier whether it is to run.

    A logistic regression of the category, whose odds are added up by group.
    """
    arrays = parameters.load(tier, PARAMETERS, _SHAPES)
    weights = arrays["coefficients"].T.astype(np.float64)
    offsets = arrays["intercepts"].astype(np.float64)
    member_of, groups = _routes(arrays), list(GROUPS)

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        logits = np.stack([routing_features(member["crop"]) for member in batch]) @ weights
        odds = np.exp(logits + offsets - logits.max(1, keepdims=True))
        shares = odds @ _MEMBERSHIP / odds.sum(1, keepdims=True)
        return [one(row) for row in shares]

    def one(shares: Floats) -> Outputs:
        best = int(shares.argmax())
        group = groups[best]
        runs = {member: member == member_of[group] for member in MEMBERS}
        return {"group": group, "share": rounded(shares[best]), **runs}

    return stage


def _tell_all(batch: Sequence[Inputs]) -> list[Outputs]:
    return [{"answer": _told(member)} for member in batch]


def _told(member: Inputs) -> dict[str, Any]:
    """The group and the scores of the classifier that ran, as plain JSON values."""
    (ran,) = (name for name in MEMBERS if member[name] is not None)
    return {
        "tags": tags(np.asarray(member[ran])),
        "group": {"value": member["group"], "score": member["share"]},
        "models_run": [ran],
    }
