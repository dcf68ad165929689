"""The gateway: answers the contract, walks the graph, and calls each stage where it runs."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from architectures import front, server_config
from architectures.graph import Answer, Call, Graph, Inputs, walk
from architectures.microbatch import StageExecutor
from architectures.microservices.hop import Hop, Pace, open_session, until_ready
from architectures.microservices.layout import lay_out
from architectures.microservices.service import STAGE_PREFIX
from architectures.microservices.serving import serve
from architectures.plugin import Ensemble, load_ensemble
from architectures.server_config import ServerConfig


class Gateway:
    """Where each stage of an ensemble runs, and how it is called there.

    Args:
        config: of this process; ``peers`` names the services.
        ensemble: its light stages may be loaded here.
    """

    def __init__(self, config: ServerConfig, ensemble: Ensemble) -> None:
        self._config = config
        self._layout = lay_out(ensemble, config.options)
        choice = config.ensemble
        stages = {
            name: ensemble.load_stage(name, choice.tier, choice.device, config.policy.torch_threads)
            for name in self._layout.beside
        }
        self._beside = StageExecutor(stages, config.policy, config.cores)
        self._hops: dict[str, Hop] = {}

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Keep the connections to the services while the server runs."""
        pace = _pace(self._config)
        async with open_session(self._config.policy) as session:
            for service in self._layout.services:
                url = self._config.peers[service.name]
                await until_ready(session, url)
                for stage in service.stages:
                    self._hops[stage] = Hop(stage, url + STAGE_PREFIX + stage, session, pace)
            yield
            self._beside.close()

    def run(self, graph: Graph, request: Inputs) -> Awaitable[Answer]:
        """Walk one request through a graph."""
        return walk(graph, request, self._call(self._beside.admit()))

    def _call(self, beside: Call) -> Call:
        hops = self._hops
        return lambda stage, inputs: (
            hops[stage].call(inputs) if stage in hops else beside(stage, inputs)
        )


def _pace(config: ServerConfig) -> Pace:
    policy = config.policy
    if config.options["members"] == "one":
        return Pace(1, policy.queue_bound, 0.0)
    return Pace(policy.max_batch, 1, policy.batch_wait_s)


def main() -> None:
    """Serve the gateway this process was started as."""
    config = server_config.from_environment()
    ensemble = load_ensemble(config.ensemble)
    gateway = Gateway(config, ensemble)
    app = front.create_app(
        config,
        ensemble,
        gateway.run,
        queue_bound=config.policy.queue_bound,
        lifespan=gateway.lifespan,
    )
    serve(app, config.port, config.policy, lifespan=True)


if __name__ == "__main__":
    main()
