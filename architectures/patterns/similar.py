"""Similar products: embed, interact, find neighbours, rank; ``POST /v1/similar``.

The image's embedding and the query's plain features (colours) are brought together in one vector,
its neighbours among the catalogue's items are looked up, and the nearest are ranked by what the
vector leaves out: how alike colours, size and form are.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from architectures.ensemble.attributes import ATTRIBUTES
from architectures.ensemble.corpus import scene_of
from architectures.graph import Graph, IoStage, Node, Stage
from architectures.patterns import parameters
from architectures.patterns.heads import TO_FEATURES
from architectures.patterns.tags import SHARE_SCHEMA, object_schema
from architectures.plugin import StageSpec

PARAMETERS = "similar"
"""Name of the fitted arrays: the interaction's, the ranking's, and the items'."""

ANSWERED = 10
"""Items in an answer, best first."""

STAGES: Mapping[str, StageSpec] = {
    "query_features": StageSpec("query_features", "light"),
    "interact": StageSpec("interact", "model"),
    "nearest": StageSpec("nearest", "model"),
    "rank": StageSpec("rank", "light"),
}

_ITEM_SCHEMA = object_schema({"key": {"type": "integer", "minimum": 0}, "score": SHARE_SCHEMA})

SIMILAR = Graph(
    "similar",
    (
        *TO_FEATURES,
        Node("query_features", {"crop": "crop.crop", "box": "detect.box"}),
        Node(
            "interact",
            {"features": "backbone.features", "colours": "query_features.colours"},
        ),
        Node("nearest", {"vector": "interact.vector"}),
        Node(
            "rank",
            {
                "items": "nearest.items",
                "closeness": "nearest.closeness",
                "colours": "query_features.colours",
                "form": "query_features.form",
            },
        ),
    ),
    answer="rank.answer",
    answer_schema=object_schema(
        {
            "items": {
                "type": "array",
                "items": _ITEM_SCHEMA,
                "minItems": ANSWERED,
                "maxItems": ANSWERED,
            }
        }
    ),
)

GRAPHS: Mapping[str, Graph] = {SIMILAR.name: SIMILAR}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage.
    """
    from architectures.patterns import similar_stages

    return similar_stages.load(name, tier)


def digests(tier: str) -> dict[str, str]:
    """Who its fitted arrays are."""
    return {PARAMETERS: parameters.digest(tier, PARAMETERS)}


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """The shares of the answered items of the label's category, colour and pattern."""
    shown = [_shown(item["key"]) for item in document["items"]]
    return {
        kind: sum(found[place] == label[kind] for found in shown) / len(shown)
        for place, kind in enumerate(ATTRIBUTES)
    }


@cache
def _shown(key: int) -> tuple[str, ...]:
    """Category, colour and pattern of an item of the catalogue."""
    scene = scene_of(key)
    return scene.category, scene.colour, scene.pattern
