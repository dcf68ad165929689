"""Training examples as the models will meet them: decoded, shrunk and cropped by the stages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from architectures.ensemble import images
from architectures.ensemble.attributes import ATTRIBUTES, KEYPOINTS
from architectures.ensemble.corpus import VERSION, jpeg_of, key, label_of, scene_of
from architectures.ensemble.draws import Draws
from architectures.ensemble.light_stages import crop_window
from architectures.ensemble.tiers import Tier
from architectures.ensemble.types import Bytes, Floats

_JITTER = 0.05
"""Largest error of a box edge in training crops, as a share of the box: what a detector makes."""

_FIELDS = ("thumbnails", "crops", "boxes", "points", "classes")


@dataclass(frozen=True, slots=True)
class Lessons:
    """Examples side by side, kept in memory-mapped files.

    Attributes:
        thumbnails: ``(n, side, side, 3)`` uint8.
        crops: ``(n, side, side, 3)`` uint8, around boxes that are a little off.
        boxes: ``(n, 4)`` float32, xyxy shares of the image.
        points: ``(n, 5, 2)`` float32, xy shares of the crop.
        classes: ``(n, 3)`` int64: category, colour, pattern.
    """

    thumbnails: Bytes
    crops: Bytes
    boxes: Floats
    points: Floats
    classes: NDArray[np.int64]


def allot(directory: Path, tier: Tier, count: int) -> None:
    """Make room on disk for ``count`` lessons."""
    directory.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "thumbnails": ((tier.thumbnail_px, tier.thumbnail_px, 3), np.uint8),
        "crops": ((tier.crop_px, tier.crop_px, 3), np.uint8),
        "boxes": ((4,), np.float32),
        "points": ((KEYPOINTS, 2), np.float32),
        "classes": ((len(ATTRIBUTES),), np.int64),
    }
    for field, (shape, dtype) in shapes.items():
        np.lib.format.open_memmap(
            directory / f"{field}.npy", mode="w+", dtype=dtype, shape=(count, *shape)
        )


def read(directory: Path, *, writable: bool = False) -> Lessons:
    """Map the lessons of a directory."""
    mode: Literal["r+", "c"] = "r+" if writable else "c"
    return Lessons(*(np.load(directory / f"{field}.npy", mmap_mode=mode) for field in _FIELDS))


def write(directory: Path, tier: Tier, seed: int, span: range) -> None:
    """Fill in the lessons of a span of training indices."""
    lessons = read(directory, writable=True)
    columns = [getattr(lessons, field) for field in _FIELDS]
    for index in span:
        for column, value in zip(columns, _lesson(tier, key("train", seed, index)), strict=True):
            column[index] = value


def _lesson(tier: Tier, example_key: int) -> tuple[object, ...]:
    scene = scene_of(example_key)
    label = label_of(scene)
    image = images.decode(jpeg_of(scene, example_key), tier.working_px)
    window = crop_window(_jittered(label.box, example_key), image.width, image.height)
    left, top, right, _ = (edge / image.width for edge in window)
    points = [((x - left) / (right - left), (y - top) / (right - left)) for x, y in label.keypoints]
    return (
        images.shrink(image, tier.thumbnail_px),
        images.cut(np.asarray(image), window, tier.crop_px),
        label.box,
        points,
        [names.index(getattr(label, kind)) for kind, names in ATTRIBUTES.items()],
    )


def _jittered(box: tuple[float, ...], example_key: int) -> Floats:
    draw = Draws(VERSION, 2, example_key)
    reach = _JITTER * max(box[2] - box[0], box[3] - box[1])
    return np.array([edge + draw.between(-reach, reach) for edge in box], np.float32)
