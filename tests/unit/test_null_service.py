"""The oracle's own oracle: its delays can be recomputed, and it freezes when it says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import httpx
import pytest

from architectures.contract import parse_server_timing
from architectures.null_service import ARCHITECTURE
from architectures.null_service.behaviour import Behaviour
from architectures.spec import EnsembleChoice, ResourceClaim, ServingPolicy, Variant
from harness.deploy import deploy

SECOND = str(Path(__file__).parents[1] / "second_ensemble")
CHOICE = EnsembleChoice("language_guess", "plain", search_path=(SECOND,))


@contextmanager
def service(logs: Path, **options: Any) -> Iterator[httpx.Client]:
    with (
        deploy(
            ARCHITECTURE,
            Variant("made", "for a test", options),
            ensemble=CHOICE,
            policy=ServingPolicy(),
            claim=ResourceClaim((max(os.sched_getaffinity(0)),), 1 << 30),
            log_directory=logs,
        ) as deployment,
        httpx.Client(base_url=deployment.url, timeout=20) as client,
    ):
        yield client


def ask(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/guess", content=b"anything", headers={"Content-Type": "text/plain"})


def test_delays_are_those_of_the_table_and_are_kept(tmp_path: Path) -> None:
    options = {"law": "exponential", "mean_s": 0.01, "seed": 4}
    table = Behaviour(**options).delays_ns()
    with service(tmp_path, **options) as client:
        for index in range(30):
            started_ns = perf_counter_ns()
            reply = ask(client)
            took_ns = perf_counter_ns() - started_ns
            delay_ns = int(table[index])
            assert reply.json() == {"index": index, "delay_ns": delay_ns}
            (timing,), request_ns = parse_server_timing(reply.headers["server-timing"])
            assert timing.compute_ns == pytest.approx(delay_ns, abs=1000)
            assert request_ns is not None
            assert delay_ns - 1000 <= timing.wall_ns <= request_ns <= took_ns + 1000


def test_a_freeze_comes_when_it_should_and_stops_everything(tmp_path: Path) -> None:
    with service(tmp_path, freeze_after_s=0.1, freeze_s=0.6) as client:
        first_ns = perf_counter_ns()
        longest_ns = 0
        while perf_counter_ns() - first_ns < 300_000_000:
            started_ns = perf_counter_ns()
            ask(client)
            longest_ns = max(longest_ns, perf_counter_ns() - started_ns)
        assert longest_ns >= 550_000_000


def test_cpu_is_burnt_as_asked(tmp_path: Path) -> None:
    with service(tmp_path, burn_s=0.02) as client:
        replies = [ask(client) for _ in range(5)]
    for reply in replies:
        (timing,), _ = parse_server_timing(reply.headers["server-timing"])
        assert timing.wall_ns >= 20_000_000


def test_laws_have_the_mean_they_are_given() -> None:
    for law in ("constant", "uniform", "exponential"):
        table = Behaviour(law, mean_s=0.02, seed=1).delays_ns()
        assert table.mean() / 1e9 == pytest.approx(0.02, rel=0.02)
        assert (table >= 0).all()
    assert (Behaviour(seed=1).delays_ns() == 0).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mean_ms": 3}, "has no option mean_ms; it has law, mean_s"),
        ({"law": "gaussian"}, "use one of constant, uniform, exponential"),
    ],
)
def test_an_unknown_option_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Behaviour.from_options(options)
