"""The corpus is the same everywhere, its splits are apart, and its labels are decidable."""

import hashlib
import io
import math
import os
import platform
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from PIL import Image

from architectures.ensemble import corpus
from architectures.ensemble.attributes import (
    ATTRIBUTES,
    CATEGORIES,
    COLOURS,
    KEYPOINT_NAMES,
    KEYPOINTS,
    PATTERNS,
    PLACES,
    SCORE_SLICES,
    SCORES,
    SIZES,
    TILTS,
)
from architectures.ensemble.captions import END, LENGTH, compose, text, tokens
from architectures.ensemble.painting import _stencil, _window
from architectures.ensemble.scene import SIZES_PX, Scene

GOLDEN = "ea5effdd9f4219c78be009af0fcabb98efa1e1973bc0e9289e43b2c8e9cf738e"
DIGEST = """
import hashlib
from architectures.ensemble import corpus
bodies = b"".join(example.body for example in corpus.examples("load", 40, 5))
print(hashlib.sha256(bodies).hexdigest())
"""


def scenes(count: int) -> list[Scene]:
    return [corpus.scene_of(corpus.key("held_out", 7, index)) for index in range(count)]


def test_forty_images_are_the_golden_ones() -> None:
    bodies = b"".join(example.body for example in corpus.examples("load", 40, 5))
    assert hashlib.sha256(bodies).hexdigest() == GOLDEN


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the features named are x86's")
def test_an_older_processor_makes_the_same_images() -> None:
    old = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL", "JSIMD_FORCENONE": "1"}
    found = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env={**os.environ, **old},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == GOLDEN


def test_splits_and_seeds_take_keys_that_never_meet() -> None:
    last = (1 << 24) - 1
    spans = [
        range(corpus.key(split, seed, 0), corpus.key(split, seed, last) + 1)
        for split in ("train", "held_out", "load")
        for seed in (0, 1, last)
    ]
    assert all(
        one.stop <= other.start or other.stop <= one.start
        for k, one in enumerate(spans)
        for other in spans[k + 1 :]
    )
    assert max(span.stop for span in spans) <= 1 << 53  # exact in JSON


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (1 << 24, 0), (0, -1), (0, 1 << 24)])
def test_keys_out_of_range_are_refused(seed: int, index: int) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        corpus.key("load", seed, index)


def test_more_examples_begin_with_the_fewer() -> None:
    few, more = corpus.examples("load", 2, 3), corpus.examples("load", 4, 3)
    assert more[:2] == few
    assert corpus.example(few[1].key) == few[1]
    assert len({example.body for example in more}) == 4


def test_examples_are_square_jpegs_with_labels_inside_them() -> None:
    for example in corpus.examples("held_out", 24, 1):
        image = Image.open(io.BytesIO(example.body))
        assert (image.format, example.media_type) == ("JPEG", "image/jpeg")
        assert image.width == image.height
        assert image.width in SIZES_PX
        left, top, right, bottom = example.label["box"]
        assert 0 < left < right < 1
        assert 0 < top < bottom < 1
        assert len(example.label["keypoints"]) == KEYPOINTS


def test_boxes_are_tight_around_the_painted_object() -> None:
    for scene in scenes(60):
        window = _window(scene)
        coverage, _ = _stencil(scene, window)
        rows, columns = np.nonzero(coverage.any(1))[0], np.nonzero(coverage.any(0))[0]
        painted = np.array(
            [
                columns[0] + window.left,
                rows[0] + window.top,
                columns[-1] + 1 + window.left,
                rows[-1] + 1 + window.top,
            ]
        )
        assert np.abs(painted - np.array(scene.box) * scene.size_px).max() <= 2


def test_every_word_is_drawn() -> None:
    words = {word for scene in scenes(400) for word in scene.caption.split()}
    assert words >= {*CATEGORIES, *COLOURS, *PATTERNS, *SIZES, *PLACES, *TILTS}


def told_by_geometry(scene: Scene) -> tuple[str, str, str]:
    """Size, place and tilt as an observer of box and keypoints would name them."""
    left, top, right, bottom = scene.box
    longer, middle = max(right - left, bottom - top), (left + right) / 2
    size = "small" if longer < 0.46 else "large" if longer > 0.64 else "medium"
    place = "left" if middle < 0.42 else "right" if middle > 0.58 else "center"
    points = dict(zip(KEYPOINT_NAMES[scene.category], scene.keypoints, strict=True))
    pair = next(name for name in points if "right_" + name.removeprefix("left_") in points)
    start, end = points[pair], points["right_" + pair.removeprefix("left_")]
    if pair.startswith("right_"):
        start, end = points["left_" + pair.removeprefix("right_")], points[pair]
    degrees = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    tilt = "tilted left" if degrees < -9 else "tilted right" if degrees > 9 else "upright"
    return size, place, tilt


def test_captions_are_decided_by_tags_box_and_keypoints_alone() -> None:
    for scene in scenes(600):
        size, place, tilt = told_by_geometry(scene)
        where = "in the center" if place == "center" else f"on the {place}"
        assert scene.caption == (
            f"a {size} {scene.colour} {scene.pattern} {scene.category} {where} {tilt}"
        )


def test_every_caption_survives_its_tokens() -> None:
    for size, place, tilt, category in product(SIZES, PLACES, TILTS, CATEGORIES):
        caption = compose(
            size=size, colour="red", pattern="plain", category=category, place=place, tilt=tilt
        )
        row = tokens(caption)
        assert len(row) == LENGTH
        assert row[-1] == END
        assert text(row) == caption


def test_score_slices_follow_the_attributes() -> None:
    laid = [index for part in SCORE_SLICES.values() for index in range(SCORES)[part]]
    assert laid == list(range(SCORES))
    assert [len(range(SCORES)[part]) for part in SCORE_SLICES.values()] == [
        len(names) for names in ATTRIBUTES.values()
    ]
    assert list(KEYPOINT_NAMES) == list(CATEGORIES)
