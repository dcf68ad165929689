"""Scenes to pixels: background, clutter, shadow, patterned object, light, noise.

Pixels are worked on in whole numbers only; see :mod:`architectures.ensemble.draws` for why.
"""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from architectures.ensemble.draws import TURN, Draws, cos, sin
from architectures.ensemble.raster import fill
from architectures.ensemble.scene import Affine, Scene
from architectures.ensemble.shapes import MAIN
from architectures.ensemble.types import Bytes, Integers

Rgb = tuple[int, int, int]

_HSV = {
    "red": (0.0, 0.85, 0.80),
    "orange": (0.075, 0.90, 0.95),
    "yellow": (0.15, 0.85, 0.95),
    "green": (0.36, 0.75, 0.62),
    "blue": (0.60, 0.80, 0.80),
    "purple": (0.78, 0.65, 0.65),
    "black": (0.0, 0.04, 0.13),
    "white": (0.0, 0.02, 0.96),
}
_GREYS = ("black", "white")
_CYCLE = 1 << 16
_FACE = 120
"""Tones above it are a pale face."""

_DOT = 5600
"""Squared radius of a dot, in 256ths of its spacing."""


def paint(scene: Scene, draw: Draws) -> Bytes:
    """Paint a scene.

    Returns:
        ``(size_px, size_px, 3)`` uint8 RGB.
    """
    base = _base_colour(scene.colour, draw)
    image = _background(scene.size_px, base, draw)
    window = _window(scene)
    coverage, tone = _stencil(scene, window)
    texture = _texture(scene, window, tone, _palette(scene, base, draw), draw)
    _cast_shadow(image, coverage, window, draw)
    rows, columns = slice(window.top, window.bottom), slice(window.left, window.right)
    behind = image[rows, columns]
    image[rows, columns] = behind + ((texture - behind) * coverage[..., None] >> 2)
    return _expose(image, draw)


@dataclass(frozen=True, slots=True)
class _Window:
    """The pixels an object may touch."""

    left: int
    top: int
    right: int
    bottom: int


def _window(scene: Scene) -> _Window:
    side = scene.size_px
    left, top, right, bottom = (int(share * side) for share in scene.box)
    return _Window(max(left - 2, 0), max(top - 2, 0), min(right + 3, side), min(bottom + 3, side))


def _rgb(hue: float, saturation: float, value: float) -> Rgb:
    shares = colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1))
    red, green, blue = (int(share * 255) for share in shares)
    return red, green, blue


def _base_colour(colour: str, draw: Draws) -> Rgb:
    hue, saturation, value = _HSV[colour]
    hue += draw.between(-0.018, 0.018)
    if colour not in _GREYS:
        saturation += draw.between(-0.1, 0.1)
    return _rgb(hue, saturation, value + draw.between(-0.08, 0.06))


def _second_colour(scene: Scene, base: Rgb, draw: Draws) -> Rgb:
    """The pattern's other colour: pale, or in two of five cases a shade of the base."""
    shaded = draw.chance(0.4)
    if scene.colour == "white":
        return 140, 145, 153
    if not shaded:
        return 237, 237, 230
    if scene.colour == "black":
        return 190, 190, 190
    red, green, blue = (channel * 115 >> 8 for channel in base)
    return red, green, blue


