"""One graph's entrance: from raw request to raw answer.

A plain ASGI endpoint: FastAPI's per-request dependency and response handling would cost every
architecture a tenth of a millisecond, and none of it is used here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter_ns
from typing import Any, TypeAlias

from starlette.types import Receive, Scope, Send

from architectures.contract import (
    API_KEY_HEADER,
    PROBLEM_MEDIA_TYPE,
    RETRY_AFTER_S,
    Problem,
    format_server_timing,
)
from architectures.front.admission import Admission
from architectures.front.aside import Aside
from architectures.front.body import BodyTooLarge, ClientLeft, linger, read_body
from architectures.front.leash import Leash
from architectures.front.metrics import FrontMetrics
from architectures.front.refusal import unexpected
from architectures.front.reply import (
    REQUEST_ID_KEY,
    TIMEOUT_KEY,
    encode,
    encode_problem,
    sane_request_id,
    timeout_s_of,
)
from architectures.graph import Graph, Inputs
from architectures.walk import After, Answer

Run: TypeAlias = Callable[[Graph, Inputs], Awaitable[Answer]]
"""How a wiring runs one request through a graph; cancelled when nobody waits for it any more."""

_LOG = logging.getLogger("servebench.front")
_JSON_HEADER = (b"content-type", b"application/json")
_PROBLEM_HEADER = (b"content-type", PROBLEM_MEDIA_TYPE.encode())
_CLIENT_LEFT_STATUS = 499

_Reply: TypeAlias = tuple[int, list[tuple[bytes, bytes]], bytes]


class Door:
    """The ASGI endpoint of one graph."""

    def __init__(
        self,
        graph: Graph,
        run: Run,
        admission: Admission,
        metrics: FrontMetrics,
        *,
        media_types: Sequence[str],
        deadline_s: float,
        aside: Aside,
    ) -> None:
        self._graph = graph
        self._media_types = {name.encode(): name for name in media_types}
        self._run = run
        self._admission = admission
        self._metrics = metrics
        self._deadline_s = deadline_s
        self._aside = aside
        self._headers = {name.encode(): name for name in graph.endpoint.headers}
        self._hints = {
            401: (b"www-authenticate", f'ApiKey header="{API_KEY_HEADER}"'.encode()),
            405: (b"allow", b"POST"),
            413: (b"connection", b"close"),
            415: (b"accept-post", ", ".join(media_types).encode()),
            503: (b"retry-after", str(RETRY_AFTER_S).encode()),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every way it can end is counted once."""
        started_ns = perf_counter_ns()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = sane_request_id(headers.get(REQUEST_ID_KEY))
        body_unread = False
        after: After | None = None
        try:
            reply, after = await self._answer(scope["method"], headers, receive, started_ns)
        except Problem as problem:
            body_unread = isinstance(problem, BodyTooLarge)
            reply = self._refusal(problem, request_id)
        except ClientLeft:
            self._count_client_left(started_ns)
            return
        except asyncio.CancelledError:
            # A server in front that watches its clients itself (Serve's does) cancels outright.
            self._count_client_left(started_ns)
            raise
        except Exception:  # noqa: BLE001 - whatever failed, the client gets a problem
            _LOG.exception("request %s to %s failed", request_id, self._graph.name)
            reply = self._refusal(unexpected(request_id), request_id)
        await self._send(reply, request_id, started_ns, send, more=body_unread)
        if body_unread:
            await linger(receive)
            await send({"type": "http.response.body", "body": b""})
        if after is not None:
            self._aside.start(self._graph.name, after)

    async def _send(
        self, reply: _Reply, request_id: str, started_ns: int, send: Send, *, more: bool
    ) -> None:
        """Send a reply; a body that was too large is still on its way, and is waited out after."""
        status, extra, body = reply
        self._metrics.answered(self._graph.name, status, perf_counter_ns() - started_ns)
        extra.append((b"content-length", b"%d" % len(body)))
        extra.append((REQUEST_ID_KEY, request_id.encode()))
        await send({"type": "http.response.start", "status": status, "headers": extra})
        await send({"type": "http.response.body", "body": body, "more_body": more})

    def _count_client_left(self, started_ns: int) -> None:
        self._metrics.answered(
            self._graph.name, _CLIENT_LEFT_STATUS, perf_counter_ns() - started_ns
        )

    async def _answer(
        self, method: str, headers: dict[bytes, bytes], receive: Receive, started_ns: int
    ) -> tuple[_Reply, After | None]:
        if method != "POST":
            raise Problem("method-not-allowed", 405, f"This path takes POST, not {method}.")
        timeout_s = timeout_s_of(headers.get(TIMEOUT_KEY), self._deadline_s)
        media_type = self._media_type(headers.get(b"content-type", b""))
        with self._admission, Leash(timeout_s) as leash:
            body = await read_body(receive, headers.get(b"content-length"))
            leash.watch(receive)
            request: dict[str, Any] = {"body": body, "media_type": media_type}
            if self._headers:
                request["headers"] = self._sent(headers)
            answer = await self._run(self._graph, request)
        document = encode(answer.document)
        timing = format_server_timing(answer.timings, perf_counter_ns() - started_ns)
        reply = 200, [_JSON_HEADER, (b"server-timing", timing.encode())], document
        return reply, answer.after

    def _sent(self, headers: dict[bytes, bytes]) -> dict[str, str]:
        """Of the headers the graph reads, those that were sent."""
        return {
            name: headers[key].decode("latin-1")
            for key, name in self._headers.items()
            if key in headers
        }

    def _media_type(self, given: bytes) -> str:
        name = self._media_types.get(given) or self._media_types.get(
            given.partition(b";")[0].strip().lower()
        )
        if name is None:
            raise Problem(
                "unsupported-media-type",
                415,
                f"Content-Type must be one of {', '.join(self._media_types.values())}.",
            )
        return name

    def _refusal(self, problem: Problem, request_id: str) -> _Reply:
        hint = self._hints.get(problem.status)
        headers = [_PROBLEM_HEADER, hint] if hint else [_PROBLEM_HEADER]
        return problem.status, headers, encode_problem(problem, request_id)
