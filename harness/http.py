"""A plain HTTP client for the harness's own questions; never used to measure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

# A proxy in the environment must not stand between us and a loopback port.
_OPENER: OpenerDirector = build_opener(ProxyHandler({}))
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as a JSON value.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)


def ask(
    url: str,
    body: bytes | None = None,
    media_type: str = "",
    timeout_s: float = _PATIENCE_S,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Reply:
    """GET, or POST where there is a body.

    Raises:
        OSError: there was no whole answer in time.
    """
    sent = {**headers, **({"Content-Type": media_type} if media_type else {})}
    request = Request(url, data=body, headers=sent)  # noqa: S310 - http(s), from a scenario
    try:
        return _exchange(request, timeout_s)
    except HTTPException as error:
        raise OSError(f"{url} does not speak HTTP: {error!r}") from error


def ask_with_headers(
    url: str, body: bytes, media_type: str, headers: Mapping[str, str]
) -> tuple[Reply, Message]:
    """POST, and the answer's headers too.

    Raises:
        OSError: there was no whole answer in time.
    """
    sent = {**headers, "Content-Type": media_type}
    request = Request(url, data=body, headers=sent)  # noqa: S310 - http(s), from a scenario
    try:
        with _OPENER.open(request, timeout=_PATIENCE_S) as reply:
            return Reply(reply.status, reply.read()), reply.headers
    except HTTPError as error:
        return Reply(error.code, error.read()), error.headers
    except HTTPException as error:
        raise OSError(f"{url} does not speak HTTP: {error!r}") from error


def _exchange(request: Request, timeout_s: float) -> Reply:
    try:
        with _OPENER.open(request, timeout=timeout_s) as reply:
            return Reply(reply.status, reply.read())
    except HTTPError as error:
        return Reply(error.code, error.read())
