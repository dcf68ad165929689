"""The agent's graph, unrolled, and those that it is measured against.

A graph has no loops, so each decision has a node of its own and, after it, a node for every
classifier that may be chosen there: at most three of the nine run. ``policy_2`` and ``policy_3``
stand where one or two have run; after three there is nothing left to decide.
"""

from collections.abc import Iterable

from architectures.graph import Endpoint, Graph, Node
from architectures.patterns.arms import ARMS
from architectures.patterns.crops import TO_CROP
from architectures.patterns.label_header import LABEL_HEADER
from architectures.patterns.tags import SHARE_SCHEMA, TAGS_SCHEMA, object_schema

TURNS = (1, 2, 3)

_MODELS = {
    "tags": TAGS_SCHEMA,
    "models_run": {"type": "array", "items": {"enum": list(ARMS)}, "minItems": 1},
    "cost": {"type": "number", "minimum": 0},
}

_STEP_SCHEMA = object_schema(
    {
        "ran": {"type": "array", "items": {"enum": list(ARMS)}},
        "features": {"type": "array", "items": {"type": "number"}},
        "says": {"type": ["object", "null"]},
        "next": {"enum": ["stop", *ARMS]},
        "propensity": SHARE_SCHEMA,
        "state_version": {"type": "integer", "minimum": 0},
    }
)

_BEFORE = (*TO_CROP,)


def agent() -> Graph:
    """Decide, run, decide again, until the policy stops."""
    turns = [node for turn in TURNS for node in _turn(turn)]
    return Graph(
        "online/agent",
        (
            *_BEFORE,
            Node(
                "read_context",
                {"crop": "crop.crop", "box": "detect.box", "headers": "request.headers"},
            ),
            *turns,
            Node(
                "answer_models",
                {
                    "step_1": "policy_1.step",
                    **{f"step_{turn}": f"policy_{turn}.step?" for turn in TURNS[1:]},
                    **_scores(TURNS),
                },
            ),
            Node(
                "learn_steps",
                {"answer": "answer_models.answer", "label": "read_context.label"},
                when="read_context.labelled",
                detached=True,
            ),
        ),
        answer="answer_models.answer",
        answer_schema=object_schema(
            {
                **_MODELS,
                "steps": {"type": "array", "items": _STEP_SCHEMA},
                "state_version": {"type": "integer", "minimum": 0},
            }
        ),
        endpoint=Endpoint(headers=(LABEL_HEADER,)),
        varies=True,
    )


def always(name: str, arms: Iterable[str]) -> Graph:
    """The same classifiers for every request, and nobody to decide."""
    arms = tuple(arms)
    return Graph(
        name,
        (
            *_BEFORE,
            *(Node(f"classify_{arm}", {"crop": "crop.crop"}) for arm in arms),
            Node("answer_models", {f"{arm}_1": f"classify_{arm}.scores" for arm in arms}),
        ),
        answer="answer_models.answer",
        answer_schema=object_schema(_MODELS),
    )


def _turn(turn: int) -> tuple[Node, ...]:
    before = range(1, turn)
    policy = Node(
        "decide_next",
        {"context": "read_context.context", **_scores(before)},
        name=f"policy_{turn}",
        when=f"policy_{turn - 1}.going" if turn > 1 else "",
    )
    return (
        policy,
        *(
            Node(
                f"classify_{arm}",
                {"crop": "crop.crop"},
                name=f"{arm}_{turn}",
                when=f"policy_{turn}.{arm}",
            )
            for arm in ARMS
        ),
    )


def _scores(turns: Iterable[int]) -> dict[str, str]:
    return {f"{arm}_{turn}": f"{arm}_{turn}.scores?" for turn in turns for arm in ARMS}
