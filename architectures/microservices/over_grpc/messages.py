"""Our calls and replies as the protocol's requests and responses, and back."""

import json
from collections.abc import Sequence
from typing import Any

from architectures.contract import Problem
from architectures.graph import Inputs
from architectures.microservices.over_grpc import MEMBERS, PROBLEMS, TIMES
from architectures.microservices.over_grpc import open_inference_pb2 as pb
from architectures.microservices.over_grpc.tensors import pack, unpack
from architectures.walk import StageResult
from architectures.wire import WireError


def request_of(stage: str, calls: Sequence[Inputs]) -> Any:
    """A message of calls.

    Raises:
        WireError: a value that cannot be sent.
    """
    request = pb.ModelInferRequest(model_name=stage)
    request.parameters[MEMBERS].int64_param = len(calls)
    pack(calls, request.inputs, request.raw_input_contents)
    return request


def calls_of(request: Any, most: int) -> tuple[list[Inputs], bool]:
    """A request's members, and whether it is one of ours, which takes a refusal a member.

    Raises:
        WireError: it cannot be read.
    """
    ours = MEMBERS in request.parameters
    count = request.parameters[MEMBERS].int64_param if ours else None
    if not ours and not request.inputs:
        raise WireError("a request needs an input; its first side counts the members")
    return unpack(request.inputs, request.raw_input_contents, count, most), ours


def response_to(request: Any, replies: Sequence[StageResult | Problem]) -> Any:
    """What became of each member; only the outputs asked for, where some are named.

    Raises:
        WireError: an output that cannot be sent.
    """
    response = pb.ModelInferResponse(model_name=request.model_name, id=request.id)
    results = [reply for reply in replies if isinstance(reply, StageResult)]
    wanted = {output.name for output in request.outputs}
    outputs = [
        {name: value for name, value in result.outputs.items() if not wanted or name in wanted}
        for result in results
    ]
    pack(outputs, response.outputs, response.raw_output_contents)
    for time in TIMES:
        listed = json.dumps([getattr(result, time) for result in results])
        response.parameters[time].string_param = listed
    refused = [
        (i, reply.slug, reply.status, reply.detail)
        for i, reply in enumerate(replies)
        if isinstance(reply, Problem)
    ]
    if refused:
        response.parameters[PROBLEMS].string_param = json.dumps(refused)
    return response


def replies_of(response: Any, count: int) -> list[StageResult | Problem]:
    """A response's replies to ``count`` calls.

    Another implementation's has neither times nor problems.

    Raises:
        WireError: it cannot be read, or does not answer so many calls.
    """
    refused = {
        index: Problem(slug, status, detail)
        for index, slug, status, detail in _listed(response, PROBLEMS) or ()
    }
    answered = count - len(refused)
    outputs = unpack(response.outputs, response.raw_output_contents, answered, count)
    untold = ([0] * answered, [0] * answered, [answered] * answered)
    times = [_listed(response, name) or other for name, other in zip(TIMES, untold, strict=True)]
    try:
        results = iter([StageResult(*row) for row in zip(outputs, *times, strict=True)])
    except ValueError as error:
        raise WireError(f"the response's times are not those of {answered} members") from error
    return [refused.get(i) or next(results) for i in range(count)]


def _listed(response: Any, name: str) -> Any:
    """A parameter's JSON list; None where it is not there."""
    if name not in response.parameters:
        return None
    try:
        return json.loads(response.parameters[name].string_param)
    except ValueError as error:
        raise WireError(f"parameter {name!r} of a response is no JSON") from error
