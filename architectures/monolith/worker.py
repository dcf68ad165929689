"""One serving process of the monolith: the door, and what runs behind it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

from architectures.contract import Problem
from architectures.front import create_app
from architectures.front.serve import serve
from architectures.graph import Answer, Graph, Inputs, Stage, run_batch, walk
from architectures.microbatch import StageExecutor
from architectures.monolith import BATCHING
from architectures.plugin import Ensemble
from architectures.server_config import ServerConfig


class Worker:
    """What every worker shares: loaded before the fork, used after it.

    Args:
        config: the deployment.
        ensemble: what is served.
        stages: every stage, loaded and not yet run.
    """

    def __init__(
        self, config: ServerConfig, ensemble: Ensemble, stages: Mapping[str, Stage]
    ) -> None:
        self._config = config
        self._ensemble = ensemble
        self._stages = stages

    def serve(self, bound: socket.socket, queue_bound: int) -> None:
        """Serve on a socket until told to stop."""
        wire = _batching if self._config.options.get(BATCHING, True) else _blocking
        app = wire(self._config, self._ensemble, self._stages, queue_bound)
        serve(app, self._config, bound)


def _batching(
    config: ServerConfig, ensemble: Ensemble, stages: Mapping[str, Stage], queue_bound: int
) -> FastAPI:
    """Micro-batches beside the event loop."""
    # Workers share the cores among them; a device's one process has all of them for its CPU work.
    threads = 1 if config.ensemble.device == "cpu" else config.cores
    executor = StageExecutor(stages, config.policy, threads)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        executor.close()

    async def run(graph: Graph, request: Inputs) -> Answer:
        return await walk(graph, request, executor.admit())

    return create_app(config, ensemble, run, queue_bound=queue_bound, lifespan=lifespan)


def _blocking(
    config: ServerConfig, ensemble: Ensemble, stages: Mapping[str, Stage], queue_bound: int
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
            (result,) = run_batch(graph, stages, [request])
        if isinstance(result, Problem):
            raise result
        return result

    return create_app(config, ensemble, run, queue_bound=queue_bound)
