"""Redis Streams as the hop: a dead consumer's work, what is left in Redis, and its absence."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic_ns, sleep
from typing import Any

import pytest
from redis import Redis

from architectures import wire
from architectures.backends import BackendError
from architectures.microservices import ARCHITECTURE
from architectures.microservices.hop import Hop, Pace
from architectures.microservices.over_broker import BROKER, GROUP
from architectures.microservices.over_broker.redis_server import configuration
from architectures.spec import EnsembleChoice, Launch, ResourceClaim, ServingPolicy, Variant
from architectures.walk import StageResult
from harness.deploy import deploy
from harness.kept import DeployError
from harness.ports import PORTS
from tests.stage_services import Services, appears, inputs, services

EACH = Pace(1, 24, 0.0)
ASKED = 12
(VARIANT,) = (v for v in ARCHITECTURE.variants if v.name == "broker")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Services]:
    with services("broker", tmp_path) as made:
        yield made


def broker(served: Services) -> Any:
    return Redis.from_url(served.peers[BROKER])


def test_a_dead_consumer_s_work_is_done_by_another_and_answered_once(
    served: Services, tmp_path: Path
) -> None:
    """Both consumers hold work when one is killed."""
    first, _ = served.start(), served.start()
    go = tmp_path / "go"

    def asked(i: int) -> dict[str, Any]:
        return inputs(nr=i, mark=str(tmp_path / f"mark{i}"), until=str(go))

    async def scene() -> list[StageResult]:
        async with served.reached() as transport:
            hop = Hop("probe", transport, EACH)
            answers: Counter[int] = Counter()
            calls = [hop.call(asked(i)) for i in range(ASKED)]
            for i, call in enumerate(calls):
                call.add_done_callback(lambda _, i=i: answers.update([i]))
            await asyncio.to_thread(await_consumers, served, 2)
            first.kill()
            first.wait()
            go.touch()
            results = await asyncio.gather(*calls)
            assert answers == Counter(range(ASKED))
            return results

    results = asyncio.run(scene())
    assert [result.outputs["nr"] for result in results] == list(range(ASKED))
    runs = [len((tmp_path / f"mark{i}").read_text().split()) for i in range(ASKED)]
    assert all(count in (1, 2) for count in runs), "run again at most once, by who took it over"


def await_consumers(served: Services, count: int) -> None:
    """Wait until so many consumers hold work."""
    redis = broker(served)
    end_ns = monotonic_ns() + 30_000_000_000
    while sum(c["pending"] > 0 for c in redis.xinfo_consumers("calls:probe", GROUP)) < count:
        assert monotonic_ns() < end_ns, redis.xinfo_consumers("calls:probe", GROUP)
        sleep(0.01)
    redis.close()


def test_a_restarted_service_answers_what_its_last_life_had_taken(
    served: Services, tmp_path: Path
) -> None:
    process = served.start()

    async def scene() -> StageResult:
        async with served.reached() as transport:
            hop = Hop("probe", transport, EACH)
            go, held = tmp_path / "go", tmp_path / "held"
            call = hop.call(inputs(mark=str(held), until=str(go)))
            await appears(held)
            process.kill()
            process.wait()
            go.touch()
            await asyncio.to_thread(served.start)
            return await call

    assert asyncio.run(scene()).outputs["image"] == 1


def test_answered_and_given_up_work_leaves_nothing(served: Services, tmp_path: Path) -> None:
    big = bytes(200_000)

    async def scene() -> None:
        async with served.reached() as transport:
            hop = Hop("probe", transport, EACH)
            given_up = [hop.call(inputs(nr=i, big=big)) for i in range(4)]
            await asyncio.to_thread(await_blobs, redis, 4)
            for call in given_up:
                call.cancel()
        assert redis.keys("blob:*") == []
        await asyncio.to_thread(served.start)
        async with served.reached() as transport:
            hop = Hop("probe", transport, EACH)
            results = await asyncio.gather(*[hop.call(inputs(big=big)) for _ in range(8)])
            assert all(result.outputs["big"] == big for result in results)

    redis = broker(served)
    asyncio.run(scene())
    assert redis.keys("blob:*") == []
    assert redis.keys("replies:*") == []
    assert redis.xlen("calls:probe") == 0
    assert redis.xpending("calls:probe", GROUP)["pending"] == 0


def await_blobs(redis: Any, count: int) -> None:
    end_ns = monotonic_ns() + 30_000_000_000
    while len(redis.keys("blob:*")) < count:
        assert monotonic_ns() < end_ns
        sleep(0.01)
    for key in redis.keys("blob:*"):
        assert 0 < redis.pttl(key) <= 61_000, "a gateway that dies must not leave it for ever"


def test_what_came_too_late_is_not_run(served: Services, tmp_path: Path) -> None:
    redis = broker(served)
    message = bytes(wire.encode_calls([inputs(mark=str(tmp_path / "late"))]))
    fields = {"id": bytes(16), "reply_to": "replies:x", "ends_ns": 1, "body": message}
    redis.xadd("calls:probe", fields)
    redis.xadd("calls:probe", {**fields, "ends_ns": monotonic_ns() + 10**11, "body": b"damaged"})
    served.start()
    (_, said) = redis.blpop("replies:x", timeout=30)
    assert said.startswith(bytes(16) + b"F")
    assert not (tmp_path / "late").exists()
    assert redis.xlen("calls:probe") == 0


def test_the_broker_keeps_nothing_on_disk_and_asks_for_its_password(served: Services) -> None:
    told = broker(served).config_get("*")
    assert (told["save"], told["appendonly"]) == ("", "no")
    assert (told["bind"], told["maxmemory-policy"]) == ("127.0.0.1", "noeviction")
    assert told["maxmemory"] == str(64 * 1024 * 1024)
    assert not re.search("secret", served.log())
    config = replace(served.config(), options={"broker_memory_bytes": 1})
    assert b"requirepass secret\n" in configuration(config)


def launch(folder: Path, variant: Variant = VARIANT) -> Launch:
    second = str(Path(__file__).resolve().parents[1] / "second_ensemble")
    choice = EnsembleChoice("language_guess", "plain", search_path=(second,))
    claim = ResourceClaim((0,), 1 << 30)
    return Launch(choice, ServingPolicy(), claim, variant, "n", folder, PORTS.free)


def test_without_redis_the_variant_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = launch(tmp_path)
    with pytest.raises(BackendError, match="package `redis-server`"):
        ARCHITECTURE.blueprint(wanted)
    with (
        pytest.raises(DeployError, match="package `redis-server`"),
        deploy(
            ARCHITECTURE,
            VARIANT,
            ensemble=wanted.ensemble,
            policy=wanted.policy,
            claim=wanted.claim,
            log_directory=tmp_path,
        ),
    ):
        pass


def test_each_deployment_has_a_password_of_its_own(tmp_path: Path) -> None:
    components = [ARCHITECTURE.blueprint(launch(tmp_path)).components for _ in range(2)]
    urls = [re.search(r"redis://:[^@]+", str(one[0].env)) for one in components]
    assert len({url.group() for url in urls if url}) == 2
    assert all("redis://" not in " ".join(one.argv) for one in components[0])
