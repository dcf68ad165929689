"""Score vectors as words: the tags that answers carry, their schema, and how right they are."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from architectures.ensemble.attributes import ATTRIBUTES, SCORE_SLICES
from architectures.ensemble.types import Floats

DIGITS = 6
"""Digits of the numbers in answers: what a batch's rounding may change lies below most of them."""

SHARE_SCHEMA: Mapping[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


TAGS_SCHEMA: Mapping[str, Any] = object_schema(
    {
        kind: object_schema({"value": {"enum": list(names)}, "score": SHARE_SCHEMA})
        for kind, names in ATTRIBUTES.items()
    }
)
"""JSON Schema of what :func:`tags` gives."""

NAMES_SCHEMA: Mapping[str, Any] = object_schema(
    {kind: {"enum": list(names)} for kind, names in ATTRIBUTES.items()}
)
"""JSON Schema of what :func:`names` gives."""


def tags(scores: Floats) -> dict[str, dict[str, Any]]:
    """Kind -> its likeliest value and that value's score, from a score vector ``(SCORES,)``."""
    return {kind: tag(kind, scores[part]) for kind, part in SCORE_SLICES.items()}


def tag(kind: str, odds: Floats) -> dict[str, Any]:
    """The likeliest value of one kind and its score, from the kind's own scores."""
    best = int(np.argmax(odds))
    return {"value": ATTRIBUTES[kind][best], "score": rounded(odds[best])}


def names(scores: Floats) -> dict[str, str]:
    """Kind -> its likeliest value."""
    return {kind: str(found["value"]) for kind, found in tags(scores).items()}


def right(found: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:
    """Kind -> 1 where the value is the label's, else 0; of the kinds found."""
    return {
        kind: float((tag["value"] if isinstance(tag, Mapping) else tag) == label[kind])
        for kind, tag in found.items()
    }


def rounded(value: float | np.floating[Any]) -> float:
    """A number as answers carry it."""
    return round(float(value), DIGITS)
