"""From a server's configuration to a Serve application, in either layout."""

from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import serve

from architectures.front.metrics import DIRECTORY_VARIABLE
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
    """A replica for each torch thread's core, all with an equal share of the bound."""
    replicas = 1 if _on_gpu(config) else max(1, config.cores // config.policy.torch_threads)
    share = ceil(config.policy.queue_bound / replicas)
    options = _options(config, "fused", replicas, processes=replicas)
    if replicas > 1:
        options["ray_actor_options"]["runtime_env"] = {"env_vars": _shared_metrics(config)}
    return _deployment(serve.ingress()(Fused), options).bind(config, share)


def _shared_metrics(config: ServerConfig) -> dict[str, str]:
    """Where replicas count together: whichever is asked for ``/metrics`` answers for all."""
    folder = Path(config.directory, "metrics")
    folder.mkdir(exist_ok=True)
    return {DIRECTORY_VARIABLE: str(folder)}


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
        config, config.policy.queue_bound, handles, _lanes(replicas, config.cores)
    )


def _lanes(replicas: int, cores: int) -> int:
    """One batch a replica; where cores work side by side, another lies ready."""
    return replicas if cores == 1 else replicas + 1


def _deployment(replica: type, options: dict[str, Any]) -> "Deployment":
    deployment: Deployment = serve.deployment(**options)(replica)
    return deployment


def _on_gpu(config: ServerConfig) -> bool:
    return config.ensemble.device.startswith("cuda")


def _options(config: ServerConfig, name: str, replicas: int, processes: int) -> dict[str, Any]:
    """One deployment's options; ``processes`` share the GPU, if there is one and they use it."""
    # Rounded down, as Ray counts in ten-thousandths: six sixths must not exceed the GPU.
    gpu_share = {"num_gpus": 10_000 // processes / 10_000} if processes and _on_gpu(config) else {}
    return {
        "name": name,
        "num_replicas": replicas,
        "max_ongoing_requests": _UNBOUNDED,
        # Cores are pinned from outside; to Ray they are only numbers that must not run out.
        "ray_actor_options": {"num_cpus": 0, **gpu_share},
        "max_constructor_retry_count": 1,
        "graceful_shutdown_wait_loop_s": 0.1,
        "graceful_shutdown_timeout_s": 2.0,
    }
