"""Fits the scaler and the logistic regressions of ``classic``."""

import numpy as np
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from architectures.ensemble.attributes import ATTRIBUTES
from architectures.ensemble.lessons import Lessons
from architectures.patterns import parameters
from architectures.patterns.classic import PARAMETERS
from architectures.patterns.image_features import image_features
from architectures.patterns.regression import regress

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
        found = regress(scaled, lessons.classes[:, column], _STRENGTH)
        arrays |= {f"{kind}.{name}": array for name, array in found._asdict().items()}
    parameters.save(tier, PARAMETERS, arrays)
