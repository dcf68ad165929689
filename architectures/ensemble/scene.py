"""What an image shows, before a pixel is painted: the labels come from here."""

from collections.abc import Iterable
from dataclasses import dataclass

from architectures.ensemble.attributes import (
    CATEGORIES,
    COLOURS,
    PATTERNS,
    SIZES,
    TILTS,
)
from architectures.ensemble.captions import compose
from architectures.ensemble.draws import Draws, cos, sin
from architectures.ensemble.shapes import CUT, Part, draw_shape
from architectures.ensemble.types import Point

SIZES_PX = (224, 288, 352, 416, 512)
_MARGIN = 0.02

EXTENTS = {"small": (0.30, 0.42), "medium": (0.50, 0.60), "large": (0.68, 0.80)}
"""Longer side of the box, as a share of the image. The gaps keep a caption decidable."""

CENTRES = {"left": (0.0, 0.38), "center": (0.46, 0.54), "right": (0.62, 1.0)}
"""Middle of the box, as a share of the image's width."""

ANGLES = {"left": (-416, -224), "upright": (-64, 64), "right": (224, 416)}
"""Clockwise turn of the object, in sixteenths of a degree: 14 to 26 degrees or at most 4."""


@dataclass(frozen=True, slots=True)
class Affine:
    """Object units to pixels: ``x = a*u + b*v + tx``, ``y = c*u + d*v + ty``."""

    a: float
    b: float
    c: float
    d: float
    tx: float = 0.0
    ty: float = 0.0

    def __call__(self, point: Point) -> Point:
        """A point in pixels."""
        u, v = point
        return self.a * u + self.b * v + self.tx, self.c * u + self.d * v + self.ty

    def moved(self, scale: float, tx: float, ty: float) -> "Affine":
        """This map, scaled about the origin and then shifted."""
        return Affine(self.a * scale, self.b * scale, self.c * scale, self.d * scale, tx, ty)


@dataclass(frozen=True, slots=True)
class Scene:
    """One object in one image.

    Attributes:
        size_px: side of the square image.
        parts: polygons in object units.
        to_pixels: object units to image pixels.
        box: xyxy, as shares of the image.
        keypoints: five points, as shares of the image.
    """

    size_px: int
    category: str
    colour: str
    pattern: str
    parts: tuple[Part, ...]
    to_pixels: Affine
    box: tuple[float, float, float, float]
    keypoints: tuple[Point, ...]
    caption: str


def _turned(angle: int, draw: Draws) -> Affine:
    """A turn after a shear that keeps level lines level, so that the turn stays readable."""
    aspect, shear = draw.between(0.85, 1.15), draw.between(-0.08, 0.08)
    c, s = cos(angle), sin(angle)
    return Affine(c * aspect, (c * shear - s) / aspect, s * aspect, (s * shear + c) / aspect)


def _bounds(points: Iterable[Point]) -> tuple[float, float, float, float]:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _place(width: float, draw: Draws) -> tuple[str, float]:
    """A place that a box of this width fits in, and the middle of the box there."""
    low, high = _MARGIN + width / 2, 1 - _MARGIN - width / 2
    roomy = {
        place: (max(a, low), min(b, high))
        for place, (a, b) in CENTRES.items()
        if max(a, low) <= min(b, high)
    }
    place = tuple(roomy)[draw.below(len(roomy))]
    return place, draw.between(*roomy[place])


def draw_scene(draw: Draws) -> Scene:
    """Draw one scene."""
    size_px = SIZES_PX[draw.below(len(SIZES_PX))]
    category = CATEGORIES[draw.below(len(CATEGORIES))]
    colour = COLOURS[draw.below(len(COLOURS))]
    pattern = PATTERNS[draw.below(len(PATTERNS))]
    size, tilt = SIZES[draw.below(len(SIZES))], TILTS[draw.below(len(TILTS))]
    shape = draw_shape(category, draw)
    turned = _turned(draw.integer(*ANGLES[tilt]), draw)
    solid = [point for part in shape.parts if part.tone != CUT for point in part.points]
    left, top, right, bottom = _bounds(map(turned, solid))
    scale = draw.between(*EXTENTS[size]) / max(right - left, bottom - top)
    width, height = (right - left) * scale, (bottom - top) * scale
    place, x = _place(width, draw)
    y = draw.between(_MARGIN + height / 2, 1 - _MARGIN - height / 2)
    tx, ty = x - (left + right) / 2 * scale, y - (top + bottom) / 2 * scale
    placed = turned.moved(scale, tx, ty)
    return Scene(
        size_px,
        category,
        colour,
        pattern,
        shape.parts,
        turned.moved(scale * size_px, tx * size_px, ty * size_px),
        (x - width / 2, y - height / 2, x + width / 2, y + height / 2),
        tuple(map(placed, shape.keypoints)),
        compose(
            size=size, colour=colour, pattern=pattern, category=category, place=place, tilt=tilt
        ),
    )
