"""Feature engineering: what the model saw, the catalogue says and the store keeps, side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.ensemble.types import Floats
from architectures.graph import Inputs, Outputs
from architectures.patterns.tags import rounded, tags


def engineer_items(batch: Sequence[Inputs]) -> list[Outputs]:
    """``scores``, ``box``, ``category``, ``price_cents``, ``features`` to ``tags``, ``derived``."""
    return [_engineered(member) for member in batch]


def _engineered(member: Inputs) -> Outputs:
    found = tags(member["scores"])
    features: Mapping[str, float] = member["features"]
    derived: dict[str, Any] = {
        "coverage": rounded(_area(member["box"])),
        "certainty": rounded(min(tag["score"] for tag in found.values())),
        "mismatch": found["category"]["value"] != member["category"],
        "price_ratio": rounded(member["price_cents"] / max(features["usual_price_cents"], 1.0)),
        # Laplace's rule of succession: a product nobody has seen yet is no certain failure.
        "conversion": rounded((features["orders"] + 1) / (features["views"] + 2)),
    }
    return {"tags": found, "derived": derived}


def _area(box: Floats) -> float:
    """Share of the image inside a box, xyxy shares."""
    sides = np.asarray(box[2:], np.float64) - np.asarray(box[:2], np.float64)
    return float(np.prod(np.maximum(sides, 0.0)))
