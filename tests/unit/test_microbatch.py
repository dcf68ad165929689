"""Batches are formed late, in order of admission, without those who left; timings are exact."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, get_ident
from time import sleep
from typing import Any

import pytest

from architectures.contract import Problem
from architectures.graph import Inputs, Outputs
from architectures.microbatch import StageExecutor
from architectures.spec import ServingPolicy
from architectures.walk import StageResult


class Recorder:
    """A stage that notes its batches; ``gate`` keeps the executor busy until it is set."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[list[Any]] = []
        self.threads: set[int] = set()
        self.gate = Event()
        self.gate.set()
        self.seconds = seconds

    def __call__(self, members: Sequence[Inputs]) -> list[Outputs | Problem]:
        self.batches.append([member["n"] for member in members])
        self.threads.add(get_ident())
        self.gate.wait(10)
        sleep(self.seconds)
        return [{"n": member["n"]} for member in members]


@contextmanager
def executor(stages: dict[str, Any], threads: int = 1, **policy: Any) -> Iterator[StageExecutor]:
    running = StageExecutor(stages, ServingPolicy(**policy), threads)
    try:
        yield running
    finally:
        running.close()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), 20))


def test_what_waits_while_the_executor_is_busy_becomes_one_batch() -> None:
    stage = Recorder()
    stage.gate.clear()

    async def work() -> list[StageResult]:
        first = running.call("s", {"n": 0})
        await asyncio.sleep(0.05)
        rest = [running.call("s", {"n": n}) for n in range(1, 6)]
        stage.gate.set()
        return await asyncio.gather(first, *rest)

    with executor({"s": stage}, max_batch=4) as running:
        results = run(work)
    assert stage.batches == [[0], [1, 2, 3, 4], [5]]
    assert [result.batch_size for result in results] == [1, 4, 4, 4, 4, 1]
    assert [result.outputs["n"] for result in results] == list(range(6))


def test_members_that_come_in_one_turn_of_the_loop_share_a_batch() -> None:
    stage = Recorder()

    async def work() -> None:
        await asyncio.gather(*(running.call("s", {"n": n}) for n in range(3)))

    with executor({"s": stage}) as running:
        run(work)
    assert stage.batches == [[0, 1, 2]]


def test_the_request_admitted_first_goes_first_whatever_its_stage() -> None:
    early, late = Recorder(), Recorder()
    busy = Recorder()
    busy.gate.clear()

    async def work() -> None:
        held = running.call("busy", {"n": 0})
        await asyncio.sleep(0.05)
        older, newer = running.admit(), running.admit()
        # The newer request waits at its stage before the older one reaches its own.
        waiting = [newer("early", {"n": "new"}), older("late", {"n": "old"})]
        order.clear()
        waiting[0].add_done_callback(lambda _: order.append("new"))
        waiting[1].add_done_callback(lambda _: order.append("old"))
        busy.gate.set()
        await asyncio.gather(held, *waiting)

    order: list[str] = []
    with executor({"early": early, "late": late, "busy": busy}) as running:
        run(work)
    assert order == ["old", "new"]


def test_late_members_are_behind_everybody_in_batches_of_their_own() -> None:
    shared, other, busy = Recorder(), Recorder(), Recorder()
    busy.gate.clear()

    async def work() -> None:
        held = running.call("busy", {"n": 0})
        await asyncio.sleep(0.05)
        late = [running.admit(late=True)("shared", {"n": f"late {n}"}) for n in range(2)]
        waiting = [running.admit()("shared", {"n": n}) for n in range(2)]
        last = running.admit()("other", {"n": "last"})
        for future in (*late, *waiting, last):
            future.add_done_callback(lambda done: order.append(done.result().outputs["n"]))
        busy.gate.set()
        await asyncio.gather(held, *late, *waiting, last)

    order: list[Any] = []
    with executor({"shared": shared, "other": other, "busy": busy}) as running:
        run(work)
    assert order == [0, 1, "last", "late 0", "late 1"]
    assert shared.batches == [[0, 1], ["late 0", "late 1"]]


