"""Business logic around a model: ``POST /v1/catalog/items``.

A tenant sends a product's photograph. Key, product, features, an external moderation verdict and
the model's tags meet in one row of the catalogue. ``docs/patterns/business_logic.md`` says what
happens where a part is slow or down.
"""

from collections.abc import Mapping
from typing import Any

from architectures.graph import Graph, IoStage, Stage
from architectures.patterns.items import demo
from architectures.patterns.items.graph import ITEMS, STAGES
from architectures.patterns.tags import right
from architectures.plugin import Example

__all__ = ["GRAPHS", "STAGES", "load_stage", "request", "score"]

GRAPHS: Mapping[str, Graph] = {ITEMS.name: ITEMS}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``, the same in every tier; connections wait for its first call.

    Raises:
        KeyError: no such stage.
        BackendError: an environment variable cannot be meant.
    """
    # SQLAlchemy and its kin are for those who serve, not for those who only name graphs.
    from architectures.patterns.items.stages import load

    return load(name)


def request(graph: str, example: Example) -> Example:  # noqa: ARG001 - as all rooms
    """An example as a demo tenant sends it: its key and one of its products in the headers."""
    return demo.request(example)


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each right tag."""
    return right(document["tags"], label)
