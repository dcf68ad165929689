"""A slot loads what the rollout gives it, keeps what it has where that fails, and owns to it."""

from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
from safetensors.torch import load, save

from architectures.ensemble import weights
from architectures.patterns.update.rollout import ROLLOUT, Rollout, promote, stage
from architectures.patterns.update.slot import Slot
from architectures.patterns.update.swaps import read_swaps
from architectures.state.sqlite import SqliteStore

CROPS = [
    {"crop": np.random.default_rng(seed).integers(0, 256, (96, 96, 3), np.uint8)}
    for seed in range(3)
]


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.sqlite3")


def promoted(model: str, named: tuple[str, int] | None = None) -> bytes:
    return promote(stage(Rollout(), model, named)).to_json()


def test_it_serves_the_shipped_model_until_told_otherwise(store: SqliteStore) -> None:
    outputs = Slot("known_good", "tiny", "cpu", 1, store)(CROPS)
    assert [o["served"]["version"] for o in outputs] == [1, 1, 1]
    assert {o["served"]["model"] for o in outputs} == {"residual"}
    assert read_swaps(store) == []


def test_a_replica_that_starts_late_begins_with_what_is_current(store: SqliteStore) -> None:
    store.publish(ROLLOUT, promoted("depthwise"))
    (output,) = Slot("known_good", "tiny", "cpu", 1, store)(CROPS[:1])
    served = output["served"]
    assert (served["version"], served["model"]) == (2, "depthwise")
    assert served["adopted_ns"] is None
    assert read_swaps(store) == []


def test_a_slot_in_use_says_when_it_took_another(store: SqliteStore) -> None:
    slot = Slot("known_good", "tiny", "cpu", 1, store)
    slot(CROPS[:1])
    published = store.publish(ROLLOUT, promoted("depthwise"))
    end = monotonic() + 60
    while (served := slot(CROPS[:1])[0]["served"])["version"] == 1:
        assert monotonic() < end, "it was never taken"
        sleep(0.01)
    assert served["published_ns"] == published.published_ns < served["adopted_ns"]
    while not (swaps := read_swaps(store)):
        assert monotonic() < end, "it is not on record"
        sleep(0.01)
    (swap,) = swaps
    assert swap["replica"] == served["replica"]
    assert swap["published_ns"] <= swap["seen_ns"] <= swap["serving_ns"] == served["adopted_ns"]


def test_published_weights_are_what_answers(store: SqliteStore) -> None:
    shipped = weights.path("tiny", "classify_residual").read_bytes()
    store.publish("retrained", shipped)
    store.publish(ROLLOUT, promoted("residual", ("retrained", 1)))
    (same,) = Slot("known_good", "tiny", "cpu", 1, store)(CROPS[:1])
    assert same["served"]["version"] == 2
    other = SqliteStore(Path(store._path).with_name("other.sqlite3"))
    (plain,) = Slot("known_good", "tiny", "cpu", 1, other)(CROPS[:1])
    assert plain["served"]["version"] == 1
    np.testing.assert_array_equal(same["scores"], plain["scores"])


@pytest.mark.parametrize("blob", [b"no safetensors", "classify_hybrid", "nan"])
def test_weights_that_do_not_fit_change_nothing(
    store: SqliteStore, blob: bytes | str, caplog: pytest.LogCaptureFixture
) -> None:
    store.publish("retrained", content(blob))
    store.publish(ROLLOUT, promoted("residual", ("retrained", 1)))
    slot = Slot("known_good", "tiny", "cpu", 1, store)
    (output,) = slot(CROPS[:1])
    assert output["served"]["version"] == 1
    assert np.isfinite(output["scores"]).all()
    (swap,) = read_swaps(store)
    assert swap["failed"]
    assert "serving_ns" not in swap
    assert "cannot be applied" in caplog.text


def content(blob: bytes | str) -> bytes:
    if isinstance(blob, bytes):
        return blob
    if blob != "nan":
        return weights.path("tiny", blob).read_bytes()
    tensors = load(weights.path("tiny", "classify_residual").read_bytes())
    tensors["head.bias"] = tensors["head.bias"] * float("nan")
    return save(tensors)
