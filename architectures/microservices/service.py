"""One stage service: ``POST /stages/<stage>`` takes calls and answers what became of each.

Raw ASGI, because an internal hop with one path needs no routing, validation or dependencies.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from architectures import contract, server_config, wire
from architectures.contract import Problem
from architectures.graph import Inputs, Stage, StageResult
from architectures.microbatch import StageExecutor
from architectures.microservices.layout import lay_out
from architectures.microservices.serving import serve
from architectures.plugin import load_ensemble
from architectures.spec import ServingPolicy

Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]

STAGE_PREFIX: Final = "/stages/"

_Reply: TypeAlias = tuple[int, bytes, bytes | bytearray]
_WIRE: Final = wire.CONTENT_TYPE.encode()
_TEXT: Final = b"text/plain; charset=utf-8"


class ClientLeft(Exception):  # noqa: N818 - what happened, not an error
    """The caller closed its connection before the answer."""


class StageService:
    """The ASGI application of one service.

    Args:
        stages: what it hosts, loaded.
        policy: the batching of every architecture, and the bound of the queue.
    """

    def __init__(self, stages: Mapping[str, Stage], policy: ServingPolicy) -> None:
        self._stages = frozenset(stages)
        self._executor = StageExecutor(stages, policy)
        self._bound = policy.queue_bound
        self._inside = dict.fromkeys(stages, 0)

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Answer one exchange; a caller that leaves takes its waiting members with it."""
        try:
            status, content_type, body = await self._answer(scope["path"], scope["method"], receive)
        except ClientLeft:
            return
        except Problem as problem:
            status, content_type = problem.status, _TEXT
            body = problem.detail.encode()
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, path: str, method: str, receive: Receive) -> _Reply:
        if path in (contract.HEALTH_PATH, contract.READY_PATH):
            return 200, _TEXT, b"ready\n"
        stage = path.removeprefix(STAGE_PREFIX)
        if stage not in self._stages:
            raise Problem("not-found", 404, f"{path}: stages here are {sorted(self._stages)}")
        if method != "POST":
            raise Problem("method-not-allowed", 405, f"{path} takes POST, not {method}")
        calls = _decode(await _read(receive))
        with self._admitted(stage, len(calls)):
            replies = await self._run(stage, calls, receive)
        return 200, _WIRE, wire.encode_replies(replies)

    @contextmanager
    def _admitted(self, stage: str, count: int) -> Iterator[None]:
        """Hold places in a stage's bounded queue; a gateway that obeys its own bound never asks."""
        if self._inside[stage] + count > self._bound:
            raise Problem("overloaded", 503, f"{stage}: {self._bound} members wait already")
        self._inside[stage] += count
        try:
            yield
        finally:
            self._inside[stage] -= count

    async def _run(
        self, stage: str, calls: Sequence[Inputs], receive: Receive
    ) -> list[StageResult | Problem]:
        """Run the calls of one message; those still waiting are dropped if the caller leaves."""
        futures = [self._executor.call(stage, inputs) for inputs in calls]
        settled = asyncio.gather(*futures, return_exceptions=True)
        watcher = asyncio.ensure_future(_disconnect(receive))
        watcher.add_done_callback(lambda _: settled.cancel())
        try:
            return [_reply(stage, result) for result in await settled]
        except asyncio.CancelledError:
            if watcher.cancelled() or not watcher.done():
                raise
            raise ClientLeft from None
        finally:
            watcher.cancel()

    def close(self) -> None:
        """End the running batch and stop."""
        self._executor.close()


def _reply(stage: str, result: StageResult | BaseException) -> StageResult | Problem:
    if isinstance(result, StageResult | Problem):
        return result
    return Problem("stage-failed", 500, f"Stage {stage} failed; its service's log says why.")


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


def main() -> None:
    """Load the stages of this process's role and serve them."""
    config = server_config.from_environment()
    ensemble = load_ensemble(config.ensemble)
    layout = lay_out(ensemble, config.options)
    choice, policy = config.ensemble, config.policy
    (names,) = (service.stages for service in layout.services if service.name == config.role)
    stages = {
        name: ensemble.load_stage(name, choice.tier, choice.device, policy.torch_threads)
        for name in names
    }
    service = StageService(stages, policy)
    serve(service, config.port, policy, lifespan=False)
    service.close()


if __name__ == "__main__":
    main()
