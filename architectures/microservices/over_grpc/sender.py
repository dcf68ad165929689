"""The gateway's end of a gRPC hop: one channel a service, any Open Inference server behind it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic_ns
from typing import Any, Final

import grpc

from architectures.contract import Problem
from architectures.graph import Inputs
from architectures.microservices.hop import Reply, Transport, Unreachable
from architectures.microservices.layout import Service
from architectures.microservices.over_grpc import GRACE_S, ONLY_CALLER, SERVICE, channel_options
from architectures.microservices.over_grpc import open_inference_pb2 as pb
from architectures.microservices.over_grpc.messages import replies_of, request_of
from architectures.server_config import ServerConfig
from architectures.spec import ServingPolicy
from architectures.wire import WireError

_PROBE_S: Final = 2.0
_GONE: Final = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)


@asynccontextmanager
async def transports(
    config: ServerConfig, services: Sequence[Service]
) -> AsyncIterator[Mapping[str, Transport]]:
    """Transports by their service's name; ``config.peers`` has their ``host:port``."""
    async with AsyncExitStack() as stack:
        yield {
            s.name: await stack.enter_async_context(connect(config.peers[s.name], config.policy))
            for s in services
        }


@asynccontextmanager
async def connect(target: str, policy: ServingPolicy) -> AsyncIterator["GrpcTransport"]:
    """A transport to the server at ``host:port``, which need not be up yet."""
    options = [*channel_options(policy), *ONLY_CALLER.items()]
    async with grpc.aio.insecure_channel(target, options) as channel:
        yield GrpcTransport(target, channel)


class GrpcTransport:
    """Messages to one server.

    Args:
        target: where it is, for the log.
        channel: to it.
    """

    def __init__(self, target: str, channel: Any) -> None:
        self._target = target
        self._infer = _method(channel, "ModelInfer", pb.ModelInferRequest, pb.ModelInferResponse)
        self._live = _method(channel, "ServerReady", pb.ServerReadyRequest, pb.ServerReadyResponse)

    async def exchange(self, stage: str, calls: Sequence[Inputs], ends_ns: int) -> Sequence[Reply]:
        """Infer one message; see ``Transport``. Cancelling it cancels it at the server too."""
        request = request_of(stage, calls)
        left_s = (ends_ns - monotonic_ns()) / 1e9 + GRACE_S
        try:
            response = await self._infer(request, timeout=left_s)
        except grpc.aio.AioRpcError as error:
            raise self._refusal(error) from error
        return replies_of(response, len(calls))

    async def is_ready(self) -> bool:
        """Whether the server says that it can answer."""
        try:
            response = await self._live(pb.ServerReadyRequest(), timeout=_PROBE_S)
        except grpc.aio.AioRpcError:
            return False
        return bool(response.ready)

    def _refusal(self, error: grpc.aio.AioRpcError) -> Exception:
        code, said = error.code(), error.details()
        if code in _GONE:
            return Unreachable(f"no answer from {self._target}: {code.name}, {said}")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return Problem("overloaded", 503, str(said))
        return WireError(f"{self._target} answered {code.name}: {said}")


def _method(channel: Any, name: str, request: Any, response: Any) -> Any:
    return channel.unary_unary(
        f"/{SERVICE}/{name}",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )
