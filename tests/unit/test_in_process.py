"""The reference answers and the ceiling, as the process that its callers start."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from architectures.in_process import COMMAND, InProcessRequest
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice

SECOND = str(Path(__file__).parents[1] / "second_ensemble")
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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"graph": "gues"}, "has no graph 'gues'; it has guess"),
        ({"payloads": "/nowhere.parquet"}, "payloads /nowhere.parquet cannot be read"),
        ({"out": ""}, "references need `out`"),
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
