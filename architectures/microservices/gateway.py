"""The gateway: answers the contract, walks the graph, and calls each stage where it runs.

``python -m architectures.microservices.gateway``, started by a deployment.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from aiohttp import ClientSession
from fastapi import FastAPI

from architectures.front import create_app
from architectures.front.serve import listening_socket, serve
from architectures.graph import Graph, Inputs
from architectures.microservices.hop import Hop, Pace, is_ready, open_session
from architectures.microservices.layout import lay_out
from architectures.microservices.service import STAGE_PREFIX
from architectures.plugin import Ensemble, load_ensemble, load_stages
from architectures.server_config import ServerConfig, from_environment
from architectures.stage_calls import StageCalls
from architectures.walk import Answer, Call, walk

_PROBE_S = 0.1
_PROBE_AGAIN_S = 5.0  # a ready service is asked seldom: probes cost the SUT's own cores


class Gateway:
    """Where each stage of an ensemble runs, and how it is called there.

    Args:
        config: of this process; ``peers`` says where the services are.
        ensemble: what is served; stages kept beside the gateway are loaded here.
    """

    def __init__(self, config: ServerConfig, ensemble: Ensemble) -> None:
        self._config = config
        self._layout = lay_out(ensemble, config.options)
        policy = config.policy
        beside = self._layout.beside
        loaded = load_stages(ensemble, config.ensemble, beside, policy.torch_threads)
        self._beside = StageCalls(loaded, policy, config.cores)
        self._hops: dict[str, Hop] = {}
        self._ready = dict.fromkeys(config.peers, False)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Hold the connections to the services, and keep asking whether these are ready."""
        async with open_session(self._config.policy) as session:
            self._connect(session)
            watchers = [
                asyncio.create_task(self._watch(session, name, url))
                for name, url in self._config.peers.items()
            ]
            yield
            for watcher in watchers:
                watcher.cancel()
        await self._beside.close()

    @property
    def remote(self) -> tuple[str, ...]:
        """Stages that run in a service."""
        return tuple(stage for service in self._layout.services for stage in service.stages)

    def ready(self) -> bool:
        """Whether every service could answer when it was last asked."""
        return all(self._ready.values())

    def run(self, graph: Graph, request: Inputs) -> Awaitable[Answer]:
        """Walk one request through a graph."""
        call, late = self._beside.admit(), self._beside.admit(late=True)
        return walk(graph, request, self._call(call), self._call(late))

    def _connect(self, session: ClientSession) -> None:
        pace = _pace(self._config)
        for service in self._layout.services:
            url = self._config.peers[service.name] + STAGE_PREFIX
            for stage in service.stages:
                self._hops[stage] = Hop(stage, url + stage, session, pace)

    async def _watch(self, session: ClientSession, name: str, url: str) -> None:
        while True:
            self._ready[name] = await is_ready(session, url)
            await asyncio.sleep(_PROBE_AGAIN_S if self._ready[name] else _PROBE_S)

    def _call(self, beside: Call) -> Call:
        hops = self._hops
        return lambda stage, inputs: (
            hops[stage].call(inputs) if stage in hops else beside(stage, inputs)
        )


def _pace(config: ServerConfig) -> Pace:
    """Messages of a batch each, or of a call each, and then the service finds its batches.

    On one core a second message on its way would only make batches close earlier; on several it
    lies ready at the service when the first is done.
    """
    policy = config.policy
    if config.options["message"] == "call":
        return Pace(1, policy.queue_bound, 0.0)
    return Pace(policy.max_batch, min(config.cores, 2), policy.batch_wait_s)


def main() -> None:
    """Serve until told to stop."""
    config = from_environment()
    ensemble = load_ensemble(config.ensemble)
    gateway = Gateway(config, ensemble)
    app = create_app(
        config,
        ensemble,
        gateway.run,
        queue_bound=config.policy.queue_bound,
        remote=gateway.remote,
        ready=gateway.ready,
        lifespan=gateway.lifespan,
    )
    gc.collect()
    gc.freeze()  # what is loaded lives as long as the process; the collector need not walk it
    serve(app, config, listening_socket(config.port))


if __name__ == "__main__":
    main()
