"""The head begins as the shipped classifier's last layer, and its steps are the true gradient's."""

import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from architectures.ensemble.attributes import ATTRIBUTES, SCORE_SLICES, SCORES
from architectures.patterns import load_stage, score
from architectures.patterns.online_weights import sgd
from architectures.patterns.online_weights.head import SHIPPED, Head, from_bytes, shipped
from architectures.patterns.online_weights.serving import AdaptedHead
from architectures.state import Published
from architectures.state.sqlite import SqliteStore

CROPS = np.random.default_rng(1).integers(0, 256, (8, 96, 96, 3), np.uint8)


def test_frozen_features_and_the_shipped_head_are_the_shipped_classifier() -> None:
    batch = [{"crop": crop} for crop in CROPS]
    features = np.stack([one["features"] for one in load_stage("crop_features", "tiny")(batch)])
    whole = np.stack([one["scores"] for one in load_stage("classify_residual", "tiny")(batch)])
    assert features.shape == (8, shipped("tiny").width)
    np.testing.assert_allclose(shipped("tiny").scores(features), whole, atol=1e-5)


def test_a_tier_without_weights_begins_undecided() -> None:
    head = shipped("base")
    features = load_stage("crop_features", "base")([{"crop": np.zeros((224, 224, 3), np.uint8)}])
    scores = head.scores(features[0]["features"][None])
    assert [float(scores[0, part].sum()) for part in SCORE_SLICES.values()] == pytest.approx(
        [1] * 3
    )
    assert np.ptp(scores[0, SCORE_SLICES["category"]]) == 0


def test_what_is_published_comes_back_and_another_tiers_is_refused() -> None:
    first = shipped("tiny")
    drawn = Head(np.random.default_rng(2).normal(size=first.weight.shape).astype(np.float32))
    np.testing.assert_array_equal(from_bytes(drawn.to_bytes(), first).weight, drawn.weight)
    assert from_bytes(SHIPPED, first) is first
    with pytest.raises(ValueError, match="reshape"):
        from_bytes(shipped("small").to_bytes(), first)


def test_a_step_follows_the_gradient_that_autograd_finds() -> None:
    draw = np.random.default_rng(3)
    head = Head(draw.normal(size=(SCORES, 10)).astype(np.float32))
    features = draw.normal(size=(6, 9)).astype(np.float32)
    targets = np.array([[0, 1, 2], [3, -1, -1], [-1, 7, 4], [11, 0, -1], [0, 0, 0], [5, -1, 3]])

    weight = torch.tensor(head.weight, requires_grad=True)
    inputs = torch.cat([torch.tensor(features), torch.ones(6, 1)], 1)
    logits = inputs @ weight.T
    loss = sum(
        functional.cross_entropy(
            logits[:, part], torch.tensor(targets[:, kind]), ignore_index=-1, reduction="sum"
        )
        for kind, part in enumerate(SCORE_SLICES.values())
    )
    (loss / 6).backward()
    length = sgd.RATE / float((inputs**2).sum(1).mean())
    decayed = head.weight.copy()
    decayed[:, :-1] *= 1 - length * sgd.DECAY
    expected = decayed - length * weight.grad.numpy()

    np.testing.assert_allclose(
        sgd.stepped(head, features, targets).weight, expected, rtol=2e-5, atol=1e-6
    )


def test_each_feedback_is_drawn_as_often_however_it_comes_in() -> None:
    lessons = [sgd.Lesson(np.ones(128, np.float32), (i % 12, -1, -1)) for i in range(48)]

    def steps(portion: int) -> int:
        student = sgd.Student(shipped("tiny"))
        return sum(student.study(lessons[i : i + portion]) for i in range(0, 48, portion))

    assert {steps(portion) for portion in (1, 3, 16, 48)} == {48 * sgd.PASSES // sgd.BATCH}


def test_no_answer_is_made_of_two_versions_while_they_are_swapped(tmp_path: Path) -> None:
    stage = AdaptedHead("tiny", lambda: SqliteStore(tmp_path / "state.sqlite3"))
    batch = [{"features": np.zeros(128, np.float32), "token": "t"}] * 3
    stage(batch)
    done, wrong = Event(), []
    seen: set[int] = set()

    def read() -> None:
        while not done.is_set():
            answers = [one["answer"] for one in stage(batch)]
            wrong.extend(answer for answer in answers if not _of_one_version(answers, answer))
            seen.add(answers[0]["version"])

    readers = [Thread(target=read) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for reader in readers:
            reader.start()
        version = 0
        while version < 100 or len(seen) < 10:
            version += 1
            stage._adopt(Published(version, _saying(version).to_bytes(), version * 1000))
    finally:
        done.set()
        for reader in readers:
            reader.join()
        sys.setswitchinterval(interval)
        stage.close()
    assert not wrong


def _saying(version: int) -> Head:
    """A head whose every tag tells its version, whatever the features."""
    weight = np.zeros((SCORES, 129), np.float32)
    for names, part in zip(ATTRIBUTES.values(), SCORE_SLICES.values(), strict=True):
        weight[part.start + version % len(names), -1] = 9
    return Head(weight)


def _of_one_version(answers: Sequence[dict[str, Any]], answer: dict[str, Any]) -> bool:
    version = answer["version"]
    if version != answers[0]["version"]:
        return False
    if version == 0:
        return answer["published_ns"] is None
    said = {kind: names[version % len(names)] for kind, names in ATTRIBUTES.items()}
    return (
        answer["published_ns"] == version * 1000
        and {kind: tag["value"] for kind, tag in answer["tags"].items()} == said
    )


def test_the_drifted_truth_decides_what_is_right() -> None:
    document = {
        "tags": {kind: {"value": names[0], "score": 1.0} for kind, names in ATTRIBUTES.items()},
        "renamed": {},
    }
    label = {kind: names[0] for kind, names in ATTRIBUTES.items()}
    assert score("online/weights", document, label) == dict.fromkeys(ATTRIBUTES, 1.0)
    document["renamed"] = {"shirt": "hat", "hat": "shirt"}
    assert score("online/weights", document, label)["category"] == 0
    assert score("online/weights", document, {**label, "category": "hat"})["category"] == 1
