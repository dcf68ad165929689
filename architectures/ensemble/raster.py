"""Polygon filling in whole numbers, so that every machine sets the same pixels.

Pillow's own polygon fill works in C floats, which compilers may fuse differently.
"""

from collections.abc import Sequence

import numpy as np

from architectures.ensemble.types import Bytes, Point

_SUB = 16
"""Vertices are rounded to sixteenths of a pixel."""


def fill(points: Sequence[Point], height: int, width: int) -> Bytes:
    """Pixels whose centre lies inside a polygon by the even-odd rule.

    Args:
        points: vertices ``(x, y)`` in pixels.
        height: rows of the canvas.
        width: columns of the canvas; what falls outside is clipped.

    Returns:
        ``(height, width)`` uint8 of 0 and 1.
    """
    corners = np.array([(round(x * _SUB), round(y * _SUB)) for x, y in points], np.int64)
    first, last = corners, np.roll(corners, -1, axis=0)
    upward = first[:, 1] > last[:, 1]
    top, end = np.where(upward[:, None], last, first), np.where(upward[:, None], first, last)
    centres = np.arange(height, dtype=np.int64) * _SUB + _SUB // 2
    crossed = (top[:, 1, None] <= centres) & (centres < end[:, 1, None])
    edge, row = np.nonzero(crossed)
    run, rise = end[edge, 0] - top[edge, 0], end[edge, 1] - top[edge, 1]
    past = (centres[row] - top[edge, 1]) * run + (top[edge, 0] - _SUB // 2) * rise
    column = np.clip(-(-past // (_SUB * rise)), 0, width)
    toggles = np.zeros((height, width + 1), np.uint8)
    np.bitwise_xor.at(toggles, (row, column), np.uint8(1))
    filled: Bytes = np.bitwise_xor.accumulate(toggles[:, :-1], axis=1)
    return filled
