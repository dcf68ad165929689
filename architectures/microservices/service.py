"""One stage service: hosts its stages for whichever transport the variant uses.

``python -m architectures.microservices.service``, started by a deployment. It answers
``/readyz`` over HTTP in every variant, and messages there too where HTTP is the transport.
"""

import gc
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Protocol, TypeAlias

import uvicorn

from architectures.contract import HEALTH_PATH, READY_PATH, Problem
from architectures.microservices.host import StageHost
from architectures.microservices.layout import lay_out
from architectures.microservices.over_http.receiver import (
    ClientLeft,
    Event,
    HttpReceiver,
    Receive,
)
from architectures.plugin import load_ensemble, load_stages
from architectures.server_config import HOST, ServerConfig, from_environment

Send: TypeAlias = Callable[[Event], Awaitable[None]]

_TEXT: Final = b"text/plain; charset=utf-8"
_SHUTDOWN_S: Final = 5


class Receiver(Protocol):
    """What brings messages by another way than HTTP."""

    async def start(self) -> None:
        """Begin to take messages, on the running loop."""
        ...

    async def stop(self) -> None:
        """Take no more; those taken are answered first."""
        ...


class Service:
    """The ASGI application of one service.

    Args:
        host: its stages.
        receiver: brings their messages; None where these come over HTTP.
    """

    def __init__(self, host: StageHost, receiver: Receiver | None = None) -> None:
        self._host = host
        self._receiver = receiver
        self._http = HttpReceiver(host) if receiver is None else None

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Answer one exchange; a caller that leaves takes its waiting members with it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            status, (kind, body) = 200, await self._answer(scope["path"], scope["method"], receive)
        except ClientLeft:
            return
        except Problem as problem:
            status, kind, body = problem.status, _TEXT, problem.detail.encode()
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Until the server stops; then the running batch ends, and what stages opened is closed."""
        await receive()
        if self._receiver is not None:
            await self._receiver.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._receiver is not None:
            await self._receiver.stop()
        await self._host.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(
        self, path: str, method: str, receive: Receive
    ) -> tuple[bytes, bytes | bytearray]:
        if path in (HEALTH_PATH, READY_PATH):
            return _TEXT, b"ready\n"  # it listens only once its stages are loaded
        if self._http is None:
            raise Problem("not-found", 404, f"There is nothing at {path}, only {READY_PATH}.")
        return await self._http.answer(path, method, receive)


def load_service(config: ServerConfig) -> Service:
    """Load the stages that this process's role hosts."""
    ensemble = load_ensemble(config.ensemble)
    policy = config.policy
    services = {service.name: service for service in lay_out(ensemble, config.options).services}
    stages = services[config.role].stages
    loaded = load_stages(ensemble, config.ensemble, stages, policy.torch_threads)
    if config.options["message"] == "batch":
        policy = replace(policy, batch_wait_s=0.0)  # the gateway has waited already
    host = StageHost(loaded, policy)
    return Service(host, _receiver(config, host, ensemble))


def _receiver(config: ServerConfig, host: StageHost, ensemble: Any) -> Receiver | None:
    """Only the transport in use is imported: its libraries cost memory in every service."""
    match config.options["transport"]:
        case "grpc":
            from architectures.microservices.over_grpc.receiver import GrpcReceiver

            return GrpcReceiver(host, config, ensemble.GRAPHS)
        case "broker":
            from architectures.microservices.over_broker.receiver import BrokerReceiver

            return BrokerReceiver(host, config)
        case _:
            return None


def main() -> None:
    """Serve until SIGTERM or SIGINT, then let what runs end."""
    config = from_environment()
    service = load_service(config)
    gc.collect()
    gc.freeze()  # what is loaded lives as long as the process; the collector need not walk it
    uvicorn.run(
        service,
        host=HOST,
        port=config.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=round(config.policy.keep_alive_s),
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


if __name__ == "__main__":
    main()
