"""Members' values as Open Inference tensors: what a plain client sees, and what comes back."""

from typing import Any

import numpy as np
import pytest

from architectures.contract import Problem
from architectures.microservices.over_grpc import open_inference_pb2 as pb
from architectures.microservices.over_grpc.messages import (
    calls_of,
    replies_of,
    request_of,
    response_to,
)
from architectures.walk import StageResult
from architectures.wire import WireError

MOST = 64


def sent(calls: Any) -> Any:
    """A request, as it comes out of the network."""
    return pb.ModelInferRequest.FromString(request_of("m", calls).SerializeToString())


@pytest.mark.parametrize(
    ("value", "datatype", "shape"),
    [
        (np.zeros((3, 2), np.uint8), "UINT8", [2, 3, 2]),
        (np.zeros((4,), np.float16), "FP16", [2, 4]),
        (1.5, "BYTES", [2]),
        (np.array(1.5, np.float32), "FP32", [2]),
        (np.array([True]), "BOOL", [2, 1]),
        (np.array([1, 2], ">i4"), "INT32", [2, 2]),
        (np.zeros((0, 5), np.int64), "INT64", [2, 0, 5]),
        (b"\x00raw", "BYTES", [2]),
        ("text", "BYTES", [2]),
        ({"a": [1, None]}, "BYTES", [2]),
    ],
)
def test_a_batch_is_one_tensor_and_comes_back(value: Any, datatype: str, shape: list[int]) -> None:
    request = sent([{"x": value}, {"x": value}])
    (tensor,) = request.inputs
    assert (tensor.name, tensor.datatype, list(tensor.shape)) == ("x", datatype, shape)
    members, ours = calls_of(request, MOST)
    assert ours
    for member in members:
        assert type(member["x"]) is type(value)
        np.testing.assert_array_equal(member["x"], value)


def test_what_json_has_not_travels_in_the_wire_s_own_form() -> None:
    request = sent([{"x": {"array": np.ones(2), "bytes": b"x"}}])
    assert request.inputs[0].parameters["form"].string_param == "wire"
    ((member,), _) = calls_of(request, MOST)
    assert member["x"]["array"].tolist() == [1, 1]
    assert member["x"]["bytes"] == b"x"


def test_members_that_differ_have_tensors_of_their_own() -> None:
    calls = [{"x": np.ones(2), "y": 1}, {"x": np.ones(3), "y": b"1"}, {"y": None}]
    request = sent(calls)
    assert [t.name for t in request.inputs] == ["x.0", "x.1", "y.0", "y.1", "y.2"]
    members, _ = calls_of(request, MOST)
    assert [set(member) for member in members] == [{"x", "y"}, {"x", "y"}, {"y"}]
    assert [len(member["x"]) for member in members[:2]] == [2, 3]
    assert [member["y"] for member in members] == [1, b"1", None]


def test_members_without_inputs_are_counted_all_the_same() -> None:
    assert calls_of(sent([{}, {}]), MOST)[0] == [{}, {}]


def test_a_plain_client_s_typed_contents_are_read() -> None:
    request = pb.ModelInferRequest(model_name="m")
    numbers = request.inputs.add(name="x", datatype="FP32", shape=[2, 2])
    numbers.contents.fp32_contents.extend([1, 2, 3, 4])
    words = request.inputs.add(name="w", datatype="BYTES", shape=[2, 1])
    words.contents.bytes_contents.extend([b"a", b"b"])
    members, ours = calls_of(request, MOST)
    assert not ours
    assert [member["x"].tolist() for member in members] == [[1, 2], [3, 4]]
    assert [member["w"] for member in members] == [b"a", b"b"]


def test_replies_keep_their_places_and_times() -> None:
    request = sent([{"x": 1}] * 3)
    scores = np.array([0.25, 0.75], np.float32)
    replies = [
        StageResult({"scores": scores}, 5, 7, 2),
        Problem("no", 422, "No."),
        StageResult({"scores": scores * 2}, 6, 7, 2),
    ]
    response = response_to(request, replies)
    assert [list(t.shape) for t in response.outputs] == [[2, 2]]
    first, refusal, last = replies_of(response, 3)
    assert isinstance(first, StageResult)
    assert isinstance(last, StageResult)
    assert isinstance(refusal, Problem)
    assert first.outputs["scores"].tolist() == [0.25, 0.75]
    assert last[1:] == (6, 7, 2)
    assert refusal.args == ("no", 422, "No.")


def test_only_the_outputs_asked_for_are_sent() -> None:
    request = sent([{"x": 1}])
    request.outputs.add(name="a")
    response = response_to(request, [StageResult({"a": np.ones(1), "b": np.ones(1)}, 0, 0, 1)])
    assert [tensor.name for tensor in response.outputs] == ["a"]


def test_another_server_s_reply_has_no_times() -> None:
    response = pb.ModelInferResponse(model_name="m")
    tensor = response.outputs.add(name="y", datatype="INT64", shape=[2])
    tensor.contents.int64_contents.extend([3, 4])
    assert [reply.outputs["y"].item() for reply in replies_of(response, 2)] == [3, 4]
    with pytest.raises(WireError, match="2 rows for 3 members"):
        replies_of(response, 3)


def damaged(**changes: Any) -> Any:
    request = pb.ModelInferRequest(model_name="m")
    tensor = {"name": "x", "datatype": "FP32", "shape": [2, 2], **changes}
    raw = tensor.pop("raw", [np.zeros(4, np.float32).tobytes()])
    request.inputs.add(**tensor)
    request.raw_input_contents.extend(raw)
    return request


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (pb.ModelInferRequest(model_name="m"), "needs an input"),
        (damaged(shape=[]), "first side"),
        (damaged(shape=[2, -1]), "first side"),
        (damaged(shape=[1 << 40, 0], raw=[b""]), "at most 64"),
        (damaged(shape=[2, 3]), "does not fit"),
        (damaged(raw=[b"abc"]), "does not fit"),
        (damaged(raw=[b"", b""]), "2 raw contents for 1 tensors"),
        (damaged(datatype="BF16"), "BF16"),
        (damaged(datatype="BYTES", shape=[1], raw=[b"\xff\xff\xff\x7fabc"]), "cut short"),
        (damaged(datatype="BYTES", shape=[1], raw=[b"\x01"]), "cut short"),
        (damaged(datatype="BYTES", shape=[3], raw=[b"\x01\x00\x00\x00a"]), "1 elements"),
    ],
)
def test_what_is_no_message_is_refused_in_words(request_: Any, words: str) -> None:
    with pytest.raises(WireError, match=words):
        calls_of(request_, MOST)


@pytest.mark.parametrize("form", ["json", "wire", "pickle"])
def test_a_form_that_is_not_what_it_says_is_refused(form: str) -> None:
    request = damaged(datatype="BYTES", shape=[1], raw=[b"\x01\x00\x00\x00{"])
    request.inputs[0].parameters["form"].string_param = form
    with pytest.raises(WireError, match=f"holds no {form}"):
        calls_of(request, MOST)


@pytest.mark.parametrize("value", [np.array(["text"]), np.array([object()]), {"a": object()}])
def test_what_cannot_be_sent_is_said_at_once(value: Any) -> None:
    with pytest.raises(WireError, match="cannot be sent"):
        request_of("m", [{"x": value}])
