"""What the model patterns ship: fitted alike each time, read back as fitted, and named."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from architectures import ensemble, patterns
from architectures.ensemble import lessons
from architectures.ensemble.attributes import ATTRIBUTES, SCORE_SLICES
from architectures.ensemble.tiers import TINY
from architectures.patterns import (
    classic,
    classic_fitting,
    held_out,
    parameters,
    select,
    select_fitting,
    similar,
)
from architectures.patterns.image_features import COLOURS, LENGTH, colours, image_features

LESSONS = 80
LARGEST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> lessons.Lessons:
    directory = tmp_path_factory.mktemp("lessons")
    lessons.allot(directory, TINY, LESSONS)
    lessons.write(directory, TINY, 7, range(LESSONS))
    return lessons.read(directory)


def fit_into(root: Path, seen: lessons.Lessons) -> Mapping[str, bytes]:
    """The files that fitting writes, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parameters, "_ROOT", root)
        for fitting in (classic_fitting, select_fitting):
            fitting.fit(seen, "tiny")
    return {path.name: path.read_bytes() for path in sorted((root / "tiny").iterdir())}


@pytest.fixture(scope="module")
def fitted(painted: lessons.Lessons, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fitted")
    fit_into(root, painted)
    return root


def test_a_rebuilt_classifier_predicts_as_the_fitted_one(
    painted: lessons.Lessons, fitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "_ROOT", fitted)
    scale = classic.load_stage("scale_features", "tiny", "cpu", 1)
    classify = classic.load_stage("classify_classic", "tiny", "cpu", 1)
    features = [{"features": image_features(crop)} for crop in painted.crops]
    scores = np.stack([row["scores"] for row in classify(scale(features))])
    raw = np.stack([row["features"] for row in features])
    scaled = (raw - raw.mean(0)) / np.maximum(raw.std(0), 1e-3)
    for column, kind in enumerate(ATTRIBUTES):
        with threadpool_limits(1, "blas"):
            model = LogisticRegression(C=0.01, max_iter=300)
            expected = model.fit(scaled, painted.classes[:, column]).predict_proba(scaled)
        np.testing.assert_allclose(scores[:, SCORE_SLICES[kind]], expected, atol=0.01)


def test_fitting_again_gives_the_same_files(
    painted: lessons.Lessons, fitted: Path, tmp_path: Path
) -> None:
    again = fit_into(tmp_path, painted)
    assert again == {path.name: path.read_bytes() for path in (fitted / "tiny").iterdir()}
    assert again.keys() == {"classic.safetensors", "select.safetensors"}


def test_groups_get_the_best_complete_set_of_classifiers() -> None:
    """Where one classifier is best at all, it yields the groups where that costs least."""
    categories = np.arange(12).repeat(10)
    right = np.zeros((3, 120))
    right[0] = 1.0
    groups = list(select.GROUPS)
    shown = np.array([groups.index(select.GROUP_OF[name]) for name in ATTRIBUTES["category"]])
    right[1, shown[categories] == groups.index("footwear")] = 0.9
    right[2, shown[categories] == groups.index("furniture")] = 0.8
    chosen = dict(zip(groups, select_fitting.chosen(right, categories), strict=True))
    assert chosen == {
        "clothing": 0,
        "footwear": 1,
        "tableware": 0,
        "furniture": 2,
        "accessories": 0,
    }


def test_features_have_the_promised_forms_also_of_a_blank_crop() -> None:
    for crop in (np.zeros((96, 96, 3), np.uint8), np.full((128, 128, 3), 255, np.uint8)):
        seen = image_features(crop)
        assert (seen.shape, seen.dtype) == ((LENGTH,), np.float32)
        assert np.isfinite(seen).all()
        tints = colours(crop)
        assert (tints.shape, tints.dtype) == ((COLOURS,), np.float32)
        assert not tints.any()  # nothing stands out of its rim


def test_shipped_arrays_are_small_and_part_of_who_the_models_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rooms = (classic.PARAMETERS, select.PARAMETERS, similar.PARAMETERS)
    for tier in ("tiny", "small"):
        sizes = [parameters.path(tier, name).stat().st_size for name in rooms]
        assert sum(sizes) < LARGEST_BYTES
    shipped = patterns.describe("tiny")
    assert shipped.models.items() >= ensemble.describe("tiny").models.items()
    assert shipped.models.keys() >= set(rooms)
    monkeypatch.setattr(parameters, "_ROOT", tmp_path)
    other = patterns.describe("tiny")
    assert other.weights_digest != shipped.weights_digest
    assert all(other.models[name] != shipped.models[name] for name in rooms)


def test_drawn_arrays_of_an_untrained_tier_give_answers_too() -> None:
    found = held_out.figures("ensemble/select", "base", 2)
    assert found.count == 2
    assert sum(found.models_run.values()) == 2


def test_light_stages_import_neither_torch_nor_scikit_learn() -> None:
    program = """
import sys
from architectures.patterns import classic, heads, pipeline, select, aggregate, similar
for room in (classic, heads, pipeline, select, aggregate, similar):
    for name, spec in room.STAGES.items():
        if spec.kind == "light":
            room.load_stage(name, "tiny", "cpu", 1)
print(sorted({"torch", "sklearn"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
