"""The message between a caller and a stage service: raw tensors behind a msgpack header.

A message is ``magic, header length, header, padding, tensors``. Tensors lie in the buffer as they
lie in memory, at aligned offsets named by the header: encoding copies each one once, into the one
buffer that is sent, and decoding copies none.
"""

import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import msgpack
import numpy as np
import numpy.typing as npt

from architectures.contract import Problem
from architectures.graph import Inputs
from architectures.walk import StageResult

Buffer: TypeAlias = bytes | bytearray | memoryview

CONTENT_TYPE = "application/x-servebench-wire"

_MAGIC: Final = b"SBW1"
_PREFIX: Final = struct.Struct("<4sI")
_ALIGNMENT: Final = 64  # a cache line, and enough for every SIMD load
_TENSOR: Final = 1
_NUMERIC: Final = frozenset("biufc")
_RESULT: Final = 0
_PROBLEM: Final = 1
_DAMAGE: Final = (ValueError, TypeError, KeyError, OverflowError, RecursionError, struct.error)


class WireError(ValueError):
    """Bytes that are no message, or a value that no message can carry."""


def encode_calls(members: Sequence[Inputs]) -> bytearray:
    """Write the inputs of one stage's members, each a dict of arrays, bytes and JSON values.

    Tuples arrive as lists and numpy scalars as numbers, as they would in JSON.

    Raises:
        WireError: a value of another kind.
    """
    return _encode([dict(member) for member in members])


def decode_calls(message: Buffer) -> list[dict[str, Any]]:
    """Read what :func:`encode_calls` wrote; arrays are read-only views of ``message``.

    Raises:
        WireError: ``message`` is damaged or something else.
    """
    members = _decode(message)
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise WireError("a message of calls must hold a list of named inputs")
    return members


def encode_replies(replies: Sequence[StageResult | Problem]) -> bytearray:
    """Write what became of each member, in the order of the calls.

    Raises:
        WireError: an output is neither array, bytes nor JSON value.
    """
    return _encode([_row(reply) for reply in replies])


def decode_replies(message: Buffer) -> list[StageResult | Problem]:
    """Read what :func:`encode_replies` wrote; arrays are read-only views of ``message``.

    Raises:
        WireError: ``message`` is damaged or something else.
    """
    rows = _decode(message)
    if not isinstance(rows, list):
        raise WireError("a message of replies must hold a list")
    return [_reply(row) for row in rows]


def _row(reply: StageResult | Problem) -> tuple[Any, ...]:
    if isinstance(reply, Problem):
        return (_PROBLEM, reply.slug, reply.status, reply.detail)
    return (_RESULT, dict(reply.outputs), reply.queue_ns, reply.compute_ns, reply.batch_size)


def _reply(row: Any) -> StageResult | Problem:
    match row:
        case [0, dict(outputs), int(queue_ns), int(compute_ns), int(batch_size)]:
            return StageResult(outputs, queue_ns, compute_ns, batch_size)
        case [1, str(slug), int(status), str(detail)]:
            return Problem(slug, status, detail)
        case _:
            raise WireError("a reply is neither a stage's result nor a problem")


class _Tensors:
    """Gives every array of one message its place, counted from the end of the header."""

    __slots__ = ("places", "size_bytes")

    def __init__(self) -> None:
        self.places: list[tuple[npt.NDArray[Any], int]] = []
        self.size_bytes = 0

    def place(self, value: Any) -> Any:
        """Stand in for a value that msgpack cannot pack itself."""
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray) or value.dtype.kind not in _NUMERIC:
            kind = getattr(value, "dtype", type(value).__name__)
            raise WireError(
                f"{kind} cannot be sent to a stage: use numeric arrays, bytes or JSON values"
            )
        offset = self.size_bytes
        self.places.append((value, offset))
        self.size_bytes = _aligned(offset + value.nbytes)
        return msgpack.ExtType(_TENSOR, msgpack.packb((value.dtype.str, value.shape, offset)))


def _encode(document: Any) -> bytearray:
    tensors = _Tensors()
    try:
        header = msgpack.packb(document, default=tensors.place)
    except WireError:
        raise
    except _DAMAGE as error:
        raise WireError(f"a value cannot be sent to a stage: {error}") from error
    start = _aligned(_PREFIX.size + len(header))
    message = bytearray(start + tensors.size_bytes)
    _PREFIX.pack_into(message, 0, _MAGIC, len(header))
    message[_PREFIX.size : _PREFIX.size + len(header)] = header
    for array, offset in tensors.places:
        np.ndarray(array.shape, array.dtype, message, start + offset)[...] = array
    return message


def _decode(message: Buffer) -> Any:
    header, tensors = _split(memoryview(message).toreadonly())
    try:
        return msgpack.unpackb(header, ext_hook=_tensor_reader(tensors))
    except WireError:
        raise
    except _DAMAGE as error:
        raise WireError(f"the message is damaged: {error}") from error


def _split(view: memoryview) -> tuple[memoryview, memoryview]:
    if len(view) < _PREFIX.size:
        raise WireError(f"the message is cut short: {len(view)} bytes")
    magic, length = _PREFIX.unpack_from(view)
    if magic != _MAGIC:
        raise WireError("not a message between caller and stage: it has another first word")
    end = _PREFIX.size + length
    if end > len(view):
        raise WireError(f"the message is cut short: its header needs {end} bytes, not {len(view)}")
    return view[_PREFIX.size : end], view[_aligned(end) :]


def _tensor_reader(tensors: memoryview) -> Callable[[int, bytes], npt.NDArray[Any]]:
    def read(code: int, packed: bytes) -> npt.NDArray[Any]:
        if code != _TENSOR:
            raise WireError(f"the message holds an unknown kind of value, {code}")
        name, shape, offset = msgpack.unpackb(packed, use_list=False)
        dtype = np.dtype(name)
        if dtype.kind not in _NUMERIC or any(side < 0 for side in shape):
            raise WireError(f"the message names no numeric array: {name!r} of shape {shape!r}")
        if not 0 <= offset <= len(tensors) - math.prod(shape) * dtype.itemsize:
            raise WireError(f"the message is cut short: it lacks part of an array {shape!r}")
        return np.ndarray(shape, dtype, tensors, offset)

    return read


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
