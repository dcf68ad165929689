"""However a graph looks and whoever leaves, micro-batches give what one plain batch gives."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from architectures.contract import Problem
from architectures.graph import Graph, Inputs, Node, Outputs, Stage
from architectures.microbatch import StageExecutor
from architectures.plugin import Loaded
from architectures.spec import ServingPolicy
from architectures.stage_calls import StageCalls
from architectures.walk import Answer, StageResult, run_batch, walk

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


@st.composite
def choosing_graphs(draw: st.DrawFn) -> Graph:
    """As above, but nodes may run on a condition, read what may be missing, or be left for later.

    The last node reads loose ends, all of them optional, so it always runs.
    """
    nodes: list[Node] = []
    loose: set[str] = set()
    late: set[str] = set()
    for index in range(draw(st.integers(1, 7))):
        name = f"s{index}"
        detached = draw(st.integers(0, 5)) == 0
        earlier = [node.key for node in nodes if detached or node.key not in late]
        read = draw(
            st.lists(st.sampled_from(["request", *earlier]), min_size=1, max_size=3, unique=True)
        )
        reads = {source: f"{source}.n" + _optional(draw, source) for source in read}
        asked = draw(st.sampled_from(["", "", *earlier]))
        when = asked and f"{asked}.odd"
        stage = draw(st.sampled_from([name, *(node.stage for node in nodes)]))
        nodes.append(Node(stage, reads, name=name, when=when, detached=detached))
        if detached:
            late.add(name)
        else:
            loose = (loose | {name}) - set(read) - {asked}
    ends = {source: f"{source}.n?" for source in sorted(loose)} or {"request": "request.n"}
    nodes.append(Node("end", ends))
    return Graph("any", draw(st.permutations(nodes)), "end.n")


def _optional(draw: st.DrawFn, source: str) -> str:
    return "?" if source != "request" and draw(st.booleans()) else ""


def stages(graph: Graph, batches: list[int]) -> dict[str, Stage]:
    """Each adds its own number to the sum of what it reads; every seventh sum is refused."""

    def make(place: int) -> Stage:
        def stage(members: Sequence[Inputs]) -> list[Outputs | Problem]:
            batches.append(len(members))
            sums = [sum(n or 0 for n in member.values()) + place for member in members]
            return [
                Problem("seven", 422, "") if n % REFUSED == 0 else {"n": n, "odd": n % 2 == 1}
                for n in sums
            ]

        return stage

    return {name: make(int("0" + name.strip("send"))) for name in graph.stages}


class Waits:
    """A stage that gives way a few times before it does what another does at once."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.inside = 0

    async def __call__(self, member: Inputs, /) -> Outputs | Problem:
        self.inside += 1
        try:
            for _ in range(sum(n or 0 for n in member.values()) % 3):
                await asyncio.sleep(0)
            (output,) = self.stage([member])
            return output
        finally:
            self.inside -= 1

    async def close(self) -> None:
        assert self.inside == 0


def outcome(result: Any) -> Any:
    return result.document if isinstance(result, Answer) else type(result)


async def leave(walks: Sequence["asyncio.Task[Answer]"], leavers: set[int]) -> list[Any]:
    """Cancel some walks when all have begun; what became of each."""
    await asyncio.sleep(0)
    for index in leavers & set(range(len(walks))):
        walks[index].cancel()
    return await asyncio.wait_for(asyncio.gather(*walks, return_exceptions=True), 20)


NUMBERS = st.lists(st.integers(0, 50), min_size=1, max_size=20)
LEAVERS = st.sets(st.integers(0, 19))


@settings(max_examples=60, deadline=None)
@given(
    graph=graphs(),
    numbers=NUMBERS,
    leavers=LEAVERS,
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
        return await leave(walks, leavers)

    results = asyncio.run(ask_all())
    executor.close()
    assert max(batches, default=0) <= max_batch
    expected = run_batch(graph, made, [{"n": number} for number in numbers])
    for index, (result, reference) in enumerate(zip(results, expected, strict=True)):
        if index in leavers:
            assert isinstance(result, asyncio.CancelledError)
        else:
            assert outcome(result) == outcome(reference)


@settings(max_examples=80, deadline=None)
@given(
    graph=choosing_graphs(), numbers=NUMBERS, leavers=LEAVERS, waiting=st.sets(st.integers(0, 6))
)
def test_walks_that_choose_and_wait_equal_one_plain_batch(
    graph: Graph, numbers: list[int], leavers: set[int], waiting: set[int]
) -> None:
    made = stages(graph, [])
    io = {name: Waits(made[name]) for name in made if name in {f"s{i}" for i in waiting}}
    compute = {name: stage for name, stage in made.items() if name not in io}

    async def ask_all() -> list[Any]:
        calls = StageCalls(Loaded(compute, io), ServingPolicy(max_batch=4))
        walks = [
            asyncio.ensure_future(walk(graph, {"n": number}, calls.admit(), calls.admit(late=True)))
            for number in numbers
        ]
        results = await leave(walks, leavers)
        for result in results:
            if isinstance(result, Answer):
                assert result.after is None or graph.detached
                await _followed(result)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await calls.close()
        return results

    results = asyncio.run(ask_all())
    expected = run_batch(graph, made, [{"n": number} for number in numbers])
    for index, (result, reference) in enumerate(zip(results, expected, strict=True)):
        if index in leavers:
            assert isinstance(result, asyncio.CancelledError)
            continue
        assert outcome(result) == outcome(reference)
        if isinstance(result, Answer) and isinstance(reference, Answer):
            ran = {timing.stage for timing in result.timings}
            assert ran == {timing.stage for timing in reference.timings}
            assert len(ran) == len(result.timings)


async def _followed(answer: Answer) -> None:
    if answer.after is not None:
        try:
            await asyncio.wait_for(answer.after(), 20)
        except Problem:
            return  # nobody is told of a late refusal but the counters


@settings(max_examples=60, deadline=None)
@given(graph=choosing_graphs(), number=st.integers(0, 50), broken=st.integers(0, 7))
def test_a_walk_that_fails_says_so_and_leaves_no_call(
    graph: Graph, number: int, broken: int
) -> None:
    """A stage that gives too little fails its readers' walk; nothing waits until the deadline."""
    made = stages(graph, [])
    open_calls: set[asyncio.Future[StageResult]] = set()

    def call(stage: str, inputs: Inputs) -> "asyncio.Future[StageResult]":
        future: asyncio.Future[StageResult] = asyncio.get_running_loop().create_task(
            _result(made[stage], inputs, empty=stage == f"s{broken}")
        )
        open_calls.add(future)
        return future

    async def ask() -> Any:
        walking: Awaitable[Answer] = walk(graph, {"n": number}, call)
        (result,) = await asyncio.gather(asyncio.wait_for(walking, 20), return_exceptions=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return result, [future for future in open_calls if not future.done()]

    result, left = asyncio.run(ask())
    assert left == []
    assert isinstance(result, Answer | Problem | KeyError), result


async def _result(stage: Stage, inputs: Inputs, *, empty: bool) -> StageResult:
    await asyncio.sleep(0)
    (output,) = stage([inputs])
    if isinstance(output, Problem):
        raise output
    return StageResult({} if empty else output, 0, 0, 1)
