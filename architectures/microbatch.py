"""Micro-batch queues, one a stage, in front of a bounded executor.

Members wait on the event loop's side and are bound late: only when a thread is free is a stage
chosen and are its members taken, so a batch is as full as the load allows and a lone request
waits for nobody. Queues are touched by the loop alone; threads only run stages.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import perf_counter_ns

from architectures.contract import Problem
from architectures.graph import Inputs, Outputs, Stage
from architectures.spec import ServingPolicy
from architectures.walk import Call, StageResult

_NS = 1_000_000_000
_LATE = 1 << 62


@dataclass(slots=True)
class _Member:
    ticket: int
    inputs: Inputs
    enqueued_ns: int
    future: "asyncio.Future[StageResult]"


@dataclass(slots=True)
class _Batch:
    """Taken by the loop, run and timed by a thread, delivered by the loop."""

    stage: str
    members: list[_Member]
    outputs: Sequence[Outputs | Problem] | Exception = ()
    started_ns: int = 0
    ended_ns: int = 0


class StageExecutor:
    """Runs stages in batches on a few threads, for callers on one event loop.

    Args:
        stages: loaded stages by name. One stage may run on several threads at once.
        policy: the batch size, and how long a batch's first member waits for others.
        threads: most batches that run at once.
    """

    def __init__(
        self, stages: Mapping[str, Stage], policy: ServingPolicy, threads: int = 1
    ) -> None:
        self._stages = stages
        self._max_batch = policy.max_batch
        self._wait_ns = round(policy.batch_wait_s * _NS)
        self._waiting: dict[str, deque[_Member]] = {name: deque() for name in stages}
        self._tickets = 0
        self._idle = threads
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dispatch_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._work: SimpleQueue[_Batch | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._serve, name=f"stage-executor-{i}", daemon=True)
            for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def admit(self, *, late: bool = False) -> Call:
        """A call for one request's whole walk: its stages keep the request's place in line.

        ``late`` is a place behind everybody else's.
        """
        self._tickets += 1
        return partial(self._enqueue, self._tickets + _LATE * late)

    def call(self, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        """Run one member through one stage, in line from now. Cancel the future to drop it.

        The future raises the member's own Problem, or whatever failed its whole batch.
        """
        self._tickets += 1
        return self._enqueue(self._tickets, stage, inputs)

    def close(self) -> None:
        """Let running batches end, then stop the threads; nothing more may be called."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _enqueue(self, ticket: int, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        future: asyncio.Future[StageResult] = loop.create_future()
        _line_up(self._waiting[stage], _Member(ticket, inputs, perf_counter_ns(), future))
        if self._idle and not self._dispatch_scheduled:
            self._schedule_dispatch(loop)
        return future

    def _schedule_dispatch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Dispatch after the callbacks already due: they may bring more members to a batch."""
        self._dispatch_scheduled = True
        loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._dispatch_scheduled = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._idle:
            stage = self._choose()
            if stage is None:
                return
            members = self._take(self._waiting[stage])
            if members:
                self._idle -= 1
                self._work.put(_Batch(stage, members))

    def _choose(self) -> str | None:
        """The due stage whose head was admitted first: work begun is finished before new work."""
        chosen: str | None = None
        oldest = 0
        soonest_ns: int | None = None
        now_ns = perf_counter_ns() if self._wait_ns else 0
        for stage, waiting in self._waiting.items():
            if not waiting:
                continue
            head = waiting[0]
            if self._wait_ns and len(waiting) < self._max_batch:
                left_ns = head.enqueued_ns + self._wait_ns - now_ns
                if left_ns > 0:
                    soonest_ns = left_ns if soonest_ns is None else min(soonest_ns, left_ns)
                    continue
            if chosen is None or head.ticket < oldest:
                chosen, oldest = stage, head.ticket
        if chosen is None and soonest_ns is not None and self._loop is not None:
            self._timer = self._loop.call_later(soonest_ns / _NS, self._dispatch)
        return chosen

    def _take(self, waiting: deque[_Member]) -> list[_Member]:
        """Up to a batch of the members that somebody still waits for.

        Late members never fill up others' batch: it would take longer for their sake.
        """
        members: list[_Member] = []
        late = waiting[0].ticket > _LATE
        while waiting and len(members) < self._max_batch:
            if (waiting[0].ticket > _LATE) is not late:
                break
            member = waiting.popleft()
            if not member.future.cancelled():
                members.append(member)
        return members

    def _serve(self) -> None:
        """A thread's life: run a batch, hand it back, wait for the next."""
        while (batch := self._work.get()) is not None:
            batch.started_ns = perf_counter_ns()
            batch.outputs = self._run(batch)
            batch.ended_ns = perf_counter_ns()
            try:
                self._loop.call_soon_threadsafe(self._deliver, batch)  # type: ignore[union-attr]
            except RuntimeError:
                return  # the loop was closed under a running batch: nobody is left to tell

    def _run(self, batch: _Batch) -> Sequence[Outputs | Problem] | Exception:
        members = batch.members
        try:
            outputs = self._stages[batch.stage]([member.inputs for member in members])
        except Exception as error:  # noqa: BLE001 - it belongs to the batch's callers
            return error
        if len(outputs) != len(members):
            return ValueError(
                f"stage {batch.stage!r} returned {len(outputs)} outputs for {len(members)} members"
            )
        return outputs

    def _deliver(self, batch: _Batch) -> None:
        self._idle += 1
        outputs = batch.outputs
        compute_ns = batch.ended_ns - batch.started_ns
        size = len(batch.members)
        for i, member in enumerate(batch.members):
            if member.future.cancelled():
                continue
            output = outputs if isinstance(outputs, Exception) else outputs[i]
            if isinstance(output, Exception):
                member.future.set_exception(output)
            else:
                queue_ns = batch.started_ns - member.enqueued_ns
                member.future.set_result(StageResult(output, queue_ns, compute_ns, size))
        if not self._dispatch_scheduled and self._loop is not None:
            self._schedule_dispatch(self._loop)


def _line_up(waiting: deque[_Member], member: _Member) -> None:
    """Behind those who came before, but before the late: at the head one would hide the others."""
    place = len(waiting)
    if member.ticket < _LATE:
        while place and waiting[place - 1].ticket > _LATE:
            place -= 1
    waiting.insert(place, member)
