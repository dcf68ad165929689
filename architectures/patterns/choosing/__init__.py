"""Online choosing: a contextual bandit picks, per request, which classifier answers.

``POST /v1/online/choose`` shares what is learnt among all replicas; with ``online/choose_apart``
each replica learns alone. Rewards come with the request (``x-label``), or later as feedback.
"""

from collections.abc import Mapping
from typing import Any

from architectures.graph import Endpoint, Graph, IoStage, Node, Stage
from architectures.patterns.arms import ARMS, all_right, reward
from architectures.patterns.choosing import feedback
from architectures.patterns.choosing.context import WIDTH
from architectures.patterns.choosing.feedback import take
from architectures.patterns.crops import TO_CROP
from architectures.patterns.label_header import LABEL_HEADER, with_label
from architectures.patterns.tags import SHARE_SCHEMA, TAGS_SCHEMA, object_schema
from architectures.plugin import Example, StageSpec

__all__ = ["ACTIONS", "GRAPHS", "STAGES", "act", "load_stage", "request", "score", "take"]

STAGES: Mapping[str, StageSpec] = {
    "read_context": StageSpec("read_context", "light"),
    "choose_arm": StageSpec("choose_arm", "io"),
    "choose_arm_apart": StageSpec("choose_arm_apart", "io"),
    "answer_choice": StageSpec("answer_choice", "light"),
    "learn_choice": StageSpec("learn_choice", "io"),
}

ANSWER_SCHEMA = object_schema(
    {
        "tags": TAGS_SCHEMA,
        "model": {"enum": list(ARMS)},
        "cost": SHARE_SCHEMA,
        "propensity": SHARE_SCHEMA,
        "context": {
            "type": "array",
            "items": {"type": "number"},
            "minItems": WIDTH,
            "maxItems": WIDTH,
        },
        "state": {"enum": ["shared", "apart"]},
        "state_version": {"type": "integer", "minimum": 0},
        "replica": {"type": "string"},
    }
)


def _graph(name: str, choose: str) -> Graph:
    return Graph(
        name,
        (
            *TO_CROP,
            Node(
                "read_context",
                {"crop": "crop.crop", "box": "detect.box", "headers": "request.headers"},
            ),
            Node(choose, {"context": "read_context.context"}),
            *(
                Node(f"classify_{arm}", {"crop": "crop.crop"}, when=f"{choose}.{arm}")
                for arm in ARMS
            ),
            Node(
                "answer_choice",
                {
                    "choice": f"{choose}.choice",
                    **{arm: f"classify_{arm}.scores?" for arm in ARMS},
                },
            ),
            Node(
                "learn_choice",
                {"answer": "answer_choice.answer", "label": "read_context.label"},
                when="read_context.labelled",
                detached=True,
            ),
        ),
        answer="answer_choice.answer",
        answer_schema=ANSWER_SCHEMA,
        endpoint=Endpoint(headers=(LABEL_HEADER,)),
        varies=True,
    )


GRAPHS: Mapping[str, Graph] = {
    name: _graph(name, choose)
    for name, choose in (
        ("online/choose", "choose_arm"),
        ("online/choose_apart", "choose_arm_apart"),
    )
}

ACTIONS: Mapping[str, str] = {
    "choosing": "Tells each arm's rewards seen and their mean, in the shared and every own state."
}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage or tier.
    """
    from architectures.patterns.choosing import stages
    from architectures.state import open_store

    match name:
        case "read_context":
            return stages.read_context
        case "answer_choice":
            return stages.answer_choice(tier)
        case "learn_choice":
            return stages.LearnChoice(open_store())
        case "choose_arm" | "choose_arm_apart":
            return stages.ChooseArm(open_store(), apart=name.endswith("apart"))
        case _:
            raise KeyError(name)


def request(graph: str, example: Example) -> Example:  # noqa: ARG001 - as all rooms
    """The example with its label in a header: its feedback follows the answer at once."""
    return with_label(example)


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """``right``: 1 where all three tags are; ``reward``: that, less the price of the run."""
    right = all_right(document["tags"], label)
    return {"right": right, "reward": reward(right, document["cost"])}


async def act(action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - it has one, and takes nothing
    """Carry out one of ``ACTIONS``."""
    return await feedback.rewards_seen()
