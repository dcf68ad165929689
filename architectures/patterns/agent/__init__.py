"""Online agent: after each classifier a policy decides whether to stop or to run another.

``POST /v1/online/agent``. Trained in simulation (``agent.training``), shipped, and improved by the
labels that come with requests (``x-label``) or later as feedback. ``online/agent_all`` runs every
classifier and ``online/only_<arm>`` one: what the agent, and the bandit of ``choosing``, are
measured against.
"""

from collections.abc import Mapping
from typing import Any

from architectures.graph import Graph, IoStage, Stage
from architectures.patterns.agent import feedback, graphs, learning
from architectures.patterns.agent.feedback import take
from architectures.patterns.arms import ARMS, all_right, reward
from architectures.patterns.label_header import with_label
from architectures.plugin import Example, StageSpec

__all__ = [
    "ACTIONS",
    "GRAPHS",
    "STAGES",
    "act",
    "digests",
    "load_stage",
    "request",
    "score",
    "take",
]

STAGES: Mapping[str, StageSpec] = {
    "decide_next": StageSpec("decide_next", "io"),
    "answer_models": StageSpec("answer_models", "light"),
    "learn_steps": StageSpec("learn_steps", "io"),
}

GRAPHS: Mapping[str, Graph] = {
    graph.name: graph
    for graph in (
        graphs.agent(),
        graphs.always("online/agent_all", ARMS),
        *(graphs.always(f"online/only_{arm}", [arm]) for arm in ARMS),
    )
}

ACTIONS: Mapping[str, str] = {
    "agent": "Tells how many examples the agent has learnt from since it was shipped."
}


def digests(tier: str) -> dict[str, str]:
    """Who its shipped policy is; nobody where none is shipped."""
    digest = learning.shipped_digest(tier)
    return {"agent": digest} if digest else {}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage or tier.
    """
    from architectures.patterns.agent import stages
    from architectures.state import open_store

    match name:
        case "answer_models":
            return stages.answer_of_models(tier)
        case "decide_next":
            return stages.DecideNext(stages.Known(open_store(), tier), stages.EXPLORE)
        case "learn_steps":
            return stages.LearnSteps(stages.Known(open_store(), tier), tier)
        case _:
            raise KeyError(name)


def request(graph: str, example: Example) -> Example:
    """For the agent, the example with its label in a header: its feedback follows at once."""
    return with_label(example) if GRAPHS[graph].endpoint.headers else example


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """``right``: 1 where all three tags are; ``reward``: that, less the price of all runs."""
    right = all_right(document["tags"], label)
    return {"right": right, "reward": reward(right, document["cost"])}


async def act(action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - it has one, and takes nothing
    """Carry out one of ``ACTIONS``."""
    return await feedback.examples_seen()
