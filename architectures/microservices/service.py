"""One stage service: ``POST /stages/<stage>`` takes calls and answers what became of each.

``python -m architectures.microservices.service``, started by a deployment. Raw ASGI, because an
internal hop with one path needs no routing, no validation and no dependencies.
"""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeAlias

import uvicorn

from architectures import wire
from architectures.contract import HEALTH_PATH, READY_PATH, Problem
from architectures.graph import Inputs
from architectures.microservices.layout import lay_out
from architectures.plugin import Loaded, load_ensemble, load_stages
from architectures.server_config import HOST, ServerConfig, from_environment
from architectures.spec import ServingPolicy
from architectures.stage_calls import StageCalls
from architectures.walk import StageResult

Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]

_LOG = logging.getLogger("servebench.service")

STAGE_PREFIX: Final = "/stages/"

_Reply: TypeAlias = tuple[int, bytes, bytes | bytearray]
_WIRE: Final = wire.CONTENT_TYPE.encode()
_TEXT: Final = b"text/plain; charset=utf-8"
_SHUTDOWN_S: Final = 5


class ClientLeft(Exception):  # noqa: N818 - what happened, not an error
    """The caller closed its connection before the answer."""


class StageService:
    """The ASGI application of one service.

    Args:
        loaded: the stages it hosts.
        policy: the batching, and the most members that may be in one stage's queue.
    """

    def __init__(self, loaded: Loaded, policy: ServingPolicy) -> None:
        self._calls = StageCalls(loaded, policy)
        self._bound = policy.queue_bound
        self._inside = dict.fromkeys((*loaded.compute, *loaded.io), 0)

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Answer one exchange; a caller that leaves takes its waiting members with it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            status, kind, body = await self._answer(scope["path"], scope["method"], receive)
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
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._calls.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, path: str, method: str, receive: Receive) -> _Reply:
        if path in (HEALTH_PATH, READY_PATH):
            return 200, _TEXT, b"ready\n"  # it listens only once its stages are loaded
        stage = path.removeprefix(STAGE_PREFIX)
        if stage not in self._inside:
            hosted = ", ".join(STAGE_PREFIX + name for name in self._inside)
            raise Problem("not-found", 404, f"There is nothing at {path}, only {hosted}.")
        if method != "POST":
            raise Problem("method-not-allowed", 405, f"{path} takes POST, not {method}.")
        calls = _decode(await _read(receive))
        with self._admitted(stage, len(calls)):
            replies = await self._run(stage, calls, receive)
        return 200, _WIRE, wire.encode_replies(replies)

    @contextmanager
    def _admitted(self, stage: str, count: int) -> Iterator[None]:
        """Hold places in a stage's queue; a gateway that keeps its own bound never fills it."""
        if self._inside[stage] + count > self._bound:
            raise Problem(
                "overloaded", 503, f"Stage {stage} has {self._bound} places, too few for {count}."
            )
        self._inside[stage] += count
        try:
            yield
        finally:
            self._inside[stage] -= count

    async def _run(
        self, stage: str, calls: Sequence[Inputs], receive: Receive
    ) -> list[StageResult | Problem]:
        """Run the calls of one message; if the caller leaves, those still waiting are dropped."""
        futures = [self._calls.call(stage, inputs) for inputs in calls]
        settled = asyncio.gather(*futures, return_exceptions=True)
        watcher = asyncio.ensure_future(_disconnect(receive))
        watcher.add_done_callback(lambda _: settled.cancel())
        try:
            return _replies(stage, await settled)
        except asyncio.CancelledError:
            if not watcher.done() or watcher.cancelled():
                raise
            raise ClientLeft from None
        finally:
            watcher.cancel()


def _replies(
    stage: str, results: Sequence[StageResult | BaseException]
) -> list[StageResult | Problem]:
    """What became of each member; a failure that a whole batch shares is logged once."""
    failed = Problem("stage-failed", 500, f"Stage {stage} failed; its service's log says why.")
    replies: list[StageResult | Problem] = []
    logged: BaseException | None = None
    for result in results:
        if isinstance(result, StageResult | Problem):
            replies.append(result)
            continue
        if result is not logged:
            _LOG.error("stage %s failed", stage, exc_info=result)
            logged = result
        replies.append(failed)
    return replies


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientLeft
        chunks.append(event["body"])
        more = event["more_body"]
    return b"".join(chunks) if len(chunks) > 1 else chunks[0]


def _decode(message: bytes) -> list[dict[str, Any]]:
    try:
        return wire.decode_calls(message)
    except wire.WireError as error:
        raise Problem("bad-message", 400, str(error)) from error


def load_service(config: ServerConfig) -> StageService:
    """Load the stages that this process's role hosts."""
    ensemble = load_ensemble(config.ensemble)
    policy = config.policy
    services = {service.name: service for service in lay_out(ensemble, config.options).services}
    stages = services[config.role].stages
    loaded = load_stages(ensemble, config.ensemble, stages, policy.torch_threads)
    if config.options["message"] == "batch":
        policy = replace(policy, batch_wait_s=0.0)  # the gateway has waited already
    return StageService(loaded, policy)


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
