"""Linear models kept as sums that any process may add to.

What ridge regression needs of its examples is the sum of ``x x'`` and the sum of ``x y``: the order
of additions does not matter, so replicas that add to one copy hold what a single process would
have learnt. Bytes go through ``architectures.state``; solving takes a few microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observed:
    """One example for one of the models.

    Attributes:
        row: which model.
        features: ``(width,)``.
        target: what was observed.
    """

    row: int
    features: Vector
    target: float


@dataclass(frozen=True, eq=False, slots=True)
class Sums:
    """What several linear models of equal width have seen.

    Attributes:
        gram: ``(models, width, width)``, the sum of ``x x'``.
        moment: ``(models, width)``, the sum of ``x y``.
        count: ``(models,)`` examples.
    """

    gram: Vector
    moment: Vector
    count: Vector

    @classmethod
    def empty(cls, models: int, width: int) -> "Sums":
        """Nothing seen yet."""
        return cls(np.zeros((models, width, width)), np.zeros((models, width)), np.zeros(models))

    @classmethod
    def read(cls, blob: bytes, models: int, width: int) -> "Sums":
        """What :meth:`write` wrote.

        Raises:
            ValueError: the bytes are of other models.
        """
        numbers = np.frombuffer(blob, np.float64)
        gram, moment, count = np.split(numbers, (models * width**2, models * width * (width + 1)))
        shaped = (gram.reshape(models, width, width), moment.reshape(models, width))
        return cls(*shaped, count.reshape(models))

    def write(self) -> bytes:
        """As bytes: little more than ``8 x models x width^2`` of them."""
        return b"".join(part.tobytes() for part in (self.gram, self.moment, self.count))

    def plus(self, examples: Iterable[Observed]) -> "Sums":
        """With more examples."""
        gram, moment, count = self.gram.copy(), self.moment.copy(), self.count.copy()
        for row, x, y in ((each.row, each.features, each.target) for each in examples):
            gram[row] += np.outer(x, x)
            moment[row] += x * y
            count[row] += 1
        return Sums(gram, moment, count)

    def joined(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(self.gram + other.gram, self.moment + other.moment, self.count + other.count)

    def worth(self, examples: float) -> "Sums":
        """The same, weighed as if each model had seen at most so many examples."""
        shares = np.minimum(1, examples / np.maximum(self.count, 1))
        return Sums(
            self.gram * shares[:, None, None], self.moment * shares[:, None], self.count * shares
        )

    def solve(self, ridge: float) -> tuple[Vector, Vector]:
        """Ridge regression.

        Returns:
            Coefficients ``(models, width)``, and ``(gram + ridge I)^-1`` of each model.
        """
        inverse = np.linalg.inv(self.gram + ridge * np.eye(self.gram.shape[1]))
        return (inverse @ self.moment[:, :, None])[:, :, 0], inverse.astype(np.float64)
