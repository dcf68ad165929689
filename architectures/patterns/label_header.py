"""The true label beside a request: feedback that arrives at once.

A replayed load cannot echo what a learner answered: its bodies are frozen before the first answer.
So the truth may come with the request, in a header that no stage before the answer reads, and the
learner is told of it in a detached node after the answer is sent: as where a user's click follows
the answer immediately. Feedback that comes later is ``POST /v1/feedback``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from architectures.contract import Problem
from architectures.ensemble.attributes import ATTRIBUTES
from architectures.plugin import Example

LABEL_HEADER = "x-label"
"""``category=shoe; colour=red; pattern=plain``."""


def with_label(example: Example) -> Example:
    """An example that carries its own label."""
    text = "; ".join(f"{kind}={example.label[kind]}" for kind in ATTRIBUTES)
    return replace(example, headers={**example.headers, LABEL_HEADER: text})


def label_in(headers: Mapping[str, str]) -> dict[str, str] | None:
    """The label that came with a request; None where none did.

    Raises:
        Problem: ``bad-label`` (422), the header is there and says something else.
    """
    text = headers.get(LABEL_HEADER)
    if text is None:
        return None
    parts = (part.partition("=") for part in text.split(";"))
    return checked_label({kind.strip(): value.strip() for kind, _, value in parts})


def checked_label(label: Mapping[str, Any]) -> dict[str, str]:
    """A label that names a value of every kind.

    Raises:
        Problem: ``bad-label`` (422).
    """
    for kind, names in ATTRIBUTES.items():
        if label.get(kind) not in names:
            raise Problem(
                "bad-label", 422, f"The label lacks a known {kind}; one of {', '.join(names)}."
            )
    if len(label) != len(ATTRIBUTES):
        raise Problem("bad-label", 422, f"A label names {', '.join(ATTRIBUTES)} and nothing else.")
    return {kind: str(label[kind]) for kind in ATTRIBUTES}
