"""Fits the interaction and the ranking of ``similar``, and places the items."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from architectures.ensemble.lessons import Lessons
from architectures.ensemble.types import Floats
from architectures.patterns import parameters
from architectures.patterns.backbone import features_of
from architectures.patterns.image_features import COLOURS, colours
from architectures.patterns.regression import regress
from architectures.patterns.similar import PARAMETERS
from architectures.patterns.similar_stages import (
    CANDIDATES,
    ITEMS,
    WIDTH,
    form,
    likenesses,
    vectors,
)

_STEPS = 600
_BATCH = 512
_RATE = 5e-3
_SHARPNESS = 12.0
_WORTH = (0.6, 0.25, 0.15)
"""How alike two items are that share category, colour, pattern."""

_QUERIES = 1_000


def fit(lessons: Lessons, tier: str) -> None:
    """Fit on all lessons, make the first of them the items, and write the arrays."""
    features = features_of(lessons.crops, tier)
    hues = np.stack([colours(crop) for crop in lessons.crops])
    forms = np.stack([form(box) for box in lessons.boxes])
    scale = np.maximum(features.std(0), 1e-3)
    arrays: dict[str, NDArray[Any]] = {"mean": features.mean(0), "scale": scale}
    arrays |= _interaction((features - arrays["mean"]) / scale, hues, lessons.classes)
    arrays |= {
        "vectors": vectors(features[:ITEMS], hues[:ITEMS], arrays),
        "colours": hues[:ITEMS],
        "forms": forms[:ITEMS],
    }
    asking = range(len(features) - _QUERIES, len(features))
    asked = vectors(features[asking], hues[asking], arrays)
    arrays |= _ranking(asked, hues[asking], forms[asking], lessons.classes, arrays)
    parameters.save(tier, PARAMETERS, arrays)


def _interaction(seen: Floats, hues: Floats, classes: NDArray[np.int64]) -> dict[str, Floats]:
    """Projections by which two images' cosine follows how much they share.

    Soft nearest neighbours: among a batch, the likelihood of each neighbour by cosine is drawn to
    its likelihood by shared attributes.
    """
    torch.manual_seed(0)
    torch.set_num_threads(1)
    draw = (
        torch.randn(WIDTH, seen.shape[1]) / seen.shape[1] ** 0.5,
        torch.randn(WIDTH, COLOURS) / COLOURS**0.5,
        torch.zeros(WIDTH, COLOURS),
    )
    embedding, colour, gate = (matrix.requires_grad_() for matrix in draw)
    optimizer = torch.optim.AdamW((embedding, colour, gate), _RATE, weight_decay=0.05)
    images, tints, truths = (torch.from_numpy(np.array(a)) for a in (seen, hues, classes))
    for _ in range(_STEPS):
        batch = torch.randperm(len(images))[:_BATCH]
        shown = images[batch] @ embedding.T
        tint = tints[batch]
        unit = functional.normalize(shown + tint @ colour.T + (tint @ gate.T) * shown)
        cost = _disagreement(unit @ unit.T, truths[batch])
        optimizer.zero_grad()
        torch.autograd.backward(cost)
        optimizer.step()
    names = ("embedding", "colour", "colour_gate")
    return {
        name: matrix.detach().numpy()
        for name, matrix in zip(names, (embedding, colour, gate), strict=True)
    }


def _disagreement(cosines: Tensor, truths: Tensor) -> Tensor:
    same = (truths[:, None] == truths[None]).float() @ torch.tensor(_WORTH)
    itself = torch.eye(len(truths), dtype=torch.bool)
    told = (cosines * _SHARPNESS).masked_fill(itself, -1e9)
    wanted = (same * _SHARPNESS).masked_fill(itself, -1e9).softmax(1)
    return functional.cross_entropy(told, wanted)


def _ranking(
    asked: Floats,
    hues: Floats,
    forms: Floats,
    classes: NDArray[np.int64],
    arrays: parameters.Arrays,
) -> dict[str, NDArray[np.float64]]:
    """Weights of likenesses by which a candidate is of the query's category and colour.

    The queries are the last images, which are no items.
    """
    rows, truths = [], []
    offset = len(classes) - len(asked)
    for place, cosines in enumerate(asked @ arrays["vectors"].T):
        near = np.argsort(-cosines)[:CANDIDATES]
        item_hues, item_forms = arrays["colours"][near], arrays["forms"][near]
        rows.append(likenesses(cosines[near], hues[place], forms[place], item_hues, item_forms))
        truths.append((classes[near, :2] == classes[offset + place, :2]).all(1))
    found = regress(np.concatenate(rows), np.concatenate(truths), 1.0)
    return {"weights": found.coefficients, "offset": found.intercepts}
