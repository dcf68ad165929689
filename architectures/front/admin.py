"""The admin API: what an operator may do to a running ensemble, behind a key of its own."""

import hmac
import logging
import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic_core import from_json

from architectures.backends import ADMIN_KEY_VARIABLE
from architectures.contract import ADMIN_KEY_HEADER, ADMIN_PREFIX, Problem
from architectures.front.refusal import problem_response, unexpected
from architectures.front.reply import encode, request_id_of
from architectures.plugin import Admin

MAX_ADMIN_BODY_BYTES = 1024 * 1024

_HINTS = {401: {"WWW-Authenticate": f'ApiKey header="{ADMIN_KEY_HEADER}"'}}
_LOG = logging.getLogger("servebench.admin")


def add_admin_routes(app: FastAPI, admin: Admin) -> None:
    """Add ``POST /v1/admin/<action>`` for an ensemble's actions."""

    async def act(request: Request, action: str) -> Response:
        request_id = request_id_of(request.scope["headers"])
        try:
            check_key(request.headers.get(ADMIN_KEY_HEADER))
            _check_action(action, admin)
            document = encode(await admin.act(action, await _body(request)))
        except Problem as problem:
            return problem_response(request_id, problem, _HINTS.get(problem.status))
        except Exception:  # noqa: BLE001 - whatever failed, the operator gets a problem
            _LOG.exception("admin action %s of request %s failed", action, request_id)
            return problem_response(request_id, unexpected(request_id))
        return Response(document, media_type="application/json")

    app.post(ADMIN_PREFIX + "{action}", include_in_schema=False)(act)


def check_key(given: str | None) -> None:
    """Compare a key's digest with the one this process was started with, in constant time.

    Raises:
        Problem: 403 where the admin API is shut, 401 where the key is missing or another.
    """
    digest = os.environ.get(ADMIN_KEY_VARIABLE)
    if not digest:
        raise Problem("admin-shut", 403, f"The admin API is shut: {ADMIN_KEY_VARIABLE} is not set.")
    if given is None or not hmac.compare_digest(sha256(given.encode()).hexdigest(), digest):
        raise Problem(
            "bad-admin-key", 401, f"Send the admin key in {ADMIN_KEY_HEADER}; this is not it."
        )


def _check_action(action: str, admin: Admin) -> None:
    if action not in admin.actions:
        known = ", ".join(admin.actions)
        raise Problem("no-such-action", 404, f"There is no such action; there are {known}.")


async def _body(request: Request) -> Mapping[str, Any]:
    """A JSON object; an empty body is an empty one."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_ADMIN_BODY_BYTES:
            raise Problem(
                "body-too-large", 413, f"A body may have {MAX_ADMIN_BODY_BYTES} bytes at most."
            )
        chunks.append(chunk)
    try:
        # Refuses NaN, half surrogate pairs and endless nesting, which the standard library takes.
        document = from_json(b"".join(chunks) or b"{}", allow_inf_nan=False)
    except ValueError as error:
        raise Problem("not-json", 400, "The body is no JSON; send a JSON object.") from error
    if not isinstance(document, dict):
        raise Problem("not-an-object", 400, "The body is JSON, but not an object; send an object.")
    return document
