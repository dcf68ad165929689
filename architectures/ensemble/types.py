"""Array types that stages and the corpus hand around."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
"""Pixels, ``(height, width, 3)`` RGB unless said otherwise."""

Floats: TypeAlias = NDArray[np.float32]

Integers: TypeAlias = NDArray[np.int32]

Point: TypeAlias = tuple[float, float]