def test_a_member_that_left_is_never_run() -> None:
    stage = Recorder()
    stage.gate.clear()

    async def work() -> StageResult:
        first = running.call("s", {"n": 0})
        await asyncio.sleep(0.05)
        gone, kept = running.call("s", {"n": 1}), running.call("s", {"n": 2})
        gone.cancel()
        stage.gate.set()
        await first
        return await kept

    with executor({"s": stage}) as running:
        assert run(work).batch_size == 1
    assert stage.batches == [[0], [2]]


def test_one_that_leaves_while_it_runs_harms_nobody() -> None:
    stage = Recorder()
    stage.gate.clear()

    async def work() -> StageResult:
        gone, kept = running.call("s", {"n": 1}), running.call("s", {"n": 2})
        await asyncio.sleep(0.05)
        gone.cancel()
        stage.gate.set()
        return await kept

    with executor({"s": stage}) as running:
        assert run(work).outputs == {"n": 2}


def test_timings_split_waiting_from_running() -> None:
    stage = Recorder(seconds=0.05)

    async def work() -> tuple[StageResult, StageResult]:
        first = running.call("s", {"n": 0})
        await asyncio.sleep(0.02)
        second = running.call("s", {"n": 1})
        return await first, await second

    with executor({"s": stage}) as running:
        first, second = run(work)
    assert first.compute_ns >= 50_000_000
    assert second.compute_ns >= 50_000_000
    assert first.queue_ns < 30_000_000
    assert second.queue_ns >= 15_000_000


def test_the_first_waits_for_others_only_as_long_as_the_policy_says() -> None:
    stage = Recorder()

    async def work() -> StageResult:
        first = running.call("s", {"n": 0})
        await asyncio.sleep(0.02)
        running.call("s", {"n": 1})
        return await first

    with executor({"s": stage}, batch_wait_s=0.3) as running:
        result = run(work)
    assert stage.batches == [[0, 1]]
    assert result.queue_ns >= 290_000_000


def test_a_full_batch_waits_for_nobody() -> None:
    stage = Recorder()

    async def work() -> None:
        await asyncio.gather(*(running.call("s", {"n": n}) for n in range(2)))

    with executor({"s": stage}, batch_wait_s=3600.0, max_batch=2) as running:
        run(work)
    assert stage.batches == [[0, 1]]


def test_a_problem_refuses_its_own_member_only() -> None:
    def stage(members: Sequence[Inputs]) -> list[Outputs | Problem]:
        return [Problem("odd", 422, "it is odd") if m["n"] % 2 else m for m in members]

    async def work() -> list[Any]:
        calls = (running.call("s", {"n": n}) for n in range(3))
        return await asyncio.gather(*calls, return_exceptions=True)

    with executor({"s": stage}) as running:
        results = run(work)
    assert isinstance(results[1], Problem)
    assert [results[0].outputs["n"], results[2].outputs["n"]] == [0, 2]


def test_an_exception_fails_its_batch_and_no_other() -> None:
    def stage(members: Sequence[Inputs]) -> list[Outputs | Problem]:
        if members[0]["n"] == 0:
            raise RuntimeError("out of memory")
        return list(members)

    async def work() -> StageResult:
        with pytest.raises(RuntimeError, match="out of memory"):
            await running.call("s", {"n": 0})
        return await running.call("s", {"n": 1})

    with executor({"s": stage}) as running:
        assert run(work).outputs == {"n": 1}


def test_a_stage_that_loses_members_is_named() -> None:
    async def work() -> None:
        with pytest.raises(ValueError, match=r"'s' returned 0 outputs for 1 members"):
            await running.call("s", {"n": 0})

    with executor({"s": lambda _: []}) as running:
        run(work)


def test_as_many_batches_run_at_once_as_there_are_threads() -> None:
    stage = Recorder()
    stage.gate.clear()

    async def work() -> None:
        calls = []
        for n in range(3):
            calls.append(running.call("s", {"n": n}))
            await asyncio.sleep(0.05)
        assert len(stage.batches) == 2
        stage.gate.set()
        await asyncio.gather(*calls)

    with executor({"s": stage}, threads=2) as running:
        run(work)
    assert len(stage.threads) == 2


def test_closing_lets_a_running_batch_end() -> None:
    stage = Recorder(seconds=0.1)

    async def work() -> None:
        running.call("s", {"n": 0})
        await asyncio.sleep(0.02)

    with executor({"s": stage}) as running:
        run(work)
    assert stage.batches == [[0]]
