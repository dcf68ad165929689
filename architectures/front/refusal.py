"""A problem as a response of the routes beside the doors."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import JSONResponse

from architectures.contract import PROBLEM_MEDIA_TYPE, REQUEST_ID_HEADER, Problem
from architectures.front.reply import request_id_of


def problem_response(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Answer a request with a problem."""
    request_id = request_id_of(request.scope["headers"])
    return JSONResponse(
        problem.document(request_id),
        problem.status,
        {**(headers or {}), REQUEST_ID_HEADER: request_id},
        PROBLEM_MEDIA_TYPE,
    )
