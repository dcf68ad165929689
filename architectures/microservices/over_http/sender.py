"""The gateway's end of an HTTP hop: aiohttp, over connections that stay open."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from architectures import wire
from architectures.contract import MAX_TIMEOUT_S, READY_PATH, Problem
from architectures.graph import Inputs
from architectures.microservices.hop import Reply, Transport, Unreachable
from architectures.microservices.layout import Service
from architectures.microservices.over_http import STAGE_PREFIX
from architectures.server_config import ServerConfig
from architectures.spec import ServingPolicy

_HEADERS: Final = {"Content-Type": wire.CONTENT_TYPE}
_READ_BUFFER_BYTES: Final = 4 * 1024 * 1024  # a reply of tensors is read without pausing
_QUOTED_BYTES: Final = 200


@asynccontextmanager
async def transports(
    config: ServerConfig, services: Sequence[Service]
) -> AsyncIterator[Mapping[str, Transport]]:
    """Transports by their service's name; ``config.peers`` has the URLs."""
    async with open_session(config.policy) as session:
        yield {s.name: HttpTransport(config.peers[s.name], session) for s in services}


def open_session(policy: ServingPolicy) -> ClientSession:
    """The connections of this process to all services, kept open between calls.

    An idle one is dropped well before the service would drop it: a call that met a closing
    connection would fail for nothing.
    """
    return ClientSession(
        connector=TCPConnector(limit=0, keepalive_timeout=policy.keep_alive_s / 2),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=_READ_BUFFER_BYTES,
        timeout=ClientTimeout(total=MAX_TIMEOUT_S),
    )


class HttpTransport:
    """Messages to one service.

    Args:
        url: of the service, without a path.
        session: shared by all hops of the process.
    """

    def __init__(self, url: str, session: ClientSession) -> None:
        self._url = url
        self._session = session

    async def exchange(self, stage: str, calls: Sequence[Inputs], ends_ns: int) -> Sequence[Reply]:  # noqa: ARG002 - a message given up closes its connection
        """Post one message and read its replies; see ``Transport``."""
        url = self._url + STAGE_PREFIX + stage
        # A view: the client slices its body, and a sliced bytearray is a copy.
        message = memoryview(wire.encode_calls(calls))
        try:
            async with self._session.post(url, data=message, headers=_HEADERS) as response:
                answer = await response.read()
        except (ClientError, TimeoutError) as error:
            raise Unreachable(f"no answer from {url}: {error!r}") from error
        if response.status == HTTPStatus.OK:
            return wire.decode_replies(answer)
        said = answer[:_QUOTED_BYTES].decode(errors="replace")
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise Problem("overloaded", 503, said)
        raise wire.WireError(f"{url} answered {response.status}: {said}")

    async def is_ready(self) -> bool:
        """Whether the service says that it can answer."""
        try:
            async with self._session.get(self._url + READY_PATH) as response:
                return response.status == HTTPStatus.OK
        except (ClientError, TimeoutError):
            return False
