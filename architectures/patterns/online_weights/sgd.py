"""Learning the head from labelled features: stochastic gradient descent on softmax regression."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from architectures.ensemble.attributes import SCORE_SLICES, SCORES
from architectures.ensemble.types import Floats, Integers
from architectures.patterns.online_weights.head import Head, softmax

RATE = 8.0
"""Step length, in units of a mini-batch's mean squared feature norm: the same for every tier."""

DECAY = 1e-5
"""L2: what every step takes off the weights, as a share of the step's length."""

BATCH = 16
WINDOW = 256
"""Newest feedbacks that mini-batches are drawn from: drift must not be unlearned by the past."""

PASSES = 8
"""How often a feedback is drawn while it is in the window, on average."""


class Lesson(NamedTuple):
    """One feedback.

    Attributes:
        features: ``(width,)`` float32.
        targets: for each kind of attribute the index of its true value, -1 where it is not told.
    """

    features: Floats
    targets: tuple[int, ...]


def stepped(head: Head, features: Floats, targets: Integers) -> Head:
    """The head after one mini-batch.

    The gradient of the mean cross-entropy of a softmax is ``mean((p - t) x)`` (Bishop, *Pattern
    Recognition and Machine Learning*, 2006, equation 4.109), with ``p`` the predicted and ``t`` the
    true distribution and ``x`` the features and a 1 for the bias. The step is divided by the mean
    of ``|x|^2``, as the normalised least-mean-squares rule does (Nagumo and Noda, 1967), because
    each tier's features have a length of their own. Weight decay spares the bias.

    Args:
        head: before.
        features: ``(b, width)``.
        targets: ``(b, kinds)``, -1 where a kind is not told; it then gives no gradient.
    """
    count = len(features)
    inputs = np.concatenate((features, np.ones((count, 1), np.float32)), 1)
    errors = np.zeros((count, SCORES), np.float32)
    logits = inputs @ head.weight.T
    for kind, part in enumerate(SCORE_SLICES.values()):
        told = np.flatnonzero(targets[:, kind] >= 0)
        errors[told, part] = softmax(logits[told, part])
        errors[told, part.start + targets[told, kind]] -= 1
    length = np.float32(RATE / np.square(inputs).sum(1).mean())
    weight = head.weight - length / np.float32(count) * (errors.T @ inputs)
    weight[:, :-1] -= length * np.float32(DECAY) * head.weight[:, :-1]
    return Head(weight)


class Student:
    """A head that learns.

    Args:
        head: to begin from.
        seed: of the mini-batches' draws.
    """

    def __init__(self, head: Head, seed: int = 0) -> None:
        self.head = head
        self._window: deque[Lesson] = deque(maxlen=WINDOW)
        self._draw = np.random.default_rng(seed)
        self._owed = 0.0

    def study(self, lessons: Sequence[Lesson]) -> int:
        """Learn from new feedbacks and from the window's; returns how many steps were taken."""
        self._window.extend(lessons)
        self._owed += len(lessons) * PASSES / BATCH
        steps = int(self._owed)
        self._owed -= steps
        features = np.stack([lesson.features for lesson in self._window])
        targets = np.array([lesson.targets for lesson in self._window], np.int32)
        for _ in range(steps):
            rows = self._draw.integers(len(features), size=BATCH)
            self.head = stepped(self.head, features[rows], targets[rows])
        return steps
