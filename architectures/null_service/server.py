"""The null service's process: ``python -m architectures.null_service.server``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter_ns, sleep, thread_time_ns

from fastapi import FastAPI

from architectures.contract import StageTiming
from architectures.front import create_app
from architectures.front.serve import listening_socket, serve
from architectures.graph import Answer, Graph, Inputs
from architectures.null_service.behaviour import TABLE_SIZE, Behaviour
from architectures.null_service.sleeper import Sleeper
from architectures.plugin import load_ensemble
from architectures.server_config import from_environment

STAGE = "delay"
"""The Server-Timing entry: ``compute`` is the delay drawn, ``dur`` the one kept."""


class NullService:
    """Delays requests as its behaviour says, in the order they come.

    The answer is ``{"index": i, "delay_ns": d}``: which request this was, and its drawn delay.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._delays_ns: list[int] = behaviour.delays_ns().tolist()
        self._arrived = 0
        self._sleeper = Sleeper()

    async def run(self, _graph: Graph, _request: Inputs) -> Answer:
        """Keep one request for its delay, whatever the graph and whatever it holds."""
        started_ns = perf_counter_ns()
        index = self._arrived
        self._arrived += 1
        if index == 0 and self._behaviour.freeze_s > 0:
            asyncio.get_running_loop().call_later(self._behaviour.freeze_after_s, self._freeze)
        delay_ns = self._delays_ns[index % TABLE_SIZE]
        _burn(round(self._behaviour.burn_s * 1e9))
        await self._sleeper.until(started_ns + delay_ns)
        kept_ns = perf_counter_ns() - started_ns
        timing = StageTiming(STAGE, kept_ns, 0, delay_ns, 1)
        return Answer({"index": index, "delay_ns": delay_ns}, (timing,))

    def close(self) -> None:
        """Stop keeping time."""
        self._sleeper.close()

    def _freeze(self) -> None:
        sleep(self._behaviour.freeze_s)  # on the event loop: nothing is read, nothing is answered


def _burn(cpu_ns: int) -> None:
    """Spend CPU time of this thread, to the microsecond."""
    end_ns = thread_time_ns() + cpu_ns
    while thread_time_ns() < end_ns:
        pass


def main() -> None:
    """Serve until told to stop."""
    config = from_environment()
    ensemble = load_ensemble(config.ensemble)
    service = NullService(Behaviour.from_options(config.options))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = create_app(
        config, ensemble, service.run, queue_bound=config.policy.queue_bound, lifespan=lifespan
    )
    serve(app, config, listening_socket(config.port))


if __name__ == "__main__":
    main()
