"""What a malformed feedback or admin body is answered with."""

from pydantic import ValidationError

from architectures.contract import Problem

_LONGEST = 60
"""Characters of a field's name that are repeated: the client chose it, and it may be megabytes."""


def malformed(error: ValidationError, meant: str) -> Problem:
    """A 422 that says which field is wrong, how, and what would have been right.

    Args:
        error: of the body's model; what the client sent is not repeated.
        meant: a body that is right.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))[:_LONGEST]
    where = f"{field}: " if field else ""
    return Problem("malformed-feedback", 422, f"{where}{first['msg']}; send {meant}.")
