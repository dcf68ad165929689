"""The whole ensemble in one web server: N processes that share the weights, no hop."""

import sys
from pathlib import Path

from architectures.contract import READY_PATH
from architectures.server_config import HOST, ServerConfig, for_launch
from architectures.spec import Architecture, Blueprint, Component, Launch, Variant

BATCHING = "batching"
"""The variants' one option: whether stages run in micro-batches beside the event loop."""

_COMPONENT = "server"


def worker_count(config: ServerConfig) -> int:
    """Processes that serve: as many as keep every core busy with the torch threads allowed.

    A device other than the CPU has one process: its context cannot be forked.
    """
    if config.ensemble.device != "cpu":
        return 1
    return max(1, config.cores // config.policy.torch_threads)


def blueprint(launch: Launch) -> Blueprint:
    """One component: the server and the workers it forks."""
    config = for_launch(launch, ARCHITECTURE.name, launch.port(), (_COMPONENT,))
    environment = config.environment()
    if worker_count(config) > 1:
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(Path(config.directory) / "metrics")
    url = f"http://{HOST}:{config.port}"
    server = Component(
        _COMPONENT,
        (sys.executable, "-m", "architectures.monolith.server"),
        url + READY_PATH,
        environment,
    )
    return Blueprint((server,), url)


ARCHITECTURE = Architecture(
    name="monolith",
    summary="One FastAPI server runs every stage: a worker a core, weights shared between them.",
    variants=(
        Variant(
            "default",
            "A micro-batch queue a stage in front of a bounded executor, "
            "so that the event loop never waits.",
            {BATCHING: True},
        ),
        Variant(
            "naive",
            "What the field warns of: the handler itself runs the models, one request at a time, "
            "no batching, the event loop blocked meanwhile.",
            {BATCHING: False},
        ),
    ),
    blueprint=blueprint,
)
