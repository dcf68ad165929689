"""Work that must be done once before anything else, however many come for it at once."""

import asyncio
from collections.abc import Awaitable, Callable


class SingleFlight:
    """Runs a piece of work until it has succeeded once; whoever comes meanwhile waits for it.

    All who wait share its failure; the next to come begins it again.
    """

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self.done = False

    async def __call__(self) -> None:
        """Return once it has succeeded.

        Raises:
            Exception: whatever the work raised.
        """
        if self.done:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(_read)
        await asyncio.shield(self._task)  # one caller that leaves does not end it for the others

    async def _run(self) -> None:
        await self._work()
        self.done = True

    def again(self) -> None:
        """Forget that it succeeded."""
        self.done = False

    async def stop(self) -> None:
        """Cancel it where it runs, and begin afresh with the next caller."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._task = None
        self.done = False


def _read(task: "asyncio.Task[None]") -> None:
    """Everybody who waited may have left; asyncio would log the failure as forgotten."""
    if not task.cancelled():
        task.exception()
