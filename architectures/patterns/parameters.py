"""Arrays fitted for the patterns: where they lie, who they are, and drawn ones where none ship.

Plain arrays in safetensors, never pickles: reading a file runs nothing.
"""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]

_ROOT = Path(__file__).parent / "weights"
_SEED = 20260401


def path(tier: str, name: str) -> Path:
    """The safetensors file of one set of arrays."""
    return _ROOT / tier / f"{name}.safetensors"


def fitted(tier: str, name: str) -> bool:
    """True if the arrays were fitted and ship; False if they are drawn from the seed."""
    return path(tier, name).exists()


def load(tier: str, name: str, shapes: Shapes) -> dict[str, NDArray[Any]]:
    """The arrays of a name, floats as float32.

    Args:
        tier: of the ensemble.
        name: of the file.
        shapes: of the arrays to draw where none ship: right in cost, meaningless in what they say.
    """
    from safetensors.numpy import load_file

    if not fitted(tier, name):
        return _drawn(shapes)
    arrays: dict[str, NDArray[Any]] = load_file(path(tier, name))
    return {
        key: array.astype(np.float32) if array.dtype.kind == "f" else array
        for key, array in arrays.items()
    }


def save(tier: str, name: str, arrays: Arrays) -> None:
    """Write arrays, floats as float16."""
    from safetensors.numpy import save_file

    small = {
        key: np.ascontiguousarray(array.astype(np.float16) if array.dtype.kind == "f" else array)
        for key, array in arrays.items()
    }
    path(tier, name).parent.mkdir(parents=True, exist_ok=True)
    save_file(small, path(tier, name))


def digest(tier: str, name: str) -> str:
    """SHA-256 of the file, or of the recipe that drawn arrays follow."""
    if fitted(tier, name):
        return hashlib.sha256(path(tier, name).read_bytes()).hexdigest()
    return hashlib.sha256(f"{name} {_SEED} {tier}".encode()).hexdigest()


def _drawn(shapes: Shapes) -> dict[str, NDArray[Any]]:
    """Matrices that keep a signal's size; scales of one, offsets of nought."""
    draw = np.random.default_rng(_SEED)
    arrays: dict[str, NDArray[Any]] = {}
    for key, shape in shapes.items():
        if len(shape) == 1:
            array = np.full(shape, float(key.endswith("scale")))
        else:
            array = draw.standard_normal(shape) / math.sqrt(shape[-1])
        arrays[key] = array.astype(np.float32)
    return arrays
