"""From a server's configuration to a Serve application, in either layout."""

from math import ceil
from typing import TYPE_CHECKING, Any

from ray import serve

from architectures.plugin import load_ensemble
from architectures.ray_serve.replicas import Fused, Ingress, StageReplica
from architectures.server_config import ServerConfig

if TYPE_CHECKING:
    from ray.serve import Application, Deployment

_UNBOUNDED = 10_000
"""Serve must never refuse or hold a request: the contract's door does, and health checks pass."""


def build(config: ServerConfig) -> "Application":
    """The application of the layout that ``config.options`` names."""
    if config.options["layout"] == "fused":
        return _fused(config)
    return _split(config)


def _fused(config: ServerConfig) -> "Application":
    """A replica a core, each with an equal share of the bound."""
    share = ceil(config.policy.queue_bound / config.cores)
    options = _options(config, "fused", config.cores, processes=config.cores)
    return _deployment(serve.ingress()(Fused), options).bind(config, share)


def _split(config: ServerConfig) -> "Application":
    """A deployment a model stage: stages run side by side, so few cores need one replica each."""
    stages = load_ensemble(config.ensemble).STAGES.values()
    names = [spec.name for spec in stages if spec.kind == "model"]
    replicas = ceil(config.cores / max(len(names), 1))
    handles = {
        name: _deployment(
            StageReplica, _options(config, name, replicas, processes=replicas * len(names))
        ).bind(config, name)
        for name in names
    }
    options = _options(config, "ingress", 1, processes=0)
    return _deployment(serve.ingress()(Ingress), options).bind(
        config, config.policy.queue_bound, handles
    )


def _deployment(replica: type, options: dict[str, Any]) -> "Deployment":
    deployment: Deployment = serve.deployment(**options)(replica)
    return deployment


def _options(config: ServerConfig, name: str, replicas: int, processes: int) -> dict[str, Any]:
    """One deployment's options; ``processes`` share the GPU, if there is one and they use it."""
    on_gpu = config.ensemble.device.startswith("cuda") and processes
    return {
        "name": name,
        "num_replicas": replicas,
        "max_ongoing_requests": _UNBOUNDED,
        # Cores are pinned from outside; to Ray they are only numbers that must not run out.
        "ray_actor_options": {"num_cpus": 0, **({"num_gpus": 1 / processes} if on_gpu else {})},
        "max_constructor_retry_count": 1,
        "graceful_shutdown_wait_loop_s": 0.1,
        "graceful_shutdown_timeout_s": 2.0,
    }
