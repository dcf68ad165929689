"""Classic: image features, a scaler, a logistic regression of scikit-learn; ``/v1/classic``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.ensemble.attributes import ATTRIBUTES
from architectures.graph import Graph, Inputs, IoStage, Node, Outputs, Stage
from architectures.patterns import parameters
from architectures.patterns.crops import TO_CROP
from architectures.patterns.image_features import LENGTH, image_features
from architectures.patterns.tags import TAGS_SCHEMA, object_schema, right, tags
from architectures.plugin import StageSpec

PARAMETERS = "classic"
"""Name of the fitted arrays: the scaler's, and each kind's coefficients and intercepts."""

STAGES: Mapping[str, StageSpec] = {
    "image_features": StageSpec("image_features", "light"),
    "scale_features": StageSpec("scale_features", "light"),
    "classify_classic": StageSpec("classify_classic", "model"),
    "tell_tags": StageSpec("tell_tags", "light"),
}

CLASSIC = Graph(
    "classic",
    (
        *TO_CROP,
        Node("image_features", {"crop": "crop.crop"}),
        Node("scale_features", {"features": "image_features.features"}),
        Node("classify_classic", {"scaled": "scale_features.scaled"}),
        Node("tell_tags", {"scores": "classify_classic.scores"}),
    ),
    answer="tell_tags.answer",
    answer_schema=object_schema({"tags": TAGS_SCHEMA}),
)

GRAPHS: Mapping[str, Graph] = {CLASSIC.name: CLASSIC}

_SHAPES = {"mean": (LENGTH,), "scale": (LENGTH,)} | {
    key: shape
    for kind, names in ATTRIBUTES.items()
    for key, shape in (
        (f"{kind}.coefficients", (len(names), LENGTH)),
        (f"{kind}.intercepts", (len(names),)),
    )
}


def load_stage(name: str, tier: str, device: str, threads: int) -> Stage | IoStage:  # noqa: ARG001 - as all rooms
    """Load one of ``STAGES``.

    Raises:
        KeyError: no such stage.
    """
    if name == "scale_features":
        return _scale(parameters.load(tier, PARAMETERS, _SHAPES))
    if name == "classify_classic":
        return _classify(parameters.load(tier, PARAMETERS, _SHAPES))
    return {"image_features": _see, "tell_tags": _tell}[name]


def digests(tier: str) -> dict[str, str]:
    """Who its fitted arrays are."""
    return {PARAMETERS: parameters.digest(tier, PARAMETERS)}


def score(graph: str, document: Mapping[str, Any], label: Mapping[str, Any]) -> dict[str, float]:  # noqa: ARG001 - as all rooms
    """1 for each right tag."""
    return right(document["tags"], label)


def _see(batch: Sequence[Inputs]) -> list[Outputs]:
    """``crop`` to ``features``, ``(LENGTH,)`` float32."""
    return [{"features": image_features(member["crop"])} for member in batch]


def _scale(arrays: parameters.Arrays) -> Stage:
    """``features`` to ``scaled``: each with mean 0 and deviation 1 over the training images."""
    mean, scale = arrays["mean"], arrays["scale"]

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        return [{"scaled": (member["features"] - mean) / scale} for member in batch]

    return stage


def _classify(arrays: parameters.Arrays) -> Stage:
    """``scaled`` to ``scores``, a vector of every kind's probabilities end to end."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    models = []
    for kind, names in ATTRIBUTES.items():
        model = LogisticRegression()
        # All that a fitted one predicts with; float64, so that a batch's rounding stays far below
        # what an answer shows.
        model.classes_ = np.arange(len(names))
        model.coef_ = arrays[f"{kind}.coefficients"].astype(np.float64)
        model.intercept_ = arrays[f"{kind}.intercepts"].astype(np.float64)
        models.append(model)

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        scaled = np.stack([member["scaled"] for member in batch]).astype(np.float64)
        parts = [model.predict_proba(scaled) for model in models]
        return [{"scores": row} for row in np.concatenate(parts, 1).astype(np.float32)]

    return stage


def _tell(batch: Sequence[Inputs]) -> list[Outputs]:
    """``scores`` to the ``answer``."""
    return [{"answer": {"tags": tags(member["scores"])}} for member in batch]
