"""The wire codec keeps every value, and damaged bytes are refused in words."""

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from architectures import wire
from architectures.contract import Problem
from architectures.walk import StageResult

# A shared machine draws large values slowly; that says nothing about the codec.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?", sizes=(64, 128)),
)
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=7))
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.lists(
    st.dictionaries(st.text("abcdef", max_size=4), ARRAYS | JSON | st.binary(), max_size=4),
    max_size=5,
)
COUNTS = st.integers(0, 2**63)
RESULTS = st.builds(
    StageResult,
    st.dictionaries(st.text("abc", max_size=3), ARRAYS | JSON | st.binary(), max_size=3),
    COUNTS,
    COUNTS,
    COUNTS,
)
PROBLEMS = st.builds(Problem, st.text("abc-"), st.integers(400, 599), st.text("Why? "))


def equal(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return (
            isinstance(right, np.ndarray)
            and left.dtype == right.dtype
            and left.shape == right.shape
            and left.tobytes() == right.tobytes()
        )
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[k], right[k]) for k in left)
    return type(left) is type(right) and left == right


@PATIENT
@given(MEMBERS)
def test_calls_survive_the_wire(members: list[dict[str, Any]]) -> None:
    back = wire.decode_calls(wire.encode_calls(members))
    assert len(back) == len(members)
    assert all(equal(a, b) for a, b in zip(members, back, strict=True))


@PATIENT
@given(st.lists(RESULTS | PROBLEMS, max_size=5))
def test_replies_survive_the_wire(replies: list[StageResult | Problem]) -> None:
    back = wire.decode_replies(wire.encode_replies(replies))
    for sent, received in zip(replies, back, strict=True):
        if isinstance(sent, Problem):
            assert isinstance(received, Problem)
            assert received.args == sent.args
            continue
        assert isinstance(received, StageResult)
        assert equal(dict(sent.outputs), dict(received.outputs))
        assert (sent.queue_ns, sent.compute_ns, sent.batch_size) == (
            received.queue_ns,
            received.compute_ns,
            received.batch_size,
        )


@PATIENT
@given(ARRAYS, st.permutations(range(3)))
def test_any_memory_order_arrives_in_c_order(
    array: npt.NDArray[Any], axes: tuple[int, ...]
) -> None:
    turned = array.transpose(axes)[::-1] if array.ndim == 3 else array.T
    (member,) = wire.decode_calls(wire.encode_calls([{"x": turned}]))
    assert equal(np.ascontiguousarray(turned).reshape(turned.shape), member["x"])


@pytest.mark.parametrize("decode", [wire.decode_calls, wire.decode_replies])
@PATIENT
@given(noise=st.binary(max_size=300))
def test_noise_is_refused_in_words(decode: Any, noise: bytes) -> None:
    with pytest.raises(wire.WireError):
        decode(noise)
    with suppress(wire.WireError):
        decode(wire._PREFIX.pack(b"SBW1", len(noise) // 2) + noise)


@pytest.mark.parametrize("decode", [wire.decode_calls, wire.decode_replies])
@PATIENT
@given(members=MEMBERS, place=st.integers(0, 2000), byte=st.integers(0, 255), cut=st.booleans())
def test_damage_is_refused_in_words(
    decode: Any, members: list[dict[str, Any]], place: int, byte: int, *, cut: bool
) -> None:
    message = wire.encode_calls(members)
    place %= len(message)
    if cut:
        del message[place:]
    else:
        message[place] = byte
    with suppress(wire.WireError):
        decode(bytes(message))
