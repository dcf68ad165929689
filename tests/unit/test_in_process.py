"""The reference answers and the ceiling, as the process that its callers start."""

import asyncio
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from architectures.graph import Graph, Inputs, Node, Outputs
from architectures.in_process import COMMAND, InProcessRequest
from architectures.in_process_runner import CeilingReading, Runner, in_this_thread, weighed
from architectures.plugin import Loaded, load_ensemble
from architectures.spec import EnsembleChoice
from harness.prepare import write_own
from workloads.payload_files import own_file
from workloads.payloads import write_payloads

SECOND = str(Path(__file__).parents[1] / "second_ensemble")
PONDERED_S = 0.01
"""Of a request for ``length`` (``second_ensemble/two_questions.py``)."""

CHOICE = EnsembleChoice("language_guess", "plain", search_path=(SECOND,))


@pytest.fixture
def asked(tmp_path: Path) -> InProcessRequest:
    examples = load_ensemble(CHOICE).examples("load", 12, 3)
    bodies = [*(example.body for example in examples), b"\xff"]
    columns = {"media_type": ["text/plain"] * 13, "body": pa.array(bodies, pa.binary())}
    pq.write_table(pa.table(columns), tmp_path / "payloads.parquet")
    return InProcessRequest(
        "references", CHOICE, "guess", str(tmp_path / "payloads.parquet"), out=str(tmp_path / "out")
    )


def start(stdin: bytes) -> "subprocess.CompletedProcess[str]":
    text = stdin.decode()
    return subprocess.run(
        COMMAND, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def readings(ran: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_references_stand_in_the_order_of_the_payloads(asked: InProcessRequest) -> None:
    assert start(asked.to_json()).returncode == 0
    documents = [json.loads(line) for line in Path(asked.out).read_text().splitlines()]
    labels = [e.label["language"] for e in load_ensemble(CHOICE).examples("load", 12, 3)]
    assert [document.get("language") for document in documents] == [*labels, None]
    assert documents[12] == {"problem": "not-text"}


@pytest.mark.parametrize("processes", [1, 2])
def test_the_ceiling_is_read_for_every_batch_size(asked: InProcessRequest, processes: int) -> None:
    wanted = replace(
        asked, task="ceiling", batch_sizes=(1, 5), seconds=0.2, processes=processes, out=""
    )
    found = readings(start(wanted.to_json()))
    assert [reading["batch_size"] for reading in found] == [1, 5]
    for reading in found:
        assert reading["images"] % reading["batch_size"] == 0
        assert reading["images"] > 0
        assert reading["wall_s"] >= 0.2
        assert 0 < reading["cpu_s"] <= reading["wall_s"] * processes * 1.1


@pytest.mark.parametrize(("slow", "processes"), [(1, 1), (3, 2)])
def test_the_ceiling_of_a_mix_has_each_graph_by_its_share(
    asked: InProcessRequest, slow: int, processes: int
) -> None:
    wanted = replace(
        asked,
        task="ceiling",
        ensemble=replace(CHOICE, module="two_questions"),
        weights={"guess": 4 - slow, "length": slow},
        batch_sizes=(1, 3),
        seconds=0.3,
        processes=processes,
        rows=(0, 1, 1),
        out="",
    )
    for reading in readings(start(wanted.to_json())):
        assert reading["images"] % reading["batch_size"] == 0
        share_s = slow / 4 * PONDERED_S
        assert reading["wall_s"] * processes / reading["images"] >= share_s
        assert reading["cpu_s"] < reading["wall_s"] * processes


def test_a_mix_is_weighed_by_the_time_of_a_request() -> None:
    quick, slow = CeilingReading(2, 100, 1.0, 0.5), CeilingReading(2, 10, 1.0, 0.8)
    mixed = weighed([quick, slow], [0.9, 0.1])
    assert mixed.images == 110
    assert mixed.wall_s / mixed.images == pytest.approx(0.9 * 0.01 + 0.1 * 0.1)
    assert mixed.cpu_s / mixed.images == pytest.approx(0.9 * 0.005 + 0.1 * 0.08)
    assert weighed([quick], [1.0]) is quick


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"graph": "gues"}, "has no graph 'gues'; it has guess"),
        ({"payloads": "/nowhere.parquet"}, "payloads /nowhere.parquet cannot be read"),
        ({"out": ""}, "references need `out`"),
        ({"task": "ceiling", "rows": (0, 13)}, "rows go from 0 to 13, but there are 13 payloads"),
        ({"task": "ceiling", "weights": {"gues": 1}}, "has no graph 'gues'; it has guess"),
        ({"ensemble": replace(CHOICE, tier="huge")}, "has no tier 'huge'; it has plain"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    asked: InProcessRequest, change: dict[str, Any], said: str
) -> None:
    ran = start(replace(asked, **change).to_json())
    assert ran.returncode == 2
    assert ran.stderr.startswith("in_process: ")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_an_unknown_key_is_a_mistake(asked: InProcessRequest) -> None:
    ran = start(asked.to_json().replace(b'"seconds"', b'"second"'))
    assert ran.returncode == 2
    assert "second" in ran.stderr


