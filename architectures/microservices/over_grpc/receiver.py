"""The service's end of a gRPC hop: an Open Inference server whose models are our stages."""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final, NoReturn

import grpc

from architectures.contract import Problem
from architectures.graph import Graph, Inputs
from architectures.microservices.host import StageHost
from architectures.microservices.over_grpc import ONLY_SERVER, SERVICE, channel_options
from architectures.microservices.over_grpc import open_inference_pb2 as pb
from architectures.microservices.over_grpc.messages import calls_of, response_to
from architectures.server_config import ServerConfig
from architectures.wire import WireError

_STOP_S: Final = 5.0
_MOST_MEMBERS: Final = 4096  # rows of no bytes cost a sender nothing
_CODES: Final = {
    404: grpc.StatusCode.NOT_FOUND,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.RESOURCE_EXHAUSTED,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_METHODS: Final = {
    "ServerLive": pb.ServerLiveRequest,
    "ServerReady": pb.ServerReadyRequest,
    "ModelReady": pb.ModelReadyRequest,
    "ServerMetadata": pb.ServerMetadataRequest,
    "ModelMetadata": pb.ModelMetadataRequest,
    "ModelInfer": pb.ModelInferRequest,
}


class GrpcReceiver:
    """Answers the messages of one service, and any other client of the protocol.

    Args:
        host: what runs them.
        config: of this process; ``peers`` says at which ``host:port`` it listens.
        graphs: that the stages stand in: their inputs and outputs are named there.
    """

    def __init__(self, host: StageHost, config: ServerConfig, graphs: Mapping[str, Graph]) -> None:
        self._host = host
        self._config = config
        self._graphs = graphs
        self._server: Any = None

    async def start(self) -> None:
        """Listen; the port is of the loopback only."""
        options = [*channel_options(self._config.policy), *ONLY_SERVER.items()]
        self._server = grpc.aio.server(options=options)
        handlers = {name: self._handler(name, request) for name, request in _METHODS.items()}
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, handlers),)
        )
        self._server.add_insecure_port(self._config.peers[self._config.role])
        await self._server.start()

    async def stop(self) -> None:
        """Take no more calls; those inside are answered first."""
        await self._server.stop(_STOP_S)

    def _handler(self, name: str, request: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(
            getattr(self, name), request.FromString, lambda answer: answer.SerializeToString()
        )

    async def ServerLive(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's names
        """Whether the server answers at all."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Whether every model can be asked: it listens only once they are loaded."""
        return pb.ServerReadyResponse(ready=True)

    async def ModelReady(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Whether a model can be asked."""
        return pb.ModelReadyResponse(ready=self._host.hosts(request.name))

    async def ServerMetadata(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Who this is."""
        return pb.ServerMetadataResponse(name="servebench", version=version("servebench"))

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """A model's inputs and outputs by name. Stages declare no types, so none are told."""
        await self._check(request.name, context)
        inputs, outputs = _names(request.name, self._graphs)
        return pb.ModelMetadataResponse(
            name=request.name,
            platform="servebench",
            inputs=[{"name": name, "shape": [-1]} for name in inputs],
            outputs=[{"name": name, "shape": [-1]} for name in outputs],
        )

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run members through a model; the call's end, however it comes, drops those waiting.

        A refused member is refused by itself in a message of ours; to another client's message it
        is the whole answer, which has no place for it.
        """
        await self._check(request.model_name, context)
        try:
            calls, ours = _read(request)
            replies = await self._host.run(request.model_name, calls)
            refusal = None if ours else _first(replies)
            return (
                response_to(request, replies) if refusal is None else await _abort(context, refusal)
            )
        except Problem as problem:
            await _abort(context, problem)

    async def _check(self, model: str, context: Any) -> None:
        if not self._host.hosts(model):
            hosted = ", ".join(self._host.stages)
            text = f"There is no model {model!r} here, only {hosted}."
            await _abort(context, Problem("not-found", 404, text))


def _read(request: Any) -> tuple[list[Inputs], bool]:
    try:
        return calls_of(request, _MOST_MEMBERS)
    except WireError as error:
        raise Problem("bad-message", 400, str(error)) from error


def _first(replies: list[Any]) -> Problem | None:
    return next((reply for reply in replies if isinstance(reply, Problem)), None)


def _names(stage: str, graphs: Mapping[str, Graph]) -> tuple[list[str], list[str]]:
    """What a stage is given, and what is read of it, wherever it stands."""
    inputs: dict[str, None] = {}
    outputs: dict[str, None] = {}
    for graph in graphs.values():
        keys = {step.key for step in graph.steps if step.stage == stage}
        for step in graph.steps:
            if step.key in keys:
                inputs |= dict.fromkeys(read.name for read in step.reads)
            outputs |= dict.fromkeys(read.field for read in step.reads if read.source in keys)
        if graph.answer_node in keys:
            outputs[graph.answer_field] = None
    return list(inputs), list(outputs)


async def _abort(context: Any, problem: Problem) -> NoReturn:
    code = _CODES.get(problem.status, grpc.StatusCode.INVALID_ARGUMENT)
    await context.abort(code, problem.detail)
    raise asyncio.CancelledError  # abort has raised already; its type does not say so
