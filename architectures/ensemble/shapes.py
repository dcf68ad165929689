"""Outlines of the twelve categories in object units: about -1 to 1, y pointing down."""

from collections.abc import Callable
from dataclasses import dataclass

from architectures.ensemble.draws import TURN, Draws, cos, sin
from architectures.ensemble.types import Point

MAIN = 100
"""Tone of the patterned surface; other tones are percent of the base colour."""

CUT = 0
"""Tone of a hole."""

LIGHT = 135
"""Tone of a pale face, whatever the base colour."""


@dataclass(frozen=True, slots=True)
class Part:
    """One polygon painted over the parts before it."""

    points: tuple[Point, ...]
    tone: int


@dataclass(frozen=True, slots=True)
class Shape:
    """Parts in painting order and the category's five keypoints."""

    parts: tuple[Part, ...]
    keypoints: tuple[Point, ...]


def _degrees(angle: float) -> int:
    return round(angle * TURN / 360)


def _arc(centre: Point, radii: Point, start: float, sweep: float, count: int) -> tuple[Point, ...]:
    """Points along an ellipse, angles in degrees; a full sweep leaves out the repeated end."""
    steps = count if sweep >= 360 else count - 1  # noqa: PLR2004 - a full turn
    angles = [_degrees(start + sweep * k / steps) for k in range(count)]
    return tuple((centre[0] + radii[0] * cos(a), centre[1] + radii[1] * sin(a)) for a in angles)


def _ellipse(x: float, y: float, rx: float, ry: float) -> tuple[Point, ...]:
    return _arc((x, y), (rx, ry), 0, 360, 28)


def _ring(
    centre: Point, radii: Point, width: float, start: float, sweep: float
) -> tuple[Point, ...]:
    count = 30 if sweep >= 360 else 18  # noqa: PLR2004 - a full turn
    inner = (radii[0] - width, radii[1] - width)
    outside = _arc(centre, radii, start, sweep, count)
    inside = _arc(centre, inner, start, sweep, count)
    if sweep >= 360:  # noqa: PLR2004 - close both circles, so the even-odd fill leaves the hole
        return (*outside, outside[0], inside[0], *inside[::-1])
    return (*outside, *inside[::-1])


def _bar(left: float, top: float, right: float, bottom: float) -> tuple[Point, ...]:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _mirrored(*right: Point) -> tuple[Point, ...]:
    """A polygon symmetric about x = 0 from its right half, top to bottom."""
    return (*((-x, y) for x, y in reversed(right)), *right)


def _shirt(draw: Draws) -> Shape:
    sleeve, hem, waist = draw.between(0.75, 1), draw.between(0.75, 0.95), draw.between(0.42, 0.55)
    y = draw.between(-0.35, 0.1)
    body = _mirrored(
        (0.2, -0.8),
        (0.5, -0.72),
        (sleeve, y - 0.15),
        (sleeve - 0.14, y + 0.18),
        (waist, -0.25),
        (waist, hem),
    )
    cuff = sleeve - 0.07
    return Shape(
        (Part(body, MAIN), Part(_ellipse(0, -0.82, 0.2, 0.14), CUT)),
        ((0, -0.7), (-cuff, y), (cuff, y), (-waist, hem), (waist, hem)),
    )


def _trousers(draw: Draws) -> Shape:
    w, length = draw.between(0.36, 0.48), draw.between(0.85, 1)
    gap, leg = draw.between(0.05, 0.14), draw.between(0.24, 0.34)
    body = _mirrored((w, -0.9), (w + 0.1, length), (w + 0.1 - leg, length), (gap * 0.3, -0.15))
    ankle = w + 0.1 - leg / 2
    return Shape(
        (Part(body, MAIN), Part(_bar(-w, -0.9, w, -0.78), 70)),
        ((-w, -0.85), (w, -0.85), (0, -0.15), (-ankle, length), (ankle, length)),
    )


def _dress(draw: Draws) -> Shape:
    w, flare, length = draw.between(0.2, 0.3), draw.between(0.6, 0.9), draw.between(0.85, 1)
    body = _mirrored(
        (0.12, -0.7), (0.2, -0.95), (0.32, -0.95), (0.36, -0.55), (w, -0.15), (flare, length)
    )
    return Shape(
        (Part(body, MAIN), Part(_bar(-w, -0.2, w, -0.1), 60)),
        ((-0.26, -0.95), (0.26, -0.95), (0, -0.15), (-flare, length), (flare, length)),
    )


def _shoe(draw: Draws) -> Shape:
    toe, ankle = draw.between(0.85, 1), draw.between(-0.6, -0.35)
    body = (
        (-0.85, ankle),
        (-0.3, ankle),
        (-0.1, ankle + 0.3),
        *_arc((toe - 0.35, 0.22), (0.35, 0.25), -80, 149, 8),
        (toe - 0.05, 0.38),
        (-0.88, 0.38),
        (-0.92, 0.0),
    )
    sole = ((-0.93, 0.36), (toe, 0.36), (toe - 0.03, 0.52), (-0.93, 0.52))
    return Shape(
        (Part(body, MAIN), Part(sole, 45)),
        ((toe, 0.3), (-0.9, 0.45), (-0.3, ankle), (-0.85, ankle), (0, 0.52)),
    )


def _bag(draw: Draws) -> Shape:
    w, h = draw.between(0.6, 0.85), draw.between(0.6, 0.85)
    top = w * draw.between(0.75, 1)
    radii = (draw.between(0.3, 0.42), draw.between(0.55, 0.75))
    handle = _ring((0, -0.15), radii, 0.09, 180, 180)
    body = ((-top, -0.15), (top, -0.15), (w, h), (-w, h))
    return Shape(
        (Part(handle, 60), Part(body, MAIN), Part(_bar(-0.08, -0.15, 0.08, 0.12), 55)),
        ((0, -0.1 - radii[1]), (-top, -0.15), (top, -0.15), (-w, h), (w, h)),
    )


