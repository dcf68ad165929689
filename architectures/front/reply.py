"""Request headers in, answer and problem headers out: bytes as ASGI carries them."""

import re
import secrets
from collections.abc import Iterable
from typing import Any, TypeAlias

from pydantic_core import to_json

from architectures.contract import MAX_TIMEOUT_S, TIMEOUT_HEADER, Problem

RawHeaders: TypeAlias = Iterable[tuple[bytes, bytes]]

REQUEST_ID_KEY = b"x-request-id"
TIMEOUT_KEY = TIMEOUT_HEADER.lower().encode()

_SANE_ID = re.compile(rb"[\w.:/+=@-]{1,128}")
_SECONDS = re.compile(rb"\d{1,9}(\.\d{1,9})?")


def encode(document: Any) -> bytes:
    """Compact JSON, in a fifth of the standard library's time; a NaN is sent as null."""
    return to_json(document, inf_nan_mode="null")


def encode_problem(problem: Problem, request_id: str) -> bytes:
    """A problem's JSON, in which nothing that a client sent can be taken for markup.

    Its detail may quote a header or a body: half a surrogate pair, which no UTF-8 can say, is a
    question mark, and no ``<`` stands as it is.
    """
    document = problem.document(request_id)
    document["detail"] = problem.detail.encode("utf-8", "replace").decode()
    return encode(document).replace(b"<", b"\\u003c")


def request_id_of(headers: RawHeaders) -> str:
    """The caller's request id if it is short and plain, else a new one."""
    for name, value in headers:
        if name == REQUEST_ID_KEY:
            return sane_request_id(value)
    return secrets.token_hex(8)


def sane_request_id(given: bytes | None) -> str:
    """The id given if it may be echoed and logged as it is, else a new one."""
    if given is not None and _SANE_ID.fullmatch(given):
        return given.decode("ascii")
    return secrets.token_hex(8)


def timeout_s_of(given: bytes | None, default_s: float) -> float:
    """How long this request may take.

    Raises:
        Problem: 400, the header is not a positive number of seconds.
    """
    if given is None:
        return default_s
    if not _SECONDS.fullmatch(given) or (seconds := float(given)) <= 0:
        raise Problem(
            "bad-timeout",
            400,
            f"{TIMEOUT_HEADER} must be a positive decimal number of seconds, for example 2.5; "
            f"it is capped at {MAX_TIMEOUT_S:g}.",
        )
    return min(seconds, MAX_TIMEOUT_S)
