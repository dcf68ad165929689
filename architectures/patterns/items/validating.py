"""Reading the headers of an item: pydantic says what may come in, nothing sent is repeated."""

from collections.abc import Sequence
from time import monotonic_ns
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from architectures.contract import API_KEY_HEADER, MAX_TIMEOUT_S, TIMEOUT_HEADER, Problem
from architectures.graph import Inputs, Outputs
from architectures.patterns.items import keys
from architectures.patterns.items.graph import PRODUCT_HEADER

_SKU = r"^[A-Z0-9][A-Z0-9-]{0,31}$"


class ItemHeaders(BaseModel):
    """The headers of an item; the door has already held the timeout to the contract."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    sku: Annotated[str, StringConstraints(pattern=_SKU)]
    timeout_s: Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)] | None


def validate_items(batch: Sequence[Inputs]) -> list[Outputs | Problem]:
    """``headers`` to ``well_formed``, ``key_id``, ``key_sha256``, ``sku`` and ``due_ns``.

    ``due_ns`` is the reading of CLOCK_MONOTONIC at which the caller gives up, one clock for every
    process of a machine; None where the caller did not say.
    """
    return [_validated(member["headers"]) for member in batch]


def _validated(headers: dict[str, Any]) -> Outputs | Problem:
    key = keys.digest(headers.get(API_KEY_HEADER.lower(), ""))
    if key is None:
        return unknown_key()
    try:
        read = ItemHeaders(
            sku=headers.get(PRODUCT_HEADER.lower(), ""),
            timeout_s=headers.get(TIMEOUT_HEADER.lower()),
        )
    except ValidationError as error:
        return _malformed(error.errors()[0]["loc"][0])
    due_ns = None if read.timeout_s is None else monotonic_ns() + int(read.timeout_s * 1e9)
    return {"well_formed": True, **key._asdict(), "sku": read.sku, "due_ns": due_ns}


def unknown_key() -> Problem:
    """One answer to a key that is missing, malformed or wrong: it tells a guesser nothing."""
    return Problem(
        "unknown-key",
        401,
        f"Send a tenant's key in {API_KEY_HEADER}; the one sent, if any, is not known.",
    )


def _malformed(field: int | str) -> Problem:
    words = {
        "sku": f"{PRODUCT_HEADER} must be a SKU of yours: at most 32 of A-Z, 0-9 and -.",
        "timeout_s": f"{TIMEOUT_HEADER} must be above 0 and at most {MAX_TIMEOUT_S:g} seconds.",
    }
    return Problem("malformed-header", 400, words[str(field)])
