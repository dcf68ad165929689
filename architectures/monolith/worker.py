"""One serving process of the monolith: the door, and what runs behind it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter_ns

from fastapi import FastAPI

from architectures.contract import Problem
from architectures.front import create_app
from architectures.front.serve import serve
from architectures.graph import Graph, Inputs, Outputs
from architectures.monolith import BATCHING
from architectures.plugin import Ensemble, Loaded
from architectures.server_config import ServerConfig
from architectures.stage_calls import StageCalls, start_io
from architectures.walk import Answer, StageResult, run_batch, walk


class Worker:
    """What every worker shares: loaded before the fork, used after it.

    Args:
        config: the deployment.
        ensemble: what is served.
        loaded: every stage, not yet run.
    """

    def __init__(self, config: ServerConfig, ensemble: Ensemble, loaded: Loaded) -> None:
        self._config = config
        self._ensemble = ensemble
        self._loaded = loaded

    def serve(self, bound: socket.socket, queue_bound: int) -> None:
        """Serve on a socket until told to stop."""
        wire = _batching if self._config.options.get(BATCHING, True) else _blocking
        app = wire(self._config, self._ensemble, self._loaded, queue_bound)
        serve(app, self._config, bound)


def _batching(
    config: ServerConfig, ensemble: Ensemble, loaded: Loaded, queue_bound: int
) -> FastAPI:
    """Micro-batches beside the event loop."""
    # Workers share the cores among them; a device's one process has all of them for its CPU work.
    threads = 1 if config.ensemble.device == "cpu" else config.cores
    calls = StageCalls(loaded, config.policy, threads)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await calls.close()

    async def run(graph: Graph, request: Inputs) -> Answer:
        return await walk(graph, request, calls.admit(), calls.admit(late=True))

    return create_app(config, ensemble, run, queue_bound=queue_bound, lifespan=lifespan)


def _blocking(
    config: ServerConfig, ensemble: Ensemble, loaded: Loaded, queue_bound: int
) -> FastAPI:
    """The naive form. The turn that requests take is its one concession to the contract.

    Between two turns the event loop reads its sockets and timers, so that waiting requests are
    counted by the door, reach their deadlines and notice that their clients left; without it
    they would wait unseen in socket buffers.
    """
    turn = asyncio.Lock()

    async def run(graph: Graph, request: Inputs) -> Answer:
        async with turn:
            await asyncio.sleep(0)
            if not loaded.in_lockstep(graph):
                return await walk(graph, request, partial(_call_blocking, loaded))
            (result,) = run_batch(graph, loaded.compute, [request])
        if isinstance(result, Problem):
            raise result
        return result

    return create_app(config, ensemble, run, queue_bound=queue_bound)


def _call_blocking(loaded: Loaded, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
    """Run a stage here and now, whoever else waits."""
    waits = loaded.io.get(stage)
    if waits is not None:
        return start_io(waits, inputs)
    future: asyncio.Future[StageResult] = asyncio.get_running_loop().create_future()
    started_ns = perf_counter_ns()
    output: Outputs | Exception
    try:
        (output,) = loaded.compute[stage]([inputs])
    except Exception as error:  # noqa: BLE001 - the request's caller gets it
        output = error
    if isinstance(output, Exception):
        future.set_exception(output)
    else:
        future.set_result(StageResult(output, 0, perf_counter_ns() - started_ns, 1))
    return future
