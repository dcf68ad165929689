"""Numbers that classic models read of a crop: edges, colours and texture, without a network.

Edges are histograms of oriented gradients (Dalal and Triggs, 2005): where an outline runs, and
which way. Colours are histograms of the whole, the middle and the rim: the rim is background.
Texture is the spectrum of the middle in rings and directions, turned so that its strongest
direction comes first, since patterns lie at any angle.
"""

import numpy as np
from PIL import Image

from architectures.ensemble.types import Bytes, Floats

EDGE_BINS = 9
_CELL_PX = 8
_EDGE_PX = 64

_HUES = 24
_GREYS = 6
COLOURS = _HUES + _GREYS
"""Bins of a colour histogram."""
_COLOUR_PX = 48
_RIM_PX = 4
_VIVID = 60
"""Saturation and brightness, of 255, above which a pixel has a hue."""

_TEXTURE_PX = 48
_RINGS = 13
_RING_PX = 1.5
_DIRECTIONS = 12
_CONTRASTS = 8
_TURNS = 18
_SLOPES = (0.1, 0.3, 1.0)
"""Slopes of brightness, in standard deviations a pixel, whose shares tell plain from patterned."""

LENGTH = (
    (_EDGE_PX // _CELL_PX) ** 2 * EDGE_BINS
    + 5 * COLOURS
    + 2 * _RINGS * _DIRECTIONS
    + 2 * _TURNS
    + len(_SLOPES)
    + _CONTRASTS
)
"""Of :func:`image_features`."""


def image_features(crop: Bytes) -> Floats:
    """All features of a crop ``(side, side, 3)``, ``(LENGTH,)`` float32."""
    image = Image.fromarray(crop)
    parts = (edges(image, _EDGE_PX).ravel(), *_colour_parts(image), *_texture(image))
    return np.concatenate(parts).astype(np.float32)


def edges(image: Image.Image, side_px: int) -> Floats:
    """Oriented gradients of an image, ``(cells, cells, EDGE_BINS)``; a cell's bins have norm < 1.

    Args:
        image: RGB.
        side_px: side it is shrunk to, a multiple of the 8 pixels of a cell.
    """
    strength, angle = _gradients(_grey(image, side_px))
    cells = side_px // _CELL_PX
    place = np.arange(side_px) // _CELL_PX
    start = (place[:, None] * cells + place) * EDGE_BINS
    turns = angle * (EDGE_BINS / np.pi)
    low = turns.astype(np.intp)
    upper = strength * (turns - low)
    size = cells * cells * EDGE_BINS
    bins = np.bincount((start + low % EDGE_BINS).ravel(), (strength - upper).ravel(), size)
    bins += np.bincount((start + (low + 1) % EDGE_BINS).ravel(), upper.ravel(), size)
    found = np.sqrt(bins).reshape(cells, cells, EDGE_BINS)
    normed: Floats = found / np.sqrt((found**2).sum(2, keepdims=True) + 0.1)
    return normed


def colours(crop: Bytes) -> Floats:
    """How much more of each colour the crop's middle has than its rim, ``(COLOURS,)`` float32."""
    return _colour_parts(Image.fromarray(crop))[-1].astype(np.float32)


def _colour_parts(image: Image.Image) -> tuple[Floats, ...]:
    """Roots of the shares of colours: all, middle, rim, all over rim, middle over rim."""
    small = image.resize((_COLOUR_PX, _COLOUR_PX), Image.Resampling.BILINEAR).convert("HSV")
    bins = _colour_bins(np.asarray(small).astype(np.intp))
    quarter = _COLOUR_PX // 4
    middle = _shares(bins[quarter:-quarter, quarter:-quarter])
    inside = bins[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX]
    whole = np.bincount(bins.ravel(), minlength=COLOURS)
    outside = whole - np.bincount(inside.ravel(), minlength=COLOURS)
    rim = np.sqrt(outside / outside.sum())
    everywhere = np.sqrt(whole / whole.sum())
    return (
        everywhere,
        middle,
        rim,
        np.maximum(everywhere - rim, 0),
        np.maximum(middle - rim, 0),
    )


def _colour_bins(hsv: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Floats:
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    vivid = (saturation > _VIVID) & (value > _VIVID)
    return np.where(vivid, hue * _HUES // 256, _HUES + value * _GREYS // 256)


def _shares(bins: Floats) -> Floats:
    shares: Floats = np.sqrt(np.bincount(bins.ravel(), minlength=COLOURS) / bins.size)
    return shares


def _texture(image: Image.Image) -> tuple[Floats, ...]:
    """The middle's spectrum, slopes and contrasts."""
    grey = _grey(image, 2 * _TEXTURE_PX)
    half = _TEXTURE_PX // 2
    middle = grey[half:-half, half:-half]
    flat = (middle - middle.mean()) / (middle.std() + 0.02)
    contrasts = np.histogram(flat, _CONTRASTS, (-2.5, 2.5))[0] / flat.size
    return *_rings(flat), *_slopes(flat), np.sqrt(contrasts)


def _rings(flat: Floats) -> tuple[Floats, Floats]:
    """A square's spectrum by ring and direction, as it lies and sorted within its rings."""
    spectrum = np.abs(np.fft.rfft2(flat * _WINDOW)).ravel()
    sums = np.bincount(_RING_OF, spectrum, _RINGS * _DIRECTIONS) / _RING_SIZES
    rings = sums.reshape(_RINGS, _DIRECTIONS)
    strongest = int(rings[1:8].sum(0).argmax())
    turned = np.log1p(np.roll(rings, -strongest, 1))
    return turned.ravel(), np.sort(turned, 1).ravel()


def _slopes(flat: Floats) -> tuple[Floats, ...]:
    """How strong a square's slopes are by direction, as they lie and sorted, and how steep."""
    strength, angle = _gradients(flat)
    turns = (angle * (_TURNS / np.pi)).astype(np.intp) % _TURNS
    sums = np.sqrt(np.bincount(turns.ravel(), strength.ravel(), _TURNS) / flat.size)
    steep = np.array([(strength < slope).mean() for slope in _SLOPES])
    return np.roll(sums, -int(sums.argmax())), np.sort(sums), steep


def _grey(image: Image.Image, side_px: int) -> Floats:
    """Brightness in [0, 1] of an image shrunk to a square."""
    small = image.convert("L").resize((side_px, side_px), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32) / np.float32(255)


def _gradients(grey: Floats) -> tuple[Floats, Floats]:
    """Strength of the slope at every pixel, and its angle in [0, pi]."""
    down, across = np.gradient(grey)
    return np.hypot(down, across), np.arctan2(down, across) % np.pi


def _ring_of() -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """The ring and direction that every term of a real spectrum falls into."""
    down = np.fft.fftfreq(_TEXTURE_PX, 1 / _TEXTURE_PX)[:, None]
    across = np.arange(_TEXTURE_PX // 2 + 1)
    ring = np.minimum(np.hypot(down, across) / _RING_PX, _RINGS - 1).astype(np.intp)
    turn = np.arctan2(down, across) % np.pi / np.pi * _DIRECTIONS
    return np.asarray(ring * _DIRECTIONS + turn.astype(np.intp) % _DIRECTIONS, np.intp).ravel()


_WINDOW = np.outer(np.hanning(_TEXTURE_PX), np.hanning(_TEXTURE_PX)).astype(np.float32)
_RING_OF = _ring_of()
_RING_SIZES = np.maximum(np.bincount(_RING_OF, minlength=_RINGS * _DIRECTIONS), 1)
