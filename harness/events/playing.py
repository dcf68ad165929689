"""Playing events at their times, in a thread of the harness beside the trial."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import perf_counter_ns
from typing import Any, NamedTuple, TypeAlias

from harness.events.moments import Moment, undoing
from harness.record import PlayedEvent


class Answered(NamedTuple):
    """What came back: the HTTP status, where there is one, and a JSON document."""

    status: int | None
    document: Any


class DeedError(Exception):
    """What was to be done could not be; the message says why, and holds no credential."""


Do: TypeAlias = Callable[[Moment], Answered]
"""Does what is due. Raises DeedError."""

_GOOD = range(200, 300)


class EventPlayer:
    """Plays moments one after another, none before its time.

    One that takes long makes the next one late: ``sent_ns`` says when it was really done.

    Args:
        moments: in time.
        do: does each.
    """

    def __init__(self, moments: Sequence[Moment], do: Do) -> None:
        self._moments = moments
        self._do = do
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._played: list[PlayedEvent] = []

    def begin(self, steady_ns: int) -> None:
        """Be told when the steady state begins: CLOCK_MONOTONIC, in ns."""
        if not self._moments:
            return
        self._thread = threading.Thread(
            target=self._play, args=(steady_ns,), name="events", daemon=True
        )
        self._thread.start()

    def end(self) -> tuple[PlayedEvent, ...]:
        """Play no more, wait for the one being played, and tell of all."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        return tuple(self._played)

    def _play(self, steady_ns: int) -> None:
        for moment in self._moments:
            due_ns = steady_ns + moment.after_ns
            if self._stop.wait(max(0.0, (due_ns - perf_counter_ns()) / 1e9)):
                return
            self._played.append(self._one(moment, due_ns))

    def _one(self, moment: Moment, due_ns: int) -> PlayedEvent:
        played = PlayedEvent(
            event=moment.event,
            ends=moment.ends,
            to=moment.to,
            action=moment.action or moment.to,
            body=dict(moment.body or {}),
            intended_ns=due_ns,
            sent_ns=perf_counter_ns(),
        )
        try:
            status, document = self._do(moment)
        except DeedError as error:
            return played.model_copy(update={"error": str(error)})
        except Exception as error:  # noqa: BLE001 - a thread's error would be lost
            return played.model_copy(update={"error": f"a bug of ours: {type(error).__name__}"})
        answered = {"received_ns": perf_counter_ns(), "status": status, "answer": document}
        if status is not None and status not in _GOOD:
            answered["error"] = f"HTTP {status}"
        return played.model_copy(update=answered)


@contextmanager
def playing(moments: Sequence[Moment], do: Do) -> Iterator[EventPlayer]:
    """An event player whose thread has ended when the block has, and with it every fault."""
    player = EventPlayer(moments, do)
    try:
        yield player
    finally:
        player.end()
        for moment in undoing(moments):
            with suppress(DeedError):  # the next trial begins by asking for the same, and says so
                do(moment)