def _hat(draw: Draws) -> Shape:
    brim, crown, h = draw.between(0.85, 1), draw.between(0.45, 0.58), draw.between(0.65, 0.9)
    dome = (*_arc((0, 0.3), (crown, h), 180, 180, 16), (crown, 0.35), (-crown, 0.35))
    return Shape(
        (
            Part(_ellipse(0, 0.35, brim, 0.2), 85),
            Part(dome, MAIN),
            Part(_bar(-crown, 0.15, crown, 0.28), 50),
        ),
        ((0, 0.3 - h), (-brim, 0.35), (brim, 0.35), (0, 0.2), (0, 0.55)),
    )


def _mug(draw: Draws) -> Shape:
    w, h, handle = draw.between(0.45, 0.6), draw.between(0.55, 0.75), draw.between(0.28, 0.36)
    foot = w * 0.92
    return Shape(
        (
            Part(_ring((w, 0), (handle, handle), 0.1, -90, 180), 75),
            Part(((-w, -h), (w, -h), (foot, h), (-foot, h)), MAIN),
            Part(_ellipse(0, -h, w, 0.12), 50),
        ),
        ((-w, -h), (w, -h), (-foot, h), (foot, h), (w + handle, 0)),
    )


def _bottle(draw: Draws) -> Shape:
    w, shoulder, neck = draw.between(0.3, 0.4), draw.between(-0.35, -0.1), draw.between(0.1, 0.16)
    body = _mirrored((neck, -0.85), (neck, shoulder - 0.2), (w, shoulder + 0.1), (w, 0.95))
    cap = neck + 0.03
    return Shape(
        (Part(body, MAIN), Part(_bar(-cap, -1, cap, -0.82), 45)),
        ((0, -1), (-w, shoulder + 0.1), (w, shoulder + 0.1), (-w, 0.95), (w, 0.95)),
    )


def _chair(draw: Draws) -> Shape:
    w, back, length = draw.between(0.44, 0.55), draw.between(-0.98, -0.85), draw.between(0.85, 1)
    thick = 0.09
    inner = [Part(_bar(x, 0.2, x + thick, length - 0.18), 45) for x in (0.2 - w, w - 0.2 - thick)]
    legs = [
        Part(((x, 0.2), (x + thick, 0.2), (x + thick + d, length), (x + d, length)), 60)
        for x, d in ((-w, -0.08), (w - thick, 0.08))
    ]
    seat = ((-w - 0.06, 0.05), (w + 0.06, 0.05), (w + 0.1, 0.25), (-w - 0.1, 0.25))
    rest = _bar(-w + 0.04, back, w - 0.04, 0.08)
    return Shape(
        (*inner, *legs, Part(rest, MAIN), Part(seat, 85)),
        (
            (-w + 0.04, back),
            (w - 0.04, back),
            (0, 0.15),
            (-w - 0.04, length),
            (w + 0.04, length),
        ),
    )


def _lamp(draw: Draws) -> Shape:
    top, base, h = draw.between(0.22, 0.35), draw.between(0.58, 0.75), draw.between(-0.2, -0.02)
    shade = ((-top, -0.95), (top, -0.95), (base, h), (-base, h))
    return Shape(
        (
            Part(_bar(-0.05, h, 0.05, 0.85), 50),
            Part(_ellipse(0, 0.86, 0.4, 0.1), 60),
            Part(shade, MAIN),
        ),
        ((0, -0.95), (-base, h), (base, h), (0, 0.35), (0, 0.9)),
    )


def _watch(draw: Draws) -> Shape:
    dial, strap = draw.between(0.4, 0.5), draw.between(0.22, 0.3)
    wide = strap * 1.25
    body = _mirrored((strap, -1), (wide, 0), (strap, 1))
    return Shape(
        (
            Part(body, MAIN),
            Part(_ellipse(0, 0, dial, dial), 55),
            Part(_ellipse(0, 0, dial * 0.75, dial * 0.75), LIGHT),
        ),
        ((0, -1), (-dial, 0), (0, 0), (dial, 0), (0, 1)),
    )


def _glasses(draw: Draws) -> Shape:
    radius, gap = draw.between(0.36, 0.42), draw.between(0.12, 0.18)
    width, centre = draw.between(0.16, 0.2), gap + radius
    radii = (radius, radius * 0.9)
    temple = ((0, -0.1), (0.12, -0.32), (0.02, -0.32), (-0.1, 0.0))
    edge = centre + radius
    return Shape(
        (
            Part(_ring((-centre, 0), radii, width, 0, 360), MAIN),
            Part(_ring((centre, 0), radii, width, 0, 360), MAIN),
            Part(_bar(-gap - width / 2, -0.07, gap + width / 2, 0.07), MAIN),
            Part(tuple((-edge - x, y) for x, y in temple), 80),
            Part(tuple((edge + x, y) for x, y in temple), 80),
        ),
        ((-edge - 0.06, -0.25), (-centre, 0), (0, 0), (centre, 0), (edge + 0.06, -0.25)),
    )


_SHAPES: dict[str, Callable[[Draws], Shape]] = {
    "shirt": _shirt,
    "trousers": _trousers,
    "dress": _dress,
    "shoe": _shoe,
    "bag": _bag,
    "hat": _hat,
    "mug": _mug,
    "bottle": _bottle,
    "chair": _chair,
    "lamp": _lamp,
    "watch": _watch,
    "glasses": _glasses,
}


def draw_shape(category: str, draw: Draws) -> Shape:
    """One random individual of a category."""
    return _SHAPES[category](draw)