class Waiting:
    """A stage that waits, and knows whether it was closed where it ran."""

    ran_on: asyncio.AbstractEventLoop | None = None
    closed_on: asyncio.AbstractEventLoop | None = None

    async def __call__(self, member: Inputs, /) -> Outputs:
        self.ran_on = asyncio.get_running_loop()
        return {"body": member["body"]}

    async def close(self) -> None:
        assert self.closed_on is None
        self.closed_on = asyncio.get_running_loop()


def test_what_waits_is_closed_on_the_loop_it_ran_on() -> None:
    """Or a database driver's thread would keep the process from its end."""
    graph = Graph("wait", [Node("waits", {"body": "request.body"})], answer="waits.body")
    ran, idle = Waiting(), Waiting()
    for stage, batches in ((ran, 1), (idle, 0)):
        runner = Runner(graph, in_this_thread(Loaded({}, {"waits": stage})), [{"body": "x"}])
        if batches:
            assert list(runner.references()) == ["x"]
        runner.close()
        runner.close()
    assert ran.ran_on is not None
    assert ran.closed_on is ran.ran_on
    assert idle.closed_on is None


def test_stages_that_wait_share_a_loop_as_in_a_server() -> None:
    """They may share a pool of connections, which belongs to one."""
    nodes = [
        Node("first", {"body": "request.body"}),
        Node("second", {"body": "first.body"}),
    ]
    first, second = Waiting(), Waiting()
    stages = in_this_thread(Loaded({}, {"first": first, "second": second}))
    runner = Runner(Graph("wait", nodes, answer="second.body"), stages, [{"body": "x"}])
    assert list(runner.references()) == ["x"]
    runner.close()
    assert first.ran_on is second.ran_on is first.closed_on is second.closed_on


def test_headers_a_graph_reads_are_given_to_it_as_a_door_would(tmp_path: Path) -> None:
    choice = EnsembleChoice("moods", "plain", search_path=(SECOND,))
    ensemble = load_ensemble(choice)
    payloads = tmp_path / "payloads.parquet"
    write_payloads(payloads, ensemble.examples("load", 2, 1))
    write_own(ensemble, payloads, ensemble.examples("load", 2, 1), ["hello"])
    asked = InProcessRequest(
        "references",
        choice,
        "hello",
        str(payloads),
        out=str(tmp_path / "out"),
        own_payloads={"hello": str(own_file(payloads, "hello"))},
    )
    env = {**os.environ, "SERVEBENCH_DIRECTORY": str(tmp_path)}
    ran = subprocess.run(
        COMMAND, input=asked.to_json(), capture_output=True, timeout=60, check=False, env=env
    )
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line) for line in Path(asked.out).read_text().splitlines()] == [
        {"mood": "calm", "who": f"caller {key}", "key": key} for key in range(2)
    ]
