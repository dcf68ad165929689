"""The stages of one service, whatever brings their calls: admitted, batched, run, told of."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from architectures.contract import Problem
from architectures.graph import Inputs
from architectures.plugin import Loaded
from architectures.spec import ServingPolicy
from architectures.stage_calls import StageCalls
from architectures.walk import StageResult

_LOG = logging.getLogger("servebench.service")


class StageHost:
    """Runs the messages of one service.

    Args:
        loaded: the stages it hosts.
        policy: the batching, and the most members that may be in one stage's queue.

    Attributes:
        waits: some of them wait for others instead of computing: many calls run at once.
    """

    def __init__(self, loaded: Loaded, policy: ServingPolicy) -> None:
        self._calls = StageCalls(loaded, policy)
        self._inside = dict.fromkeys((*loaded.compute, *loaded.io), 0)
        self._bound = policy.queue_bound
        self.waits = bool(loaded.io)

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of what it hosts."""
        return tuple(self._inside)

    def hosts(self, stage: str) -> bool:
        """Whether it hosts a stage."""
        return stage in self._inside

    async def run(
        self,
        stage: str,
        calls: Sequence[Inputs],
        leaving: "asyncio.Future[None] | None" = None,
    ) -> list[StageResult | Problem]:
        """Run the calls of one message; those still waiting are dropped if it is cancelled.

        Args:
            stage: one of ``stages``.
            calls: of the message.
            leaving: done once nobody waits for the message; that cancels it too.

        Raises:
            Problem: 503, the stage has too few places.
        """
        with self._admitted(stage, len(calls)):
            futures = [self._calls.call(stage, inputs) for inputs in calls]
            settled = asyncio.gather(*futures, return_exceptions=True)
            if leaving is not None:
                leaving.add_done_callback(lambda _: settled.cancel())
            return _replies(stage, await settled)

    async def close(self) -> None:
        """Let the running batch end, and close what stages opened."""
        await self._calls.close()

    @contextmanager
    def _admitted(self, stage: str, count: int) -> Iterator[None]:
        """Hold places in a stage's queue; a gateway that keeps its own bound never fills it."""
        if self._inside[stage] + count > self._bound:
            raise Problem(
                "overloaded",
                503,
                f"Stage {stage} has {self._bound} places, {self._inside[stage]} of them taken: "
                f"too few for {count}.",
            )
        self._inside[stage] += count
        try:
            yield
        finally:
            self._inside[stage] -= count


def _replies(
    stage: str, results: Sequence[StageResult | BaseException]
) -> list[StageResult | Problem]:
    """What became of each member; a failure that a whole batch shares is logged once."""
    failed = Problem("stage-failed", 500, f"Stage {stage} failed; its service's log says why.")
    replies: list[StageResult | Problem] = []
    logged: BaseException | None = None
    for result in results:
        if isinstance(result, StageResult | Problem):
            replies.append(result)
            continue
        if result is not logged:
            _LOG.error("stage %s failed", stage, exc_info=result)
            logged = result
        replies.append(failed)
    return replies
