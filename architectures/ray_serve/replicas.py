"""What runs inside Serve's replicas: the ingress of either layout, and one stage of the split one.

Plain classes; ``architectures.ray_serve.application`` makes deployments of them.
"""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from architectures.contract import Problem
from architectures.front import create_app
from architectures.graph import (
    Answer,
    Graph,
    Inputs,
    Outputs,
    Stage,
    StageResult,
    run_batch,
    walk,
)
from architectures.microbatch import StageExecutor
from architectures.plugin import Ensemble, load_ensemble
from architectures.ray_serve.batches import Batches, Ran
from architectures.ray_serve.loopback import bind_replica
from architectures.server_config import ServerConfig

# Before the replica starts its servers: it imports this module to find its class.
bind_replica()

READY_FILE = "ready"


def _load(config: ServerConfig, ensemble: Ensemble, names: Sequence[str]) -> dict[str, Stage]:
    choice, threads = config.ensemble, config.policy.torch_threads
    return {name: ensemble.load_stage(name, choice.tier, choice.device, threads) for name in names}


class Fused:
    """The whole ensemble in one replica: a batch of requests walks a graph stage by stage.

    Args:
        config: this deployment's part of the launch.
        queue_bound: this replica's share of the SUT's bound.
    """

    def __init__(self, config: ServerConfig, queue_bound: int) -> None:
        self._config = config
        self._queue_bound = queue_bound
        self._ensemble = load_ensemble(config.ensemble)
        stages = _load(config, self._ensemble, tuple(self._ensemble.STAGES))
        executor = ThreadPoolExecutor(1, "model")
        self._batches: dict[str, Batches[Answer | Problem]] = {
            graph.name: Batches(partial(run_batch, graph, stages), config.policy, executor)
            for graph in self._ensemble.GRAPHS.values()
        }

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The contract's application, built where it runs: Serve mounts what this returns."""
        return _door(self._config, self._ensemble, self._run, self._queue_bound)

    async def _run(self, graph: Graph, inputs: Inputs) -> Answer:
        ran = await self._batches[graph.name].run(inputs)
        if isinstance(ran.result, Problem):
            raise ran.result
        return _with_queue(ran.result, ran.queue_ns)


def _with_queue(answer: Answer, queue_ns: int) -> Answer:
    """Count the wait for the batch as the first stage's queue: the others are entered at once."""
    first, *others = answer.timings
    waited = dataclasses.replace(first, wall_ns=first.wall_ns + queue_ns, queue_ns=queue_ns)
    return Answer(answer.document, (waited, *others))


class Ingress:
    """The split layout's door: walks graphs over handles, and keeps the light stages beside it.

    A hop costs more than a light stage's own work, so no practitioner would give one a replica.

    Args:
        config: this deployment's part of the launch.
        queue_bound: the SUT's bound.
        handles: model stage -> its deployment.
    """

    def __init__(self, config: ServerConfig, queue_bound: int, handles: Mapping[str, Any]) -> None:
        self._config = config
        self._queue_bound = queue_bound
        self._ensemble = load_ensemble(config.ensemble)
        self._handles = handles
        light = [name for name in self._ensemble.STAGES if name not in handles]
        self._light = StageExecutor(_load(config, self._ensemble, light), config.policy)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The contract's application, built where it runs: Serve mounts what this returns."""
        return _door(self._config, self._ensemble, self._run, self._queue_bound)

    async def _run(self, graph: Graph, inputs: Inputs) -> Answer:
        return await walk(graph, inputs, partial(self._call, self._light.admit()))

    def _call(self, light_call: Any, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        handle = self._handles.get(stage)
        if handle is None:
            future: asyncio.Future[StageResult] = light_call(stage, inputs)
            return future
        return asyncio.get_running_loop().create_task(_remote(handle, inputs))


async def _remote(handle: Any, inputs: Inputs) -> StageResult:
    """Run one member in a stage's replica; cancelling this task cancels it there too."""
    response = handle.remote(inputs)
    try:
        result: StageResult | Problem = await response
    except asyncio.CancelledError:
        response.cancel()
        raise
    if isinstance(result, Problem):
        raise result
    return result


class StageReplica:
    """One model stage of the split layout."""

    def __init__(self, config: ServerConfig, stage: str) -> None:
        stages = _load(config, load_ensemble(config.ensemble), (stage,))
        self._batches: Batches[Outputs | Problem] = Batches(
            stages[stage], config.policy, ThreadPoolExecutor(1, "model")
        )

    async def __call__(self, inputs: Inputs) -> StageResult | Problem:
        """Run one member. A refusal is returned: raised, Serve would log it as a failure."""
        ran: Ran[Outputs | Problem] = await self._batches.run(inputs)
        if isinstance(ran.result, Problem):
            return ran.result
        return StageResult(ran.result, ran.queue_ns, ran.compute_ns, ran.batch_size)


def _door(config: ServerConfig, ensemble: Ensemble, run: Any, queue_bound: int) -> FastAPI:
    # Serve routes to an ingress before the deployments it calls have started.
    ready = Path(config.directory, READY_FILE).exists
    return create_app(config, ensemble, run, queue_bound=queue_bound, ready=ready)
