"""The model card: held-out figures as JSON beside the weights, and as a page for people.

``python -m architectures.ensemble.model_card`` computes every tier's figures anew and fails where
they differ from the card.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from architectures.ensemble import describe, weights
from architectures.ensemble.attributes import ATTRIBUTES
from architectures.ensemble.evaluate import HELD_OUT, Figures, evaluate
from architectures.ensemble.graphs import MODELS
from architectures.ensemble.tiers import BY_NAME

FLOOR = {"category": 0.99, "colour": 0.99, "pattern": 0.93, "mean_iou": 0.90, "caption": 0.85}
"""The least a shipped tier may score on its held-out images."""

PAGE = Path(__file__).parents[2] / "docs" / "model_card.md"
_DRIFT = 0.001
"""Two images of 2,000: what another processor's rounding may change."""


def tiers() -> list[str]:
    """The tiers whose weights ship, and so have a card."""
    return [tier for tier in BY_NAME if path(tier).exists()]


def path(tier: str) -> Path:
    """Where a tier's card lies."""
    return weights.path(tier, "card").with_suffix(".json")


def read(tier: str) -> dict[str, Any]:
    """The card of a tier."""
    card: dict[str, Any] = json.loads(path(tier).read_text())
    return card


def write(tier: str, training: Mapping[str, Any]) -> Figures:
    """Evaluate a tier, put its figures beside its weights and renew the page."""
    figures = evaluate(tier)
    card = {
        "tier": tier,
        "weights_digest": describe(tier).weights_digest,
        "training": dict(training),
        "file_bytes": {name: weights.path(tier, name).stat().st_size for name in MODELS},
        "held_out": asdict(figures),
    }
    path(tier).write_text(json.dumps(card, indent=2) + "\n")
    PAGE.write_text(page())
    return figures


def differences(card: Mapping[str, Any], found: Figures) -> list[str]:
    """Where figures computed anew contradict a card, in words; empty if nowhere.

    Figures of all the card's images may differ by two images. Those of fewer may differ by four
    standard errors of a share, or of a mean in [0, 1], of so many images.
    """
    told = card["held_out"]
    lines = []
    for name in (*FLOOR, "keypoint_error"):
        value = float(getattr(found, name))
        room = _DRIFT
        if found.count != told["count"]:
            room = 4 * math.sqrt(max(told[name] * (1 - told[name]), 0.001) / found.count)
        if abs(value - told[name]) > room:
            lines.append(f"{card['tier']}: {name} is {value}, the card says {told[name]}")
    return lines


def page() -> str:
    """The page, from the cards alone."""
    return _HEAD + "".join(_section(read(tier)) for tier in tiers())


def _section(card: Mapping[str, Any]) -> str:
    told = card["held_out"]
    rows = [f"| {name} | {told[name]:.4f} | {least:.2f} |" for name, least in FLOOR.items()]
    voters = [
        f"| {voter} | " + " | ".join(f"{shares[kind]:.4f}" for kind in ATTRIBUTES) + " |"
        for voter, shares in told["voters"].items()
    ]
    return "\n".join(
        [
            f"\n## {card['tier']}\n",
            _provenance(card),
            f"| {told['count']:,} held-out images | share | floor |",
            "|---|---|---|",
            *rows,
            "",
            f"Keypoints lie {told['keypoint_error']:.4f} of the box's longer side off.\n",
            "| voter | category | colour | pattern |",
            "|---|---|---|---|",
            *voters,
            "",
        ]
    )


def _provenance(card: Mapping[str, Any]) -> str:
    training, size = card["training"], sum(card["file_bytes"].values()) / 1e6
    return (
        f"Weights `{card['weights_digest'][:12]}`, {size:.2f} MB. Trained on "
        f"{training['images']:,} images of seed {training['seed']} in "
        f"{training['core_seconds']:,} core-seconds.\n"
    )


_HEAD = """# Model card

Written by `python -m architectures.ensemble.training`; a test computes the figures anew.

The models tag synthetic product photos: one object of twelve categories, eight colours and five
patterns. They exist so that serving architectures have real work to do and answers that can be
checked; they are of no use on photographs. Every figure is end to end: JPEG bytes in, the answer
out, with the predicted box, float16 weights read back as float32.

`caption` is the share of captions equal to the true sentence word for word. `mean_iou` is the mean
overlap of predicted and true box. The tier `base` ships no weights: they are drawn from a seed, its
answers mean nothing, and reports say so.
"""


@click.command()
@click.option("--tier", type=click.Choice(list(BY_NAME)), multiple=True, help="Default: all.")
@click.option("--count", default=HELD_OUT, show_default=True, help="Held-out images to use.")
def main(tier: tuple[str, ...], count: int) -> None:
    """Compute held-out figures anew and compare them with the model card."""
    lines = [
        line for name in tier or tiers() for line in differences(read(name), evaluate(name, count))
    ]
    if lines:
        raise click.ClickException(
            "\n".join((*lines, "retrain, or restore the weights that the card describes"))
        )
    click.echo("the model card holds")


if __name__ == "__main__":
    main()
