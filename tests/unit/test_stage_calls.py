"""Stages that compute and stages that wait, called side by side; and an ensemble cut to a part."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from architectures.contract import Problem
from architectures.graph import Inputs, Outputs
from architectures.plugin import EnsembleError, Loaded, load_ensemble, load_stages
from architectures.spec import EnsembleChoice, ServingPolicy
from architectures.stage_calls import StageCalls

SECOND = str(Path(__file__).parents[1] / "second_ensemble")


class Waits:
    """Waits for one more caller than it has, so it ends only where callers wait side by side."""

    def __init__(self, callers: int) -> None:
        self.barrier: asyncio.Barrier | None = None
        self.callers = callers
        self.closed = 0

    async def __call__(self, member: Inputs, /) -> Outputs | Problem:
        self.barrier = self.barrier or asyncio.Barrier(self.callers)
        await self.barrier.wait()
        if member["n"] < 0:
            return Problem("negative", 422, "")
        return {"n": member["n"]}

    async def close(self) -> None:
        self.closed += 1


def double(members: Sequence[Inputs]) -> list[Outputs | Problem]:
    return [{"n": 2 * member["n"]} for member in members]


def played(stage: Waits, play: Any) -> Any:
    async def whole() -> Any:
        calls = StageCalls(Loaded({"double": double}, {"wait": stage}), ServingPolicy())
        try:
            return await asyncio.wait_for(play(calls), 20)
        finally:
            await calls.close()

    return asyncio.run(whole())


def test_waiting_members_wait_at_once_and_computing_ones_share_a_batch() -> None:
    stage = Waits(callers=3)

    async def play(calls: StageCalls) -> Any:
        call = calls.admit()
        return await asyncio.gather(
            *(call("wait", {"n": n}) for n in range(3)),
            *(calls.call("double", {"n": n}) for n in range(3)),
        )

    results = played(stage, play)
    assert [dict(one.outputs)["n"] for one in results] == [0, 1, 2, 0, 2, 4]
    assert [one.batch_size for one in results] == [0, 0, 0, 3, 3, 3]
    assert all(one.queue_ns == 0 and one.compute_ns > 0 for one in results[:3])
    assert stage.closed == 1


def test_a_refusal_of_a_waiting_stage_is_raised() -> None:
    async def play(calls: StageCalls) -> Any:
        await calls.call("wait", {"n": -1})

    with pytest.raises(Problem, match="negative"):
        played(Waits(callers=1), play)


def test_a_cancelled_wait_is_over() -> None:
    async def play(calls: StageCalls) -> Any:
        future = calls.call("wait", {"n": 1})
        await asyncio.sleep(0)
        future.cancel()
        await asyncio.wait([future])
        return future.cancelled(), asyncio.all_tasks() - {asyncio.current_task()}

    cancelled, left = played(Waits(callers=2), play)
    assert cancelled
    assert len(left) <= 1  # the one that times this test


def choice(*graphs: str) -> EnsembleChoice:
    return EnsembleChoice("branching", "plain", search_path=(SECOND,), graphs=graphs)


def test_a_part_of_an_ensemble_has_only_its_graphs_and_their_stages() -> None:
    part, whole = load_ensemble(choice("lose", "letters/wait")), load_ensemble(choice())
    assert list(part.GRAPHS) == ["lose", "letters/wait"]
    assert set(part.STAGES) == {"read_text", "measure", "seal", "lose", "look_up", "weigh"}
    assert part.describe("plain") == whole.describe("plain")
    assert set(whole.STAGES) > set(part.STAGES)
    loaded = load_stages(part, choice("lose"), part.STAGES, 1)
    assert set(loaded.io) == {"lose", "look_up"}
    assert set(loaded.compute) == {"read_text", "measure", "seal", "weigh"}


def test_only_graphs_that_neither_wait_nor_choose_go_in_lockstep() -> None:
    whole = load_ensemble(choice())
    loaded = load_stages(whole, choice(), whole.STAGES, 1)
    in_lockstep = {name for name, graph in whole.GRAPHS.items() if loaded.in_lockstep(graph)}
    assert in_lockstep == {"letters/measure"}


def test_a_graph_that_is_not_there_cannot_be_served() -> None:
    with pytest.raises(EnsembleError, match=r"no graph 'loose'.*it has letters/route.*lose"):
        load_ensemble(choice("lose", "loose"))
