"""The protocol's data types in numpy's words, and tensors as they lie in a message."""

import math
import struct
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from architectures.wire import WireError

BYTES: Final = "BYTES"

_NAMES: Final = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
_DTYPES: Final = {name: np.dtype(code) for name, code in _NAMES.items()}
_DATATYPES: Final = {dtype: name for name, dtype in _DTYPES.items()}
_CONTENTS: Final = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}
_LENGTH: Final = struct.Struct("<I")

Rows: TypeAlias = Sequence[Any]
"""A tensor's values along its first side, one a member."""


def datatype_of(dtype: "np.dtype[Any]") -> str | None:
    """What the protocol calls a dtype; None where it has no such type."""
    return _DATATYPES.get(dtype.newbyteorder("<"))


def pack_arrays(arrays: Sequence[npt.NDArray[Any]]) -> bytes:
    """Arrays of one shape and dtype, one after another, as raw contents: copied once."""
    dtype = arrays[0].dtype.newbyteorder("<")
    return b"".join([np.ascontiguousarray(array, dtype).data for array in arrays])


def pack_bytes(elements: Sequence[bytes | bytearray | memoryview]) -> bytes:
    """Elements of a BYTES tensor as raw contents: each behind its length."""
    return b"".join(part for e in elements for part in (_LENGTH.pack(len(e)), bytes(e)))


def rows_of(tensor: Any, raw: bytes | None, most: int) -> Rows:
    """A tensor's rows; arrays are read-only views.

    Args:
        tensor: an ``InferInputTensor`` or ``InferOutputTensor``.
        raw: its raw contents, None where it holds its values itself.
        most: rows that are allowed.

    Raises:
        WireError: it is not what it says it is, or of a type numpy has not.
    """
    shape = tuple(tensor.shape)
    if not shape or min(shape) < 0 or shape[0] > most:
        raise WireError(
            f"tensor {tensor.name!r} has shape {list(shape)}: its first side counts the members, "
            f"at most {most}"
        )
    if tensor.datatype == BYTES:
        return _bytes_rows(tensor, shape, raw)
    dtype = _DTYPES.get(tensor.datatype)
    if dtype is None:
        raise WireError(f"tensor {tensor.name!r} has datatype {tensor.datatype!r}; use {_known()}")
    try:
        array = _numeric(tensor, dtype, raw).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise WireError(f"tensor {tensor.name!r} does not fit its shape: {error}") from error
    return [array[i, ...] for i in range(shape[0])]


def _numeric(tensor: Any, dtype: "np.dtype[Any]", raw: bytes | None) -> npt.NDArray[Any]:
    if raw is not None:
        return np.frombuffer(raw, dtype)
    field = _CONTENTS.get(tensor.datatype)
    if field is None:
        raise WireError(f"tensor {tensor.name!r}: {tensor.datatype} travels as raw contents only")
    return np.array(getattr(tensor.contents, field), dtype)


def _bytes_rows(tensor: Any, shape: tuple[int, ...], raw: bytes | None) -> Rows:
    elements = list(tensor.contents.bytes_contents) if raw is None else _split(tensor.name, raw)
    if len(elements) != math.prod(shape):
        raise WireError(f"tensor {tensor.name!r} has {len(elements)} elements for {list(shape)}")
    each = math.prod(shape[1:])
    if each == 1:
        return elements
    return [elements[i * each : (i + 1) * each] for i in range(shape[0])]


def _split(name: str, raw: bytes) -> list[bytes]:
    elements: list[bytes] = []
    at = 0
    while at < len(raw):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(raw, at)[0] if start <= len(raw) else start
        if at > len(raw):
            raise WireError(f"tensor {name!r} is cut short")
        elements.append(raw[start:at])
    return elements


def _known() -> str:
    return ", ".join((*_DTYPES, BYTES))
