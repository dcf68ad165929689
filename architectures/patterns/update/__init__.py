"""Update: a candidate runs in the shadow, answers a share, is promoted or rolled back.

``/v1/ensemble/update``, and the admin actions of ``orders``. Models are replaced while serving:
every replica follows the published rollout, and nothing restarts.
"""

from collections.abc import Callable, Mapping
from typing import Any

from architectures.graph import Graph, IoStage, Node, Stage
from architectures.patterns.crops import TO_CROP
from architectures.patterns.tags import TAGS_SCHEMA, object_schema, right
from architectures.patterns.update.orders import ACTIONS, MODELS, act
from architectures.patterns.update.rollout import CANDIDATE, KNOWN_GOOD, SLOTS
from architectures.plugin import StageSpec
from architectures.state import Store, open_store

__all__ = ["ACTIONS", "GRAPHS", "STAGES", "act", "load_stage", "score"]

_SLOT_OF = {"serve_known_good": KNOWN_GOOD, "serve_candidate": CANDIDATE}
_LIGHT = ("route_version", "answer_version", "compare_versions")

STAGES: Mapping[str, StageSpec] = {name: StageSpec(name, "light") for name in _LIGHT} | {
    name: StageSpec(name, "model") for name in _SLOT_OF
}

_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_CLOCK: Mapping[str, Any] = {"type": ["integer", "null"]}

UPDATE = Graph(
    "ensemble/update",
    (
        Node("route_version", {"body": "request.body"}),
        *TO_CROP,
        Node(
            "serve_known_good",
            {"crop": "crop.crop"},
            name="known_good",
            when="route_version.known_good",
        ),
        Node("serve_candidate", {"crop": "crop.crop"}, name="canary", when="route_version.canary"),
        Node(
            "answer_version",
            {
                "known_good_scores": "known_good.scores?",
                "known_good_served": "known_good.served?",
                "canary_scores": "canary.scores?",
                "canary_served": "canary.served?",
                "shadow": "route_version.shadow",
                "candidate": "route_version.candidate",
                "rollout": "route_version.rollout",
            },
        ),
        Node(
            "serve_candidate",
            {"crop": "crop.crop"},
            name="shadow",
            when="route_version.shadow",
            detached=True,
        ),
        Node(
            "compare_versions",
            {
                "scores": "known_good.scores",
                "served": "known_good.served",
                "shadow_scores": "shadow.scores",
                "shadow_served": "shadow.served",
                "candidate": "route_version.candidate",
            },
            detached=True,
        ),
    ),
    answer="answer_version.answer",
    answer_schema=object_schema(
        {
            "tags": TAGS_SCHEMA,
            "slot": {"enum": list(SLOTS)},
            "version": {"type": "integer", "minimum": 1},
            "model": {"enum": list(MODELS)},
            "replica": {"type": "string"},
            "published_ns": _CLOCK,
            "adopted_ns": _CLOCK,
            "rollout": _COUNT,
            "shadowed": {"type": "boolean"},
            "models_run": {"type": "array", "items": {"enum": list(MODELS)}},
        }
    ),
    varies=True,
)

GRAPHS: Mapping[str, Graph] = {UPDATE.name: UPDATE}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage.
        BackendError: the process has no place for shared state.
    """
    from architectures.patterns.update import routing

    store = open_store()
    if name in _SLOT_OF:
        from architectures.patterns.update.slot import Slot

        return Slot(_SLOT_OF[name], tier, device, threads, store)
    light: dict[str, Callable[[Store], Stage]] = {
        "route_version": routing.RouteVersion,
        "answer_version": routing.AnswerVersion,
        "compare_versions": routing.CompareVersions,
    }
    return light[name](store)


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each right tag."""
    return right(document["tags"], label)
