"""What runs inside Serve's replicas: the ingress of either layout, and one stage of the split one.

Plain classes; ``architectures.ray_serve.application`` makes deployments of them.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from fastapi import FastAPI

from architectures.contract import Problem
from architectures.front import Run, create_app
from architectures.graph import Graph, Inputs, Outputs
from architectures.plugin import Ensemble, Loaded, load_ensemble, load_stages
from architectures.ray_serve.batches import Batches, Ran, Worked, on_thread
from architectures.ray_serve.loopback import bind_replica
from architectures.server_config import ServerConfig
from architectures.stage_calls import StageCalls
from architectures.walk import Answer, Call, StageResult, run_batch, walk

# Before the replica starts its servers: it imports this module to find its class.
bind_replica()

READY_FILE = "ready"

_Member: TypeAlias = Outputs | Problem
_CallRemote: TypeAlias = Callable[[Inputs], Awaitable[StageResult | Problem]]


def _load(config: ServerConfig, ensemble: Ensemble, names: Sequence[str]) -> Loaded:
    return load_stages(ensemble, config.ensemble, names, config.policy.torch_threads)


class Fused:
    """The whole ensemble in one replica: a batch of requests walks a graph stage by stage.

    Where a graph waits, chooses or leaves something for later, its members part: each then walks
    alone, and its stages still run in batches.

    Args:
        config: this deployment's part of the launch.
        queue_bound: this replica's share of the SUT's bound.
    """

    def __init__(self, config: ServerConfig, queue_bound: int) -> None:
        self._config = config
        self._queue_bound = queue_bound
        self._ensemble = load_ensemble(config.ensemble)
        loaded = _load(config, self._ensemble, tuple(self._ensemble.STAGES))
        executor = ThreadPoolExecutor(1, "model")
        self._batches: dict[str, Batches[Answer | Problem]] = {
            graph.name: Batches(
                on_thread(partial(run_batch, graph, loaded.compute), executor), config.policy
            )
            for graph in self._ensemble.GRAPHS.values()
            if loaded.in_lockstep(graph)
        }
        self._calls = StageCalls(loaded, config.policy)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The contract's application, built where it runs: Serve mounts what this returns."""
        return _door(self._config, self._ensemble, self._run, self._queue_bound)

    async def _run(self, graph: Graph, inputs: Inputs) -> Answer:
        batches = self._batches.get(graph.name)
        if batches is None:
            return await walk(graph, inputs, self._calls.admit(), self._calls.admit(late=True))
        ran = await batches.run(inputs)
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
        lanes: of each stage, most messages in flight where a message is a batch.
    """

    def __init__(
        self, config: ServerConfig, queue_bound: int, handles: Mapping[str, Any], lanes: int
    ) -> None:
        self._config = config
        self._queue_bound = queue_bound
        self._ensemble = load_ensemble(config.ensemble)
        self._remote: dict[str, _CallRemote] = {
            name: _by_batch(handle, config, lanes)
            if config.options["message"] == "batch"
            else partial(_by_member, handle)
            for name, handle in handles.items()
        }
        light = [name for name in self._ensemble.STAGES if name not in handles]
        self._beside = StageCalls(_load(config, self._ensemble, light), config.policy)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The contract's application, built where it runs: Serve mounts what this returns."""
        return _door(
            self._config, self._ensemble, self._run, self._queue_bound, tuple(self._remote)
        )

    async def _run(self, graph: Graph, inputs: Inputs) -> Answer:
        call, late = self._beside.admit(), self._beside.admit(late=True)
        return await walk(graph, inputs, partial(self._call, call), partial(self._call, late))

    def _call(self, call_beside: Call, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        remote = self._remote.get(stage)
        if remote is None:
            return call_beside(stage, inputs)
        return asyncio.get_running_loop().create_task(_result_of(remote(inputs)))


async def _result_of(called: Awaitable[StageResult | Problem]) -> StageResult:
    result = await called
    if isinstance(result, Problem):
        raise result
    return result


async def _by_member(handle: Any, inputs: Inputs) -> StageResult | Problem:
    """Call a stage for one member, as the composition guide does; its replica finds the batch."""
    response = handle.remote(inputs)
    try:
        result: StageResult | Problem = await response
    except asyncio.CancelledError:
        response.cancel()
        raise
    return result


def _by_batch(handle: Any, config: ServerConfig, lanes: int) -> _CallRemote:
    """Calls that share a message: the batch is found here, and a hop is paid once for it."""

    async def work(members: Sequence[Inputs]) -> Worked[_Member]:
        worked: Worked[_Member] = await handle.run_batch.remote(members)
        return worked

    batches = Batches(work, config.policy, lanes)

    async def call(inputs: Inputs) -> StageResult | Problem:
        return _stage_result(await batches.run(inputs))

    return call


def _stage_result(ran: Ran[_Member]) -> StageResult | Problem:
    if isinstance(ran.result, Problem):
        return ran.result
    return StageResult(ran.result, ran.queue_ns, ran.compute_ns, ran.batch_size)


class StageReplica:
    """One model stage of the split layout, called member by member or batch by batch."""

    def __init__(self, config: ServerConfig, stage: str) -> None:
        loaded = _load(config, load_ensemble(config.ensemble), (stage,))
        self._work = on_thread(loaded.compute[stage], ThreadPoolExecutor(1, "model"))
        self._batches: Batches[_Member] = Batches(self._work, config.policy)

    async def __call__(self, inputs: Inputs) -> StageResult | Problem:
        """Run one member. A refusal is returned: raised, Serve would log it as a failure."""
        return _stage_result(await self._batches.run(inputs))

    async def run_batch(self, members: Sequence[Inputs]) -> Worked[_Member]:
        """Run a batch that the caller has collected."""
        return await self._work(members)


def _door(
    config: ServerConfig,
    ensemble: Ensemble,
    run: Run,
    queue_bound: int,
    remote: Collection[str] = (),
) -> FastAPI:
    # Serve routes to an ingress before the deployments it calls have started.
    ready = Path(config.directory, READY_FILE).exists
    return create_app(config, ensemble, run, queue_bound=queue_bound, remote=remote, ready=ready)
