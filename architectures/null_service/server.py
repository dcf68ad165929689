"""The null service's process: ``python -m architectures.null_service.server``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter_ns, sleep, thread_time_ns

from fastapi import FastAPI

from architectures.contract import Problem, StageTiming
from architectures.front import create_app
from architectures.front.serve import listening_socket, serve
from architectures.graph import Graph, Inputs
from architectures.null_service.behaviour import TABLE_SIZE, Behaviour
from architectures.null_service.sleeper import Sleeper
from architectures.plugin import load_ensemble
from architectures.server_config import from_environment
from architectures.walk import Answer

STAGE = "delay"
"""The Server-Timing entry: ``compute`` is the delay drawn, ``dur`` the one kept."""


class NullService:
    """Delays requests as its behaviour says, in the order they come.

    The answer is ``{"index": i, "delay_ns": d}``: which request this was, and its due delay.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._delays_ns: list[int] = behaviour.delays_ns().tolist()
        self._lots: list[float] = behaviour.lots().tolist()
        self._arrived = 0
        self._first_ns = 0
        self._sleeper = Sleeper()

    async def run(self, _graph: Graph, _request: Inputs) -> Answer:
        """Keep one request for its delay, whatever the graph and whatever it holds."""
        started_ns = perf_counter_ns()
        index = self._arrived
        self._arrived += 1
        if index == 0:
            self._begin(started_ns)
        elapsed_s = (started_ns - self._first_ns) / 1e9
        delay_ns = self._delays_ns[index % TABLE_SIZE] + self._behaviour.added_ns(elapsed_s)
        _burn(round(self._behaviour.burn_s * 1e9))
        await self._sleeper.until(started_ns + delay_ns)
        if self._lots[index % TABLE_SIZE] < self._behaviour.failing(elapsed_s):
            raise Problem("scripted", 500, f"Request {index} was to fail, and did.")
        kept_ns = perf_counter_ns() - started_ns
        timing = StageTiming(STAGE, kept_ns, 0, delay_ns, 1)
        return Answer({"index": index, "delay_ns": delay_ns}, (timing,))

    def _begin(self, first_ns: int) -> None:
        """Time runs from the first request: it is what client and server both know."""
        self._first_ns = first_ns
        loop = asyncio.get_running_loop()
        for after_s, for_s in self._behaviour.freezes:
            # On the event loop: nothing is read, nothing is answered.
            loop.call_later(after_s, sleep, for_s)

    def close(self) -> None:
        """Stop keeping time."""
        self._sleeper.close()


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
