"""The oracle's own oracle: its delays can be recomputed, and it freezes when it says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import httpx
import numpy as np
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
    table = Behaviour.from_options(options).delays_ns()
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
    with service(tmp_path, freezes=[[0.1, 0.6]]) as client:
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


def test_several_freezes_come_each_in_its_turn(tmp_path: Path) -> None:
    with service(tmp_path, freezes=[[0.1, 0.3], [0.7, 0.4]]) as client:
        first_ns = perf_counter_ns()
        times_ns = []
        while perf_counter_ns() - first_ns < 1_300_000_000:
            started_ns = perf_counter_ns()
            ask(client)
            times_ns.append(perf_counter_ns() - started_ns)
    longest = sorted(times_ns)[-2:]
    assert longest[0] >= 250_000_000
    assert longest[1] >= 350_000_000


def test_slow_start_and_drift_are_in_the_delay_that_is_due(tmp_path: Path) -> None:
    options = {"mean_s": 0.01, "slow_start_s": 0.1, "slow_start_decay_s": 0.02, "drift": 0.05}
    with service(tmp_path, **options) as client:
        first, *_, last = (ask(client).json()["delay_ns"] for _ in range(12))
    assert first == 110_000_000
    assert 10_000_000 < last < 110_000_000
    behaviour = Behaviour.from_options(options)
    assert behaviour.added_ns(0.02) == pytest.approx(1e8 / np.e + 1e6, abs=1)
    assert behaviour.added_ns(2.0) == pytest.approx(1e8, rel=1e-6)


def test_a_burst_of_errors_fails_whom_the_lots_say(tmp_path: Path) -> None:
    options = {"error_bursts": [[0.0, 60.0, 0.4]], "seed": 3}
    with service(tmp_path, **options) as client:
        replies = [ask(client) for _ in range(40)]
    lots = Behaviour.from_options(options).lots()[:40]
    assert [reply.status_code == 500 for reply in replies] == (lots < 0.4).tolist()
    failed = next(reply for reply in replies if reply.status_code == 500)
    assert failed.json()["type"] == "urn:servebench:problem:scripted"


def test_a_burst_has_an_end() -> None:
    behaviour = Behaviour.from_options({"error_bursts": [[1, 2, 0.5], [2.5, 1, 1]]})
    shares = [behaviour.failing(t) for t in (0.9, 1.0, 2.9, 3.2, 3.5)]
    assert shares == [0, 0.5, 1, 1, 0]


@pytest.mark.parametrize(
    "options",
    [
        {"law": "constant"},
        {"law": "uniform"},
        {"law": "exponential"},
        {"law": "pareto", "shape": 2.5},
        {"law": "lognormal", "shape": 0.8},
    ],
    ids=lambda options: options["law"],
)
def test_laws_have_the_mean_they_are_given(options: dict[str, Any]) -> None:
    table = Behaviour(**options, mean_s=0.02, seed=1).delays_ns()
    assert table.mean() / 1e9 == pytest.approx(0.02, rel=0.03)
    assert (table >= 0).all()


def test_nothing_is_no_delay() -> None:
    assert (Behaviour(seed=1).delays_ns() == 0).all()


def test_modes_have_the_shares_they_are_given() -> None:
    table = Behaviour.from_options({"law": "modes", "modes": [[0.9, 0.02], [0.1, 0.2]]}).delays_ns()
    delays, counts = np.unique(table, return_counts=True)
    assert delays.tolist() == [20_000_000, 200_000_000]
    assert counts / len(table) == pytest.approx([0.9, 0.1], abs=0.01)


def test_a_heavy_tail_is_heavy() -> None:
    """Of Pareto's law, by its own distribution function: P(delay > 10 least) = 10 ** -shape."""
    table = Behaviour("pareto", mean_s=0.03, shape=1.5, seed=2).delays_ns()
    least_ns = 0.01 * 1e9
    assert table.min() >= least_ns - 1
    assert (table > 10 * least_ns).mean() == pytest.approx(10**-1.5, rel=0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mean_ms": 3}, "has no option mean_ms; it has law, mean_s"),
        ({"law": "gaussian"}, "use one of constant, uniform, exponential"),
        ({"mean_s": -1}, "mean_s = -1: give a number of 0 or above"),
        ({"mean_s": "fast"}, "mean_s = 'fast': give a number"),
        ({"burn_s": True}, "burn_s = True: give a number"),
        ({"seed": 1.5}, "seed = 1.5: give a whole number"),
        ({"freezes": 3}, r"freezes = 3: give a list of \[when_s, for_s\]"),
        ({"freezes": [[1]]}, r"freezes = \[\[1\]\]: give a list of \[when_s, for_s\]"),
        ({"freezes": [[1, 2], [2, 1]]}, "that of 1 s lasts beyond 2 s"),
        ({"law": "modes"}, "belong together"),
        ({"modes": [[1, 0.1]]}, "belong together"),
        ({"law": "modes", "modes": [[0.5, 0.1]]}, "shares sum to 0.5; make it 1"),
        ({"law": "pareto", "mean_s": 1}, "its tail index is above 1"),
        ({"shape": 2}, "constant has none; leave it out"),
        ({"error_bursts": [[0, 1, 3]]}, "the share is above 1"),
        ({"slow_start_decay_s": 0}, "give the time in which"),
    ],
)
def test_an_unknown_option_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Behaviour.from_options(options)
