"""The stages of ``similar``: plain arithmetic on arrays."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from architectures.ensemble.corpus import key
from architectures.ensemble.tiers import BY_NAME
from architectures.ensemble.types import Bytes, Floats
from architectures.graph import Inputs, Outputs, Stage
from architectures.patterns import parameters
from architectures.patterns.image_features import COLOURS, colours
from architectures.patterns.similar import ANSWERED, PARAMETERS
from architectures.patterns.tags import rounded

SEED = 1
"""Of the items: examples of the split ``train`` that no network learned from."""

WIDTH = 32
"""Of the vectors that are compared."""

ITEMS = 4_000
CANDIDATES = 50
"""Neighbours that are ranked."""

_FORM = 2


def load(name: str, tier: str) -> Stage:
    """One stage of a tier."""
    if name == "query_features":
        return _query
    arrays = parameters.load(tier, PARAMETERS, _shapes(tier))
    return {"interact": _interact, "nearest": _nearest, "rank": _rank}[name](arrays)


def form(box: Floats) -> Floats:
    """Logarithms of a box's area and of its width over its height, ``(2,)`` float32.

    Args:
        box: xyxy, shares of the image.
    """
    width, height = np.maximum(np.asarray(box[2:]) - np.asarray(box[:2]), 1e-3).tolist()
    return np.array([math.log(width * height), math.log(width / height)], np.float32)


def vectors(features: Floats, hues: Floats, arrays: parameters.Arrays) -> Floats:
    """Features ``(b, d)`` and colours ``(b, COLOURS)`` as unit vectors ``(b, WIDTH)``.

    Each is projected, and their projections are added and multiplied: as a factorization machine
    lets features interact (Rendle, 2010).
    """
    seen = (features - arrays["mean"]) / arrays["scale"] @ arrays["embedding"].T
    asked = hues @ arrays["colour"].T
    product = (hues @ arrays["colour_gate"].T) * seen
    joined = seen + asked + product
    norm = np.linalg.norm(joined, axis=1, keepdims=True)
    unit: Floats = joined / np.maximum(norm, 1e-6)
    return unit


def likenesses(
    closeness: Floats, hues: Floats, form: Floats, item_hues: Floats, item_forms: Floats
) -> Floats:
    """What the ranking weighs of each candidate, ``(n, 4)``.

    Args:
        closeness: cosines with the candidates, ``(n,)``.
        hues: the query's colours, ``(COLOURS,)``.
        form: the query's form, ``(2,)``.
        item_hues: the candidates' colours, ``(n, COLOURS)``.
        item_forms: the candidates' forms, ``(n, 2)``.

    Returns:
        Columns of cosine, shared colour, and the sizes of the differences of the two forms.
    """
    shared = np.minimum(item_hues, hues).sum(1)
    return np.column_stack((closeness, shared, np.abs(item_forms - form)))


def _query(batch: Sequence[Inputs]) -> list[Outputs]:
    """``crop`` and ``box`` to ``colours``, ``(COLOURS,)``, and ``form``, ``(2,)``, float32."""
    return [
        {"colours": colours(_pixels(member["crop"])), "form": form(member["box"])}
        for member in batch
    ]


def _pixels(crop: Any) -> Bytes:
    return np.asarray(crop)


def _interact(arrays: parameters.Arrays) -> Stage:
    """``features`` and ``colours`` to ``vector``, ``(WIDTH,)`` float32."""

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        features = np.stack([member["features"] for member in batch])
        hues = np.stack([member["colours"] for member in batch])
        return [{"vector": row} for row in vectors(features, hues, arrays)]

    return stage


def _nearest(arrays: parameters.Arrays) -> Stage:
    """``vector`` to ``items``, places in the catalogue, and ``closeness``, cosines: nearest first.

    All items are compared: exact, and with thousands of them faster than an index.
    """
    index = np.ascontiguousarray(arrays["vectors"].T)

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        found = np.stack([member["vector"] for member in batch]) @ index
        return [one(row) for row in found]

    def one(cosines: Floats) -> Outputs:
        some = np.argpartition(cosines, -CANDIDATES)[-CANDIDATES:]
        best = some[np.argsort(-cosines[some], kind="stable")]
        return {"items": best.astype(np.int32), "closeness": cosines[best]}

    return stage


def _rank(arrays: parameters.Arrays) -> Stage:
    """The candidates and the query's ``colours`` and ``form`` to the ``answer``."""
    keys = _keys(arrays)

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        return [{"answer": {"items": one(member)}} for member in batch]

    def one(member: Inputs) -> list[dict[str, Any]]:
        items = np.asarray(member["items"])
        columns = likenesses(
            member["closeness"],
            member["colours"],
            member["form"],
            arrays["colours"][items],
            arrays["forms"][items],
        )
        logits = columns.astype(np.float64) @ arrays["weights"][0] + arrays["offset"][0]
        best = np.argsort(-logits, kind="stable")[:ANSWERED]
        scores = 1 / (1 + np.exp(-logits[best]))
        return [
            {"key": keys[place], "score": rounded(score)}
            for place, score in zip(items[best].tolist(), scores, strict=True)
        ]

    return stage


def _keys(arrays: parameters.Arrays) -> list[int]:
    """The corpus's key of every item, in the catalogue's order."""
    return [key("train", SEED, place) for place in range(len(arrays["vectors"]))]


def _shapes(tier: str) -> parameters.Shapes:
    width = BY_NAME[tier].classify_residual.trunk[-1][0]
    return {
        "mean": (width,),
        "scale": (width,),
        "embedding": (WIDTH, width),
        "colour": (WIDTH, COLOURS),
        "colour_gate": (WIDTH, COLOURS),
        "vectors": (ITEMS, WIDTH),
        "colours": (ITEMS, COLOURS),
        "forms": (ITEMS, _FORM),
        "weights": (1, 2 + _FORM),
        "offset": (1,),
    }
