"""What a choice is made from: nine numbers that cost a fraction of any classifier's run.

All are read from the detector's box and every fourth pixel of the crop, and brought to about
[-1, 1], so that one prior fits them all.
"""

import numpy as np

from architectures.ensemble.types import Bytes, Floats

FEATURES = (
    "one",
    "aspect",
    "aspect_squared",
    "area",
    "brightness",
    "contrast",
    "edges_across",
    "edges_down",
    "saturation",
)
"""Their names, in order."""

WIDTH = len(FEATURES)
_EVERY = 4
_DIGITS = 4


def context_of(crop: Bytes, box: Floats) -> list[float]:
    """The numbers of ``FEATURES`` for a crop ``(side, side, 3)`` and a box of xyxy shares."""
    pixels = crop[::_EVERY, ::_EVERY].astype(np.float32) / 255
    grey = pixels.mean(2)
    width, height = np.maximum(box[2:] - box[:2], 0.01).tolist()
    aspect = float(np.clip(np.log(width / height), -2, 2))
    numbers = (
        1.0,
        aspect,
        aspect**2,
        width * height,
        grey.mean() - 0.5,
        grey.std() - 0.2,
        4 * np.abs(np.diff(grey, axis=1)).mean() - 0.2,
        4 * np.abs(np.diff(grey, axis=0)).mean() - 0.2,
        (pixels.max(2) - pixels.min(2)).mean() - 0.4,
    )
    return [round(float(number), _DIGITS) for number in numbers]
