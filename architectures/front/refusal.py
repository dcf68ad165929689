"""A problem as a response of the routes beside the doors."""

from collections.abc import Mapping

from fastapi.responses import Response

from architectures.contract import PROBLEM_MEDIA_TYPE, REQUEST_ID_HEADER, Problem
from architectures.front.reply import encode_problem


def unexpected(request_id: str) -> Problem:
    """What a client is told of a failure of the server's own: where to look, and nothing else."""
    return Problem(
        "internal-error",
        500,
        f"The server failed on this request; its log has the cause under {request_id}.",
    )


def problem_response(
    request_id: str, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a request with a problem."""
    return Response(
        encode_problem(problem, request_id),
        problem.status,
        {**(headers or {}), REQUEST_ID_HEADER: request_id},
        PROBLEM_MEDIA_TYPE,
    )
