"""The stages: shapes, equal answers whatever the batch, threads, forks, and no early torch."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import pytest

from architectures import ensemble
from architectures.contract import Problem
from architectures.ensemble.attributes import ATTRIBUTES, KEYPOINT_NAMES, SCORES
from architectures.ensemble.captions import LENGTH, VOCABULARY
from architectures.graph import Inputs, Stage
from architectures.walk import Answer, run_batch

Stages: TypeAlias = Mapping[str, Stage]
Requests: TypeAlias = Sequence[Inputs]
Answers: TypeAlias = Sequence[Any]

COUNT = 48
GRAPH = ensemble.GRAPHS["tag"]


@pytest.fixture(scope="module")
def stages() -> Stages:
    return {name: ensemble.load_stage(name, "tiny") for name in ensemble.STAGES}


@pytest.fixture(scope="module")
def requests() -> Requests:
    return [{"body": example.body} for example in ensemble.examples("load", COUNT, 11)]


@pytest.fixture(scope="module")
def answers(stages: Stages, requests: Requests) -> Answers:
    """The answers of every request alone."""
    return [document for request in requests for document in tagged(stages, [request])]


def tagged(stages: Stages, batch: Requests) -> Answers:
    """The answers of a batch in which no member is refused."""
    found = run_batch(GRAPH, stages, batch)
    return [answer.document for answer in found if isinstance(answer, Answer)]


def apart(one: Any, other: Any) -> float:
    """Largest difference of two answers' numbers; everything else must be equal."""
    if isinstance(one, float):
        return abs(one - other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return max(apart(one[key], other[key]) for key in one)
    if isinstance(one, list):
        assert len(one) == len(other)
        return max(apart(a, b) for a, b in zip(one, other, strict=True))
    assert one == other
    return 0.0


@pytest.mark.parametrize("size", [2, 7, 16, 48])
def test_an_answer_does_not_depend_on_its_batch(
    stages: Stages, requests: Requests, answers: Answers, size: int
) -> None:
    batches = [requests[start : start + size] for start in range(0, COUNT, size)]
    found = [document for batch in batches for document in tagged(stages, batch)]
    assert max(apart(one, other) for one, other in zip(answers, found, strict=True)) < 1e-4


def test_an_answer_is_plain_json_of_the_promised_form(answers: Answers) -> None:
    for answer in answers:
        assert json.loads(json.dumps(answer)) == answer
        assert [tag["kind"] for tag in answer["tags"]] == list(ATTRIBUTES)
        assert all(tag["value"] in ATTRIBUTES[tag["kind"]] for tag in answer["tags"])
        assert all(0 < tag["score"] <= 1 for tag in answer["tags"])
        assert [point["name"] for point in answer["keypoints"]] == list(
            KEYPOINT_NAMES[answer["tags"][0]["value"]]
        )
        assert answer["votes"].keys() == {"residual", "depthwise", "hybrid"}
        assert set(answer["caption"].split()) <= set(VOCABULARY)
        assert len(answer["caption"].split()) <= LENGTH
        assert answer["models"] == ensemble.describe("tiny").models


def test_stage_outputs_are_small_arrays_of_the_promised_kinds(
    stages: Stages, requests: Requests
) -> None:
    (decoded,) = stages["decode"](requests[:1])
    (found,) = stages["detect"]([{"thumbnail": decoded["thumbnail"]}])
    (cropped,) = stages["crop"]([{"working": decoded["working"], "box": found["box"]}])
    (scored,) = stages["classify_hybrid"]([{"crop": cropped["crop"]}])
    (pointed,) = stages["keypoints"]([cropped])
    shapes = {
        "working": (decoded["working"], (224, 224, 3), np.uint8),
        "thumbnail": (decoded["thumbnail"], (128, 128, 3), np.uint8),
        "box": (found["box"], (4,), np.float32),
        "crop": (cropped["crop"], (96, 96, 3), np.uint8),
        "window": (cropped["window"], (4,), np.float32),
        "scores": (scored["scores"], (SCORES,), np.float32),
        "keypoints": (pointed["keypoints"], (5, 2), np.float32),
    }
    for name, (array, shape, dtype) in shapes.items():
        assert array.dtype == dtype, name
        assert array.ndim == len(shape), name
        assert name == "working" or array.shape == shape, name
    sums = [scored["scores"][part].sum() for part in (slice(12), slice(12, 20), slice(20, 25))]
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_stages_take_read_only_arrays_as_they_come_off_a_wire(
    stages: Stages, requests: Requests
) -> None:
    (decoded,) = stages["decode"](requests[:1])
    raw = np.frombuffer(decoded["thumbnail"].tobytes(), np.uint8).reshape(128, 128, 3)
    again = stages["detect"]([{"thumbnail": raw}])[0]["box"]
    np.testing.assert_array_equal(again, stages["detect"]([decoded])[0]["box"])


def test_a_blank_image_still_gets_an_answer(stages: Stages) -> None:
    blank = {"working": np.zeros((1, 256, 3), np.uint8), "box": np.zeros(4, np.float32)}
    (cropped,) = stages["crop"]([blank])
    assert cropped["crop"].shape == (96, 96, 3)
    assert np.isfinite(stages["keypoints"]([cropped])[0]["keypoints"]).all()


def test_a_bad_member_leaves_and_the_others_go_on(
    stages: Stages, requests: Requests, answers: Answers
) -> None:
    first, bad, last = run_batch(GRAPH, stages, [requests[0], {"body": b"no"}, requests[1]])
    assert isinstance(first, Answer)
    assert isinstance(bad, Problem)
    assert isinstance(last, Answer)
    assert apart(first.document, answers[0]) < 1e-4
    assert apart(last.document, answers[1]) < 1e-4


def test_two_threads_may_load_and_run_at_once(requests: Requests, answers: Answers) -> None:
    def load_and_run(request: Inputs) -> Any:
        own = {name: ensemble.load_stage(name, "tiny") for name in ensemble.STAGES}
        return tagged(own, [request])[0]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(load_and_run, requests[:4]))
    assert max(apart(one, other) for one, other in zip(found, answers[:4], strict=True)) < 1e-4


def run_alone(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_light_stages_and_descriptions_never_import_torch() -> None:
    assert (
        run_alone(
            """
import sys
import architectures.ensemble as ensemble
for name, spec in ensemble.STAGES.items():
    if spec.kind == "light":
        ensemble.load_stage(name, "tiny")
[ensemble.describe(tier) for tier in ensemble.TIERS]
ensemble.examples("load", 1, 0)
print("torch" in sys.modules)
"""
        )
        == "False"
    )


def test_a_process_may_load_then_fork() -> None:
    """A child of a parent whose OpenMP pool is alive would hang in its first convolution."""
    assert (
        run_alone(
            """
import os
import architectures.ensemble as ensemble
stages = {name: ensemble.load_stage(name, "tiny", threads=2) for name in ensemble.STAGES}
body = ensemble.examples("load", 1, 0)[0].body
child = os.fork()
if child == 0:
    from architectures.walk import run_batch
    run_batch(ensemble.GRAPHS["tag"], stages, [{"body": body}] * 8)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
        )
        == "0"
    )


@pytest.mark.parametrize(("name", "tier"), [("detect", "huge"), ("describe", "tiny")])
def test_unknown_names_are_key_errors(name: str, tier: str) -> None:
    with pytest.raises(KeyError):
        ensemble.load_stage(name, tier)
