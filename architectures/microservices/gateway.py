"""The gateway: answers the contract, walks the graph, and calls each stage where it runs.

``python -m architectures.microservices.gateway``, started by a deployment.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from architectures.front import create_app
from architectures.front.serve import listening_socket, serve
from architectures.graph import Graph, Inputs
from architectures.microservices.hop import Hop, Pace, Transport
from architectures.microservices.layout import Service, lay_out
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
        self._kinds = {name: spec.kind for name, spec in ensemble.STAGES.items()}
        policy = config.policy
        beside = self._layout.beside
        loaded = load_stages(ensemble, config.ensemble, beside, policy.torch_threads)
        self._beside = StageCalls(loaded, policy, config.cores)
        self._hops: dict[str, Hop] = {}
        self._ready = dict.fromkeys((s.name for s in self._layout.services), False)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Hold the connections to the services, and keep asking whether these are ready."""
        async with _transports(self._config, self._layout.services) as transports:
            self._connect(transports)
            watchers = [
                asyncio.create_task(self._watch(name, transport))
                for name, transport in transports.items()
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

    def _connect(self, transports: Mapping[str, Transport]) -> None:
        for service in self._layout.services:
            for stage in service.stages:
                pace = _pace(self._config, waits=self._kinds[stage] == "io")
                self._hops[stage] = Hop(stage, transports[service.name], pace)

    async def _watch(self, name: str, transport: Transport) -> None:
        while True:
            self._ready[name] = await transport.is_ready()
            await asyncio.sleep(_PROBE_AGAIN_S if self._ready[name] else _PROBE_S)

    def _call(self, beside: Call) -> Call:
        hops = self._hops
        return lambda stage, inputs: (
            hops[stage].call(inputs) if stage in hops else beside(stage, inputs)
        )


def _transports(
    config: ServerConfig, services: Sequence[Service]
) -> AbstractAsyncContextManager[Mapping[str, Transport]]:
    """Only the transport in use is imported: the others' libraries cost memory for nothing."""
    match config.options["transport"]:
        case "grpc":
            from architectures.microservices.over_grpc.sender import transports
        case "broker":
            from architectures.microservices.over_broker.sender import transports
        case _:
            from architectures.microservices.over_http.sender import transports
    return transports(config, services)


def _pace(config: ServerConfig, *, waits: bool) -> Pace:
    """Messages of a batch each, or of a call each, and then the service finds its batches.

    On one core a second message on its way would only make batches close earlier; on several it
    lies ready at the service when the first is done. A stage that waits for others has no batches:
    calls that shared a message would all wait for the slowest of them, and the next in line too.
    """
    policy = config.policy
    if waits or config.options["message"] == "call":
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
