"""What ends a request's work early: its deadline, and its client's leaving."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from starlette.types import Receive

from architectures import deadline
from architectures.contract import Problem
from architectures.front.body import ClientLeft, next_message


class Leash:
    """Cancels the request's own task at its deadline, or once its client has left.

    Both end the ``with`` block by what they stand for: a 504 Problem, or ``ClientLeft``.
    """

    __slots__ = ("_cause", "_deadline", "_loop", "_task", "_timeout_s", "_timer", "_watcher")

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._cause: Exception | None = None
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Take the current task on the leash."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._timer = self._loop.call_later(self._timeout_s, self._expire)
        self._deadline = deadline.begin(self._timeout_s)
        return self

    def watch(self, receive: Receive) -> None:
        """From here on nothing but a disconnect is expected from the client."""
        self._watcher = self._loop.create_task(self._await_disconnect(receive))

    async def _await_disconnect(self, receive: Receive) -> None:
        with suppress(ClientLeft):
            while (await next_message(receive))["type"] != "http.disconnect":
                pass
        self._pull(ClientLeft())

    def _expire(self) -> None:
        self._pull(
            Problem(
                "deadline-exceeded", 504, f"No answer within the {self._timeout_s:g} s allowed."
            )
        )

    def _pull(self, cause: Exception) -> None:
        if self._cause is None and self._task is not None:
            self._cause = cause
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the task go; a cancellation of our own becomes its cause."""
        self._timer.cancel()
        deadline.end(self._deadline)
        if self._watcher is not None:
            self._watcher.cancel()
        task, self._task = self._task, None
        if self._cause is not None and task is not None and kind is asyncio.CancelledError:
            task.uncancel()
            raise self._cause from None
