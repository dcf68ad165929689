"""The model card: held-out figures as JSON beside the weights, and as a page for people."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from architectures.ensemble import describe, weights
from architectures.ensemble.evaluate import Figures, evaluate
from architectures.ensemble.graphs import MODELS


def write(tier: str, training: dict[str, Any]) -> Figures:
    """Evaluate a tier and put its figures beside its weights."""
    figures = evaluate(tier)
    card = {
        "tier": tier,
        "weights_digest": describe(tier).weights_digest,
        "training": training,
        "file_bytes": {name: weights.path(tier, name).stat().st_size for name in MODELS},
        "held_out": asdict(figures),
    }
    path(tier).write_text(json.dumps(card, indent=2) + "\n")
    return figures


def read(tier: str) -> dict[str, Any]:
    """The card of a tier."""
    card: dict[str, Any] = json.loads(path(tier).read_text())
    return card


def path(tier: str) -> Path:
    """Where a tier's card lies."""
    return weights.path(tier, "card").with_suffix(".json")
