"""What is left to do after an answer: nothing, where no detached node would run."""

import asyncio
from typing import Any

import pytest

from architectures.graph import Graph, Inputs, Node
from architectures.walk import Answer, StageResult, walk

GRAPH = Graph(
    "late",
    (
        Node("route", {"n": "request.n"}),
        Node("maybe", {"n": "request.n"}, when="route.odd"),
        Node("end", {"n": "maybe.n?", "m": "route.n"}),
        Node("shadow", {"n": "route.n"}, when="route.odd", detached=True),
        Node("compare", {"n": "shadow.n", "m": "end.n"}, detached=True),
        Node("needs", {"n": "maybe.n"}, detached=True),
    ),
    "end.n",
)
ALWAYS = Graph("always", (*GRAPH.nodes, Node("note", {"n": "shadow.n?"}, detached=True)), "end.n")


def answer(graph: Graph, number: int, ran: list[str]) -> Answer:
    def call(stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        ran.append(stage)
        future: asyncio.Future[StageResult] = asyncio.get_running_loop().create_future()
        n = sum(value or 0 for value in inputs.values())
        future.set_result(StageResult({"n": n, "odd": n % 2 == 1}, 0, 0, 1))
        return future

    async def whole() -> Answer:
        walked = await walk(graph, {"n": number}, call)
        if walked.after is not None:
            await walked.after()
        return walked

    return asyncio.run(whole())


@pytest.mark.parametrize(
    ("graph", "number", "late"),
    [
        (GRAPH, 1, {"shadow", "compare", "needs"}),
        (GRAPH, 2, set()),
        (ALWAYS, 1, {"shadow", "compare", "needs", "note"}),
        (ALWAYS, 2, {"note"}),
    ],
)
def test_a_walk_leaves_what_will_run(graph: Any, number: int, late: set[str]) -> None:
    ran: list[str] = []
    walked = answer(graph, number, ran)
    assert set(ran) - {"route", "maybe", "end"} == late
    assert (walked.after is not None) == bool(late)
