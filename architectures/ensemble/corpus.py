"""The labelled corpus: keys to JPEG images and their labels, the same bytes on every machine."""

import io
from dataclasses import asdict, dataclass
from typing import get_args

from PIL import Image

from architectures.ensemble.draws import Draws
from architectures.ensemble.painting import paint
from architectures.ensemble.scene import Scene, draw_scene
from architectures.plugin import Example, Split

VERSION = 1
"""Part of every seed: raised when the images change, so that old keys never mean new images."""

_SPLITS: tuple[Split, ...] = get_args(Split)
_INDEX_BITS = 24
_SEED_BITS = 24


@dataclass(frozen=True, slots=True)
class Label:
    """What an image shows; coordinates are shares of its sides."""

    category: str
    colour: str
    pattern: str
    box: tuple[float, ...]
    keypoints: tuple[tuple[float, float], ...]
    caption: str


def key(split: Split, seed: int, index: int) -> int:
    """The key of an example. Splits and seeds take disjoint ranges, all below 2**50.

    Raises:
        ValueError: the seed or the index does not fit in 24 bits.
    """
    if not (0 <= seed < 1 << _SEED_BITS and 0 <= index < 1 << _INDEX_BITS):
        raise ValueError(f"seed {seed} and index {index} must lie in [0, {1 << _SEED_BITS})")
    return (_SPLITS.index(split) << _SEED_BITS | seed) << _INDEX_BITS | index


def scene_of(example_key: int) -> Scene:
    """What the image of a key shows, without painting it."""
    return draw_scene(Draws(VERSION, 0, example_key))


def label_of(scene: Scene) -> Label:
    """The part of a scene that models are asked for."""
    return Label(
        scene.category,
        scene.colour,
        scene.pattern,
        scene.box,
        scene.keypoints,
        scene.caption,
    )


def jpeg_of(scene: Scene, example_key: int) -> bytes:
    """Paint a scene and compress it."""
    draw = Draws(VERSION, 1, example_key)
    pixels = paint(scene, draw)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=draw.integer(78, 94))
    return file.getvalue()


def example(example_key: int) -> Example:
    """The example of a key."""
    scene = scene_of(example_key)
    return Example(example_key, jpeg_of(scene, example_key), "image/jpeg", asdict(label_of(scene)))


def examples(split: Split, count: int, seed: int) -> list[Example]:
    """The first ``count`` examples of a split drawn with ``seed``.

    Raises:
        ValueError: the seed or the count does not fit in 24 bits.
    """
    return [example(key(split, seed, index)) for index in range(count)]
