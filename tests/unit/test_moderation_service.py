"""The stand-in moderation API does what its script says, and says so."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from architectures.moderation_service.script import Script
from harness.http import Reply, ask
from tests.catalogue import Stub, moderation_stub


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with moderation_stub(rejects=0.5) as started:
        yield started


def _ask(stub: Stub, image: bytes) -> Reply:
    return ask(f"{stub.url}/v1/moderate", image, "application/octet-stream")


def test_a_verdict_is_of_the_image(stub: Stub) -> None:
    images = [b"image %d" % i for i in range(40)]
    verdicts = [_ask(stub, image).json()["verdict"] for image in images]
    assert set(verdicts) == {"approved", "rejected"}
    assert [_ask(stub, image).json()["verdict"] for image in images[:5]] == verdicts[:5]


def test_the_script_is_replaced_part_by_part_and_counted(stub: Stub) -> None:
    said = stub.tell(latency={"law": "exponential", "mean_s": 0.001}, error_ratio=1.0)
    assert said["rejects"] == 0.5
    assert said["latency"] == {"law": "exponential", "mean_s": 0.001}
    failed = stub.count("failed")
    assert _ask(stub, b"image").status == 500
    assert stub.count("failed") == failed + 1
    assert stub.tell(error_ratio=0.0, latency={})["latency"] == {}
    assert _ask(stub, b"image").status == 200


def test_down_is_a_connection_reset_and_up_an_answer(stub: Stub) -> None:
    stub.tell(down=True)
    with pytest.raises(OSError, match="reset"):
        _ask(stub, b"image")
    stub.tell(down=False)
    assert _ask(stub, b"image").status == 200


WRONG = [
    [],
    {"lateny": {}},
    {"latency": {"law": "pareto", "mean_s": 1, "shape": 0.5}},
    {"latency": {"burn_s": 1}},
    {"error_ratio": 2},
    {"error_ratio": True},
    {"down": 1},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(stub: Stub, wrong: object) -> None:
    before = ask(f"{stub.url}/control").json()["script"]
    reply = ask(f"{stub.url}/control", json.dumps(wrong).encode(), "application/json")
    assert reply.status == 400
    assert reply.json()["error"]
    assert ask(f"{stub.url}/control").json()["script"] == before


def test_delays_are_the_null_services_and_repeat() -> None:
    script = Script().with_changes({"latency": {"law": "lognormal", "mean_s": 0.02, "shape": 1.0}})
    delays_ns = script.delays_ns()
    assert delays_ns == script.delays_ns()
    assert sum(delays_ns) / len(delays_ns) == pytest.approx(0.02e9, rel=0.05)


def test_a_script_on_the_command_line_that_cannot_be_meant_ends_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "architectures.moderation_service", "--script", '{"up": true}'],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 2
    assert "--script" in ended.stderr
    assert "error_ratio" in ended.stderr
