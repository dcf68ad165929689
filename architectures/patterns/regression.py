"""Logistic regressions fitted alike however many cores there are."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


class Regression(NamedTuple):
    """All that a logistic regression predicts with: ``(classes, features)`` and ``(classes,)``."""

    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]


def regress(features: NDArray[Any], truths: NDArray[Any], strength: float) -> Regression:
    """Fit classes on features.

    Args:
        features: ``(n, features)``.
        truths: ``(n,)`` the class of each row.
        strength: scikit-learn's ``C``; smaller holds coefficients closer to nought.
    """
    # One thread: sums are added up in the same order everywhere, and shared cores are not fought
    # over, which on a busy machine is many times slower.
    with threadpool_limits(1, "blas"):
        model = LogisticRegression(C=strength, max_iter=300).fit(features, truths)
    return Regression(model.coef_, model.intercept_)
