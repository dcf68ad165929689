"""Drift on purpose: from a moment on, some categories have each other's names.

It is planted at the doors and not in the payloads, which are drawn before a run and sent in an
order without a moment in it: labels of feedback are renamed as they come in, and every answer says
in ``renamed`` which truth was in force where it was made, so that it can be judged alone. The
frozen head is then wrong on every image of a renamed category, and the features that it reads still
tell them apart: what is lost can be learnt back, all of it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from architectures.patterns.online_weights.names import DRIFT
from architectures.state import Published, Store


def plant(store: Store, pairs: Iterable[tuple[str, str]]) -> Published:
    """Let pairs of categories have each other's names from now on; no pair ends the drift.

    Raises:
        ValueError: a category stands in two pairs, or with itself.
    """
    renamed: dict[str, str] = {}
    for one, other in pairs:
        if one == other or {one, other} & renamed.keys():
            raise ValueError(f"{one} and {other}: a category can be in one pair, with another")
        renamed |= {one: other, other: one}
    return store.publish(DRIFT, json.dumps(renamed).encode())


def renamed_in(published: Published | None) -> dict[str, str]:
    """Category -> what it is called now, of those that have another name."""
    return json.loads(published.blob) if published else {}


def true_label(renamed: Mapping[str, str], label: Mapping[str, Any]) -> dict[str, Any]:
    """A label as the drifted world has it."""
    if "category" not in label:
        return dict(label)
    return {**label, "category": renamed.get(label["category"], label["category"])}
