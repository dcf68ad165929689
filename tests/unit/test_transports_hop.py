"""What every transport owes the waiting part: batches, refusals, failures, and work given up."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns
from typing import Any

import numpy as np
import pytest

from architectures.contract import Problem
from architectures.microservices.hop import Hop, Pace, Transport, Unreachable
from architectures.walk import StageResult
from tests.stage_services import Services, appears, inputs, services

BATCHED = Pace(8, 1, 0.0)
EACH = Pace(1, 24, 0.0)


@pytest.fixture(scope="module", params=["grpc", "broker"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    with services(request.param, tmp_path_factory.mktemp(request.param)) as made:
        made.start()
        yield made


def ask(served: Services, *members: dict[str, Any], pace: Pace = BATCHED) -> list[Any]:
    async def scene() -> list[Any]:
        async with served.reached() as transport:
            hop = Hop("probe", transport, pace)
            return await asyncio.gather(*map(hop.call, members), return_exceptions=True)

    return asyncio.run(scene())


def test_calls_of_one_turn_share_a_batch(served: Services) -> None:
    results = ask(served, *[inputs()] * 10)
    assert [result.batch_size for result in results] == [8] * 8 + [2] * 2
    assert all(result.compute_ns > 0 and result.queue_ns > 0 for result in results)


def test_values_arrive_as_they_were_sent(served: Services) -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    member = inputs(
        image=image,
        floats=np.full((3,), 0.1, np.float64),
        none=None,
        nested={"boxes": [[0.5, 1.0]], "array": np.ones(2, np.int16), "bytes": b"\x00"},
        text="größer",
    )
    (result,) = ask(served, member)
    got = result.outputs
    assert got["more"] == b"raw"
    assert got["image"].dtype == np.uint8
    assert np.array_equal(got["image"], image)
    assert np.array_equal(got["floats"], member["floats"])
    assert (got["none"], got["text"]) == (None, "größer")
    assert got["nested"]["boxes"] == [[0.5, 1.0]]
    assert got["nested"]["array"].tolist() == [1, 1]
    assert got["nested"]["bytes"] == b"\x00"


def test_members_of_a_batch_may_differ_in_shape_and_in_what_they_have(served: Services) -> None:
    arrays = [np.ones((side, 2), np.float32) for side in (1, 3, 2)]
    members = [inputs(image=array, own=i) for i, array in enumerate(arrays)]
    del members[1]["own"]
    results = ask(served, *members)
    assert [result.outputs["image"].shape for result in results] == [(1, 2), (3, 2), (2, 2)]
    assert ["own" in result.outputs for result in results] == [True, False, True]
    assert {result.batch_size for result in results} == {3}


def test_large_messages_travel_both_ways(served: Services) -> None:
    image = np.random.default_rng(1).integers(0, 255, (300, 1000), np.uint8)
    results = ask(served, *[inputs(image=image)] * 4)
    assert all(np.array_equal(result.outputs["image"], image) for result in results)


def test_a_refusal_is_its_own_member_s(served: Services) -> None:
    first, refusal, last = ask(served, inputs(nr=0), inputs(refuse=True), inputs(nr=2))
    assert isinstance(refusal, Problem)
    assert refusal.args == ("no", 422, "No.")
    assert (first.outputs["nr"], last.outputs["nr"]) == (0, 2)


def test_a_failing_stage_fails_its_batch_and_lives_on(served: Services) -> None:
    results = ask(served, inputs(fail=True), inputs())
    assert [(r.slug, r.status) for r in results] == [("stage-failed", 500)] * 2
    assert "RuntimeError: as asked" in served.log()
    assert isinstance(ask(served, inputs())[0], StageResult)


@pytest.mark.parametrize("extra", [{"odd": True}, {"secret": object()}], ids=["out", "in"])
def test_a_value_that_cannot_travel_is_the_server_s_fault(
    served: Services, extra: dict[str, Any]
) -> None:
    (problem,) = ask(served, inputs(**extra))
    assert (problem.slug, problem.status) == ("stage-failed", 500)


def test_more_members_than_places_are_refused(served: Services) -> None:
    results = ask(served, *[inputs()] * 25, pace=Pace(25, 1, 0.0))
    assert {(r.slug, r.status) for r in results} == {("overloaded", 503)}


async def only_one_inside(transport: Transport) -> None:
    """Wait until all but one have left the queue, as a message too large for it is told."""
    hop = Hop("probe", transport, Pace(24, 1, 0.0))
    async with asyncio.timeout(30):
        said = ""
        while "1 of them taken" not in said:
            asked = [hop.call(inputs()) for _ in range(24)]
            refused, *_ = await asyncio.gather(*asked, return_exceptions=True)
            said = str(refused)


def test_a_call_given_up_before_it_ran_never_runs(served: Services, tmp_path: Path) -> None:
    async def scene() -> None:
        async with served.reached() as transport:
            hop = Hop("probe", transport, EACH)
            held = hop.call(inputs(mark=str(tmp_path / "held"), until=str(tmp_path / "go")))
            await appears(tmp_path / "held")
            given_up = [hop.call(inputs(mark=str(tmp_path / "given_up"))) for _ in range(4)]
            await asyncio.sleep(0.1)  # on their way, or already there
            for call in given_up:
                call.cancel()
            await only_one_inside(transport)
            (tmp_path / "go").touch()
            await held
            await hop.call(inputs(mark=str(tmp_path / "last")))

    asyncio.run(scene())
    assert not (tmp_path / "given_up").exists()


def test_nobody_waits_beyond_the_deadline(served: Services, tmp_path: Path) -> None:
    async def scene() -> None:
        async with served.reached() as transport:
            held = inputs(mark=str(tmp_path / "held"), until=str(tmp_path / "go"))
            with pytest.raises(Unreachable):
                await transport.exchange("probe", [held], monotonic_ns() + 300_000_000)
            (tmp_path / "go").touch()

    asyncio.run(scene())


def test_it_says_whether_somebody_is_there(served: Services) -> None:
    async def scene() -> bool:
        async with served.reached() as transport:
            return await transport.is_ready()

    assert asyncio.run(scene())


def test_a_stopped_service_answers_what_it_has_and_is_then_missed(tmp_path: Path) -> None:
    async def scene(served: Services) -> None:
        async with served.reached() as transport:
            hop = Hop("probe", transport, EACH)
            held = hop.call(inputs(mark=str(tmp_path / "held"), until=str(tmp_path / "go")))
            await appears(tmp_path / "held")
            served.processes[0].terminate()
            (tmp_path / "go").touch()
            assert isinstance(await held, StageResult)
            await asyncio.to_thread(served.processes[0].wait, 30)
            assert not await transport.is_ready()
            with pytest.raises(Problem) as caught:
                await hop.call(inputs())
            assert (caught.value.slug, caught.value.status) == ("stage-unavailable", 503)

    with services("grpc", tmp_path) as served:
        served.start()
        asyncio.run(scene(served))