def _distance(one: Rgb, other: Rgb) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def _background(side: int, base: Rgb, draw: Draws) -> NDArray[np.int16]:
    start, end = _ground_colours(base, draw)
    angle = draw.below(TURN)
    steps = round(cos(angle) * _CYCLE / side), round(sin(angle) * _CYCLE / side)
    across = np.arange(side, dtype=np.int32) - side // 2
    ramp = (_CYCLE // 2 + across * steps[0] + (across * steps[1])[:, None]) >> 8
    ramp16 = np.clip(ramp, 0, 255).astype(np.int16)
    image = np.empty((side, side, 3), np.int16)
    for channel in range(3):
        image[..., channel] = start[channel] + (ramp16 * (end[channel] - start[channel]) >> 8)
    if draw.chance(0.7):
        for _ in range(draw.integer(1, 5)):
            _clutter(image, draw)
    return image


def _ground_colours(base: Rgb, draw: Draws) -> tuple[Rgb, Rgb]:
    """Two ends of a gradient, drawn again while either is too near the object's colour."""
    while True:
        red, green, blue = (draw.integer(25, 242) for _ in range(3))
        near, far = (
            (red, green, blue),
            tuple(
                min(max(channel + draw.integer(-90, 90), 0), 255) for channel in (red, green, blue)
            ),
        )
        end = far[0], far[1], far[2]
        if min(_distance(near, base), _distance(end, base)) > 140:  # noqa: PLR2004 - of 765
            return near, end


def _clutter(image: NDArray[np.int16], draw: Draws) -> None:
    """Blend one soft rectangle or ellipse into the background."""
    side = len(image)
    x, y = draw.below(side), draw.below(side)
    half_w, half_h = draw.integer(side // 40, side // 6), draw.integer(side // 40, side // 6)
    left, top = max(x - half_w, 0), max(y - half_h, 0)
    patch = image[top : y + half_h, left : x + half_w]
    alpha: int | NDArray[np.int16] = draw.integer(40, 120)
    fill_colour = np.array([draw.integer(20, 234) for _ in range(3)], np.int16)
    if draw.chance(0.5):
        dx = np.arange(left - x, left - x + patch.shape[1], dtype=np.int64) * half_h
        dy = np.arange(top - y, top - y + patch.shape[0], dtype=np.int64) * half_w
        inside = dx * dx + (dy * dy)[:, None] <= (half_w * half_h) ** 2
        alpha = inside[..., None].astype(np.int16) * np.int16(alpha)
    patch += (fill_colour - patch) * alpha >> 8


def _stencil(scene: Scene, window: _Window) -> tuple[NDArray[np.int16], Integers]:
    """Coverage in quarters and mean tone in percent, from a canvas of twice the resolution."""
    height, width = window.bottom - window.top, window.right - window.left
    canvas = np.zeros((2 * height, 2 * width), np.uint8)
    for part in scene.parts:
        pixels = map(scene.to_pixels, part.points)
        corners = [((x - window.left) * 2, (y - window.top) * 2) for x, y in pixels]
        inside = fill(corners, 2 * height, 2 * width)
        np.copyto(canvas, np.uint8(part.tone), where=inside.view(np.bool_))
    quarters = (canvas[0::2, 0::2], canvas[0::2, 1::2], canvas[1::2, 0::2], canvas[1::2, 1::2])
    coverage = np.zeros((height, width), np.int16)
    total = np.zeros((height, width), np.int32)
    for quarter in quarters:
        coverage += quarter > 0
        total += quarter
    return coverage, total // np.maximum(coverage, 1)


def _palette(scene: Scene, base: Rgb, draw: Draws) -> Bytes:
    """Colours by index: 0 base, 1 second, 2 + tone for accents."""
    second = _second_colour(scene, base, draw)
    accents = [
        [230] * 3 if tone > _FACE else [channel * max(tone, 30) // 100 for channel in base]
        for tone in range(256)
    ]
    return np.array([base, second, *accents], np.int32).clip(0, 255).astype(np.uint8)


class _Plane:
    """Object coordinates of a window's pixels, for fields that are linear in them."""

    def __init__(self, to_pixels: Affine, window: _Window) -> None:
        determinant = to_pixels.a * to_pixels.d - to_pixels.b * to_pixels.c
        self._u = to_pixels.d / determinant, -to_pixels.b / determinant
        self._v = -to_pixels.c / determinant, to_pixels.a / determinant
        self._x = np.arange(window.left, window.right, dtype=np.int32) - round(to_pixels.tx)
        self._y = np.arange(window.top, window.bottom, dtype=np.int32) - round(to_pixels.ty)

    def field(self, along_u: float, along_v: float, start: int = 0) -> Integers:
        """``start + 65536 * (along_u * u + along_v * v)`` at every pixel."""
        step_x = round((along_u * self._u[0] + along_v * self._v[0]) * _CYCLE)
        step_y = round((along_u * self._u[1] + along_v * self._v[1]) * _CYCLE)
        return self._x * np.int32(step_x) + (self._y * np.int32(step_y) + np.int32(start))[:, None]


def _texture(
    scene: Scene, window: _Window, tone: Integers, palette: Bytes, draw: Draws
) -> NDArray[np.int16]:
    """The object's shaded surface over the whole window, ``(h, w, 3)``."""
    plane = _Plane(scene.to_pixels, window)
    marked = _pattern(scene.pattern, plane, draw)
    index = np.where(tone < MAIN - 5, 2 + tone, marked)
    index = np.where(tone > _FACE, 2 + tone, index)
    angle, strength = draw.below(TURN), draw.between(0.05, 0.22)
    light = plane.field(cos(angle) * strength, sin(angle) * strength)
    shade = np.clip(128 + (light >> 9), 90, 166).astype(np.uint16)
    colours = palette[index].astype(np.uint16)
    shaded: NDArray[np.int16] = np.minimum(colours * shade[..., None] >> 7, 255).astype(np.int16)
    return shaded


@dataclass(frozen=True, slots=True)
class _Weave:
    """Where a pattern starts, how a stripe lies and how fine it is, in cycles an object unit."""

    phase: int
    angle: int
    pace: float


def _pattern(pattern: str, plane: _Plane, draw: Draws) -> Integers:
    """1 where the second colour shows, else 0."""
    weave = _Weave(draw.below(_CYCLE), draw.below(TURN // 2), draw.between(1.0, 1.6))
    return _PATTERNS[pattern](plane, weave)


def _cycle(field: Integers) -> Integers:
    """Place within a cycle, ``[0, 65536)``."""
    return field & np.int32(_CYCLE - 1)


def _second_half(field: Integers) -> Integers:
    """1 in the second half of every cycle."""
    return _cycle(field) >> np.int32(15)


def _plain(plane: _Plane, _weave: _Weave) -> Integers:
    return plane.field(0, 0)


def _striped(plane: _Plane, weave: _Weave) -> Integers:
    across = 1.5 * weave.pace
    return _second_half(
        plane.field(across * cos(weave.angle), across * sin(weave.angle), weave.phase)
    )


def _checked(plane: _Plane, weave: _Weave) -> Integers:
    pace = 1.2 * weave.pace
    return _second_half(plane.field(pace, 0, weave.phase) ^ plane.field(0, pace, weave.phase))


def _dotted(plane: _Plane, weave: _Weave) -> Integers:
    pace = 2.3 * weave.pace
    across = (_cycle(plane.field(pace, 0, weave.phase)) >> np.int32(8)) - np.int32(128)
    down = (_cycle(plane.field(0, pace)) >> np.int32(8)) - np.int32(128)
    return (across * across + down * down < _DOT).astype(np.int32)


def _zigzag(plane: _Plane, weave: _Weave) -> Integers:
    swing = np.abs(_cycle(plane.field(1.9 * weave.pace, 0, weave.phase)) - np.int32(_CYCLE // 2))
    return _second_half(plane.field(0, 1.25 * weave.pace) + swing + (swing >> np.int32(2)))


_PATTERNS: dict[str, Callable[[_Plane, _Weave], Integers]] = {
    "plain": _plain,
    "striped": _striped,
    "checked": _checked,
    "dotted": _dotted,
    "zigzag": _zigzag,
}


def _cast_shadow(
    image: NDArray[np.int16], coverage: NDArray[np.int16], window: _Window, draw: Draws
) -> None:
    dx, dy = draw.integer(-6, 6), draw.integer(2, 8)
    left, top = max(window.left + dx, 0), window.top + dy
    patch = image[top : window.bottom + dy, left : max(window.right + dx, 0)]
    first = left - window.left - dx
    cast = coverage[: patch.shape[0], first : first + patch.shape[1]]
    patch -= patch * (cast[..., None] * np.int16(11)) >> 7


def _expose(image: NDArray[np.int16], draw: Draws) -> Bytes:
    """Gain, a tint, sensor noise; clipped to uint8."""
    gain = draw.between(0.75, 1.15)
    gains = [round(128 * gain * (1 + draw.between(-0.06, 0.06))) for _ in range(3)]
    exposed = image.astype(np.uint16)
    exposed *= np.array(gains, np.uint16)
    exposed >>= 7
    noise = draw.octets(image.size).astype(np.int16).reshape(image.shape)
    noise -= 128
    noise *= np.int16(draw.integer(4, 31))
    noise >>= 8
    noise += exposed.view(np.int16)
    return np.clip(noise, 0, 255).astype(np.uint8)
