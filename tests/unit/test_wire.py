"""What the wire codec promises beyond the round trip."""

import struct
from typing import Any

import msgpack
import numpy as np
import pytest

from architectures import wire


def test_decoding_copies_no_tensor() -> None:
    message = wire.encode_calls([{"image": np.arange(12, dtype=np.uint8).reshape(3, 4)}])
    (member,) = wire.decode_calls(message)
    message[-64:-52] = bytes(12)
    assert not member["image"].any()
    assert not member["image"].flags.writeable


def test_tensors_lie_aligned_in_the_message() -> None:
    arrays = {name: np.ones(3, np.float64) for name in "abc"}
    message = wire.encode_calls([arrays])
    base = np.frombuffer(message, np.uint8).ctypes.data
    (member,) = wire.decode_calls(message)
    assert [(array.ctypes.data - base) % 64 for array in member.values()] == [0, 0, 0]


def test_numpy_scalars_and_tuples_arrive_as_json_values() -> None:
    (member,) = wire.decode_calls(wire.encode_calls([{"x": np.float32(0.5), "y": (1, 2)}]))
    assert member == {"x": 0.5, "y": [1, 2]}
    assert type(member["x"]) is float


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, np.array(["text"]), np.array([object()]), 2**70, "\ud800", 1 + 2j],
    ids=repr,
)
def test_a_value_no_message_can_carry_is_refused(value: Any) -> None:
    with pytest.raises(wire.WireError, match="cannot be sent to a stage"):
        wire.encode_calls([{"x": value}])


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(wire.WireError, match="cannot be sent to a stage"):
        wire.encode_calls([{"x": endless}])


def forged(dtype: Any, shape: Any, offset: Any, code: int = 1) -> bytes:
    tensor = msgpack.ExtType(code, msgpack.packb((dtype, shape, offset)))
    header = msgpack.packb([{"x": tensor}])
    return struct.pack("<4sI", b"SBW1", len(header)) + header + bytes(256)


@pytest.mark.parametrize(
    ("forgery", "words"),
    [
        (forged("<f4", (4,), 10_000), "cut short"),
        (forged("<f4", (4,), -64), "cut short"),
        (forged("<f4", (2**62, 2**62), 0), "cut short"),
        (forged("<f4", (-1, -4), 0), "numeric array"),
        (forged("|O", (4,), 0), "numeric array"),
        (forged("no such", (4,), 0), "damaged"),
        (forged("<f4", "wide", 0), "damaged"),
        (forged("<f4", (1,), "here"), "damaged"),
        (forged("<f4", (1,), 0, code=9), "unknown kind"),
        (struct.pack("<4sI", b"SBW1", 10**9), "cut short"),
        (b"GET / HTTP/1.1\r\n", "another first word"),
        (b"", "cut short"),
    ],
)
def test_a_forged_message_is_refused(forgery: bytes, words: str) -> None:
    with pytest.raises(wire.WireError, match=words):
        wire.decode_calls(forgery)


@pytest.mark.parametrize("document", [7, {"x": 1}, [1, 2]], ids=repr)
def test_calls_and_replies_have_their_own_shape(document: Any) -> None:
    header = msgpack.packb(document)
    message = struct.pack("<4sI", b"SBW1", len(header)) + header
    for decode in (wire.decode_calls, wire.decode_replies):
        with pytest.raises(wire.WireError):
            decode(message)
