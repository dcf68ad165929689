"""However a graph looks and whoever leaves, micro-batches give what one plain batch gives."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from architectures.contract import Problem
from architectures.graph import Graph, Inputs, Node, Outputs, Stage
from architectures.microbatch import StageExecutor
from architectures.spec import ServingPolicy
from architectures.walk import Answer, run_batch, walk

REFUSED = 7


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to six stages, each reading the request or earlier ones; one more reads loose ends."""
    nodes = []
    loose: set[str] = set()
    for index in range(draw(st.integers(1, 6))):
        sources = ["request", *(f"s{earlier}" for earlier in range(index))]
        read = draw(st.lists(st.sampled_from(sources), min_size=1, max_size=3, unique=True))
        nodes.append(Node(f"s{index}", {source: f"{source}.n" for source in read}))
        loose = (loose | {f"s{index}"}) - set(read)
    last = f"s{len(nodes)}"
    nodes.append(Node(last, {source: f"{source}.n" for source in sorted(loose)}))
    return Graph("any", draw(st.permutations(nodes)), f"{last}.n")


def stages(graph: Graph, batches: list[int]) -> dict[str, Stage]:
    """Each adds its own number to the sum of what it reads; every seventh sum is refused."""

    def make(place: int) -> Stage:
        def stage(members: Sequence[Inputs]) -> list[Outputs | Problem]:
            batches.append(len(members))
            sums = [sum(member.values()) + place for member in members]
            return [Problem("seven", 422, "") if n % REFUSED == 0 else {"n": n} for n in sums]

        return stage

    return {name: make(int(name[1:])) for name in graph.stages}


def outcome(result: Any) -> Any:
    return result.document if isinstance(result, Answer) else type(result)


@settings(max_examples=60, deadline=None)
@given(
    graph=graphs(),
    numbers=st.lists(st.integers(0, 50), min_size=1, max_size=20),
    leavers=st.sets(st.integers(0, 19)),
    max_batch=st.integers(1, 8),
    threads=st.integers(1, 3),
)
def test_walks_in_batches_equal_one_plain_batch(
    graph: Graph, numbers: list[int], leavers: set[int], max_batch: int, threads: int
) -> None:
    batches: list[int] = []
    made = stages(graph, batches)
    executor = StageExecutor(made, ServingPolicy(max_batch=max_batch), threads)

    async def ask_all() -> list[Any]:
        walks = [
            asyncio.ensure_future(walk(graph, {"n": number}, executor.admit()))
            for number in numbers
        ]
        await asyncio.sleep(0)
        for index in leavers & set(range(len(walks))):
            walks[index].cancel()
        return await asyncio.wait_for(asyncio.gather(*walks, return_exceptions=True), 20)

    results = asyncio.run(ask_all())
    executor.close()
    assert max(batches, default=0) <= max_batch
    expected = run_batch(graph, made, [{"n": number} for number in numbers])
    for index, (result, reference) in enumerate(zip(results, expected, strict=True)):
        if index in leavers:
            assert isinstance(result, asyncio.CancelledError)
        else:
            assert outcome(result) == outcome(reference)
