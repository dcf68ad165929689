"""A graph is checked when it is made; a walk starts each node on its last input and cleans up."""

import asyncio
from typing import Any

import pytest

from architectures.contract import Problem
from architectures.graph import Graph, GraphError, Inputs, Node
from architectures.walk import Answer, StageResult, run_batch, walk

DIAMOND = Graph(
    "diamond",
    [
        Node("join", {"left": "left.n", "right": "right.n"}),
        Node("left", {"n": "first.n"}),
        Node("right", {"n": "first.n"}),
        Node("first", {"n": "request.n"}),
    ],
    answer="join.sum",
)
STAGES = {
    "first": lambda members: [{"n": m["n"]} for m in members],
    "left": lambda members: [{"n": m["n"] + 1} for m in members],
    "right": lambda members: [
        Problem("too-much", 422, "no") if m["n"] > 100 else {"n": m["n"] * 10} for m in members
    ],
    "join": lambda members: [{"sum": m["left"] + m["right"]} for m in members],
}


class Calls:
    """A call that answers when told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.open: dict[str, asyncio.Future[StageResult]] = {}
        self.inputs: dict[str, Inputs] = {}

    def __call__(self, stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        self.inputs[stage] = inputs
        self.open[stage] = asyncio.get_running_loop().create_future()
        return self.open[stage]

    async def answer(self, stage: str, **outputs: Any) -> None:
        self.open.pop(stage).set_result(StageResult(outputs, 1, 2, 3))
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("nodes", "answer", "said"),
    [
        ([Node("a", {"x": "b.y"})], "a.z", "a reads from b, not a node"),
        ([Node("a", {"x": "request.y"})] * 2, "a.z", "a node stands in it twice"),
        ([Node("a", {"x": "b.y"}), Node("b", {"x": "a.y"})], "a.z", "a cycle through"),
        (
            [Node("a", {"x": "request.y"}), Node("b", {"x": "a.y"})],
            "a.z",
            "the answer does not need b",
        ),
        ([Node("a", {"x": "request.y"})], "c.z", "answer reads from c, not a node"),
    ],
)
def test_a_graph_that_cannot_be_walked_is_refused(
    nodes: list[Node], answer: str, said: str
) -> None:
    with pytest.raises(GraphError, match=said):
        Graph("bad", nodes, answer)


def test_nodes_start_on_their_last_input_and_get_what_they_read() -> None:
    async def work() -> Answer:
        calls = Calls()
        walking = asyncio.ensure_future(walk(DIAMOND, {"n": 5, "unread": 0}, calls))
        await asyncio.sleep(0)
        assert calls.inputs == {"first": {"n": 5}}
        await calls.answer("first", n=5)
        assert set(calls.open) == {"left", "right"}
        await calls.answer("right", n=50)
        assert set(calls.open) == {"left"}
        await calls.answer("left", n=6)
        assert calls.inputs["join"] == {"left": 6, "right": 50}
        await calls.answer("join", sum=56)
        return await walking

    answer = asyncio.run(work())
    assert answer.document == 56
    assert [timing.stage for timing in answer.timings] == ["first", "right", "left", "join"]
    assert all((t.queue_ns, t.compute_ns, t.batch_size) == (1, 2, 3) for t in answer.timings)


def test_a_refusal_ends_the_walk_and_cancels_what_runs() -> None:
    async def work() -> None:
        calls = Calls()
        walking = asyncio.ensure_future(walk(DIAMOND, {"n": 5}, calls))
        await asyncio.sleep(0)
        await calls.answer("first", n=5)
        left = calls.open["left"]
        calls.open["right"].set_exception(Problem("bad", 422, "no"))
        with pytest.raises(Problem, match="bad"):
            await walking
        assert left.cancelled()

    asyncio.run(work())


def test_a_cancelled_walk_cancels_what_runs() -> None:
    async def work() -> None:
        calls = Calls()
        walking = asyncio.ensure_future(walk(DIAMOND, {"n": 5}, calls))
        await asyncio.sleep(0)
        walking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await walking
        assert calls.open["first"].cancelled()

    asyncio.run(work())


def test_a_batch_runs_whole_and_the_refused_leave_it() -> None:
    results = run_batch(DIAMOND, STAGES, [{"n": 1}, {"n": 200}, {"n": 3}])
    assert isinstance(results[1], Problem)
    assert [r.document for r in (results[0], results[2]) if isinstance(r, Answer)] == [12, 34]
    assert isinstance(results[0], Answer)
    sizes = {timing.stage: timing.batch_size for timing in results[0].timings}
    assert sizes["first"] == 3
    assert sizes["join"] == 2


def test_a_batch_of_nothing_but_refusals_stops_early() -> None:
    (result,) = run_batch(DIAMOND, STAGES, [{"n": 200}])
    assert isinstance(result, Problem)
