"""Who is serving: the document at ``/v1/info``, which the harness checks before it measures."""

import os
from collections.abc import Collection
from dataclasses import dataclass

from architectures.graph import Graph
from architectures.plugin import Ensemble
from architectures.server_config import ServerConfig
from architectures.spec import ServingPolicy


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A node of a graph, as reports need it.

    Attributes:
        kind: of its stage.
        after: the nodes it waits for, sorted.
        answers: whether it gives the answer.
        detached: whether nobody waits for it.
    """

    kind: str
    after: list[str]
    answers: bool
    detached: bool


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """One server's identity.

    Attributes:
        nonce: this deployment's unguessable name; a stale server on the port has another.
        remote_stages: stages that are called over a hop, sorted.
        nodes: graph -> node, as in ``Server-Timing`` -> what it is.
        pid: the process that answered.
        meaningful: False where the weights are seeded and not trained.
    """

    architecture: str
    variant: str
    ensemble: str
    ensemble_module: str
    tier: str
    device: str
    weights_digest: str
    models: dict[str, str]
    meaningful: bool
    graphs: list[str]
    nodes: dict[str, dict[str, NodeInfo]]
    media_types: list[str]
    remote_stages: list[str]
    components: list[str]
    policy: ServingPolicy
    nonce: str
    pid: int


def server_info(
    config: ServerConfig, ensemble: Ensemble, remote: Collection[str] = ()
) -> ServerInfo:
    """Identify this process and the models it serves, without loading them."""
    description = ensemble.describe(config.ensemble.tier)
    return ServerInfo(
        architecture=config.architecture,
        variant=config.variant,
        ensemble=description.name,
        ensemble_module=config.ensemble.module,
        tier=description.tier,
        device=config.ensemble.device,
        weights_digest=description.weights_digest,
        models=dict(description.models),
        meaningful=description.meaningful,
        graphs=list(ensemble.GRAPHS),
        nodes={name: _nodes(ensemble, graph) for name, graph in ensemble.GRAPHS.items()},
        media_types=list(ensemble.MEDIA_TYPES),
        remote_stages=sorted(remote),
        components=list(config.components),
        policy=config.policy,
        nonce=config.nonce,
        pid=os.getpid(),
    )


def _nodes(ensemble: Ensemble, graph: Graph) -> dict[str, NodeInfo]:
    return {
        step.key: NodeInfo(
            kind=ensemble.STAGES[step.stage].kind,
            after=sorted(step.needs),
            answers=step.key == graph.answer_node,
            detached=step.detached,
        )
        for step in graph.steps
    }
