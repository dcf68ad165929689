"""Fits the scaler and the logistic regressions of ``classic``."""

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from architectures.ensemble.attributes import ATTRIBUTES
from architectures.ensemble.lessons import Lessons
from architectures.patterns import parameters
from architectures.patterns.classic import PARAMETERS
from architectures.patterns.image_features import image_features

_STRENGTH = 0.01
"""``C`` of the regressions; found on held-back training images."""


def fit(lessons: Lessons, tier: str) -> None:
    """Fit on all lessons and write the arrays."""
    features = np.stack([image_features(crop) for crop in lessons.crops])
    scaler = StandardScaler().fit(features)
    # A feature that never varied on the training images says nothing: no division by nearly 0.
    scale = np.maximum(scaler.scale_, 1e-3)
    scaled = (features - scaler.mean_) / scale
    arrays = {"mean": scaler.mean_, "scale": scale}
    for column, kind in enumerate(ATTRIBUTES):
        model = LogisticRegression(C=_STRENGTH, max_iter=200)
        model.fit(scaled, lessons.classes[:, column])
        arrays |= {f"{kind}.coefficients": model.coef_, f"{kind}.intercepts": model.intercept_}
    parameters.save(tier, PARAMETERS, arrays)
