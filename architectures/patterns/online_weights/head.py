"""The part that learns: a linear softmax head on the frozen features of a shipped classifier."""

from dataclasses import dataclass

import numpy as np

from architectures.ensemble import weights
from architectures.ensemble.attributes import SCORE_SLICES, SCORES
from architectures.ensemble.tiers import BY_NAME
from architectures.ensemble.types import Floats

TRUNK = "classify_residual"
"""Whose penultimate features the head reads, and whose last layer it begins as."""


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One version of the head; never changed, only replaced.

    Attributes:
        weight: ``(SCORES, width + 1)`` float32; the last column is the bias.
    """

    weight: Floats

    @property
    def width(self) -> int:
        """Features it reads."""
        return int(self.weight.shape[1]) - 1

    def scores(self, features: Floats) -> Floats:
        """Features ``(b, width)`` to probabilities ``(b, SCORES)``: a softmax for every kind."""
        logits = features @ self.weight[:, :-1].T + self.weight[:, -1]
        return np.concatenate([softmax(logits[:, part]) for part in SCORE_SLICES.values()], 1)

    def to_bytes(self) -> bytes:
        """What is published."""
        return self.weight.tobytes()


SHIPPED = b""
"""Published in place of weights: go back to those that were shipped, whatever the tier."""


def softmax(logits: Floats) -> Floats:
    """Rows to probabilities."""
    odds = np.exp(logits - logits.max(1, keepdims=True))
    shares: Floats = odds / odds.sum(1, keepdims=True)
    return shares


def shipped(tier: str) -> Head:
    """The trunk's own last layer; zeros where the tier ships no weights, so every answer is even.

    Read without torch: the process that runs the head need not run a network.

    Raises:
        KeyError: no such tier.
    """
    width = BY_NAME[tier].classify_residual.trunk[-1][0]
    if not weights.trained(tier):
        return Head(np.zeros((SCORES, width + 1), np.float32))
    from safetensors import safe_open

    with safe_open(weights.path(tier, TRUNK), framework="numpy") as file:
        weight, bias = file.get_tensor("head.weight"), file.get_tensor("head.bias")
    return Head(np.column_stack((weight, bias)).astype(np.float32))


def from_bytes(blob: bytes, first: Head) -> Head:
    """What was published.

    Args:
        blob: of :meth:`Head.to_bytes`, or ``SHIPPED``.
        first: the shipped head of the tier.

    Raises:
        ValueError: these are weights of another tier.
    """
    if blob == SHIPPED:
        return first
    return Head(np.frombuffer(blob, np.float32).reshape(first.weight.shape))
