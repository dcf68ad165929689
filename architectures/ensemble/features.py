"""Numbers made of what several stages found."""

from collections.abc import Sequence

import numpy as np

from architectures.ensemble.types import Floats


def soft_vote(ballots: Sequence[Floats]) -> Floats:
    """The mean of the voters' probabilities: equal-shaped ballots to one of the same shape."""
    mean: Floats = np.mean(ballots, axis=0, dtype=np.float32)
    return mean


def findings(scores: Floats, boxes: Floats, keypoints: Floats) -> Floats:
    """What the captioner reads: findings side by side, one row a member.

    Args:
        scores: ``(b, SCORES)`` mean of the voters' probabilities.
        boxes: ``(b, 4)`` xyxy shares of the image.
        keypoints: ``(b, 5, 2)`` xy shares of the image.

    Returns:
        ``(b, FINDINGS)`` float32: scores, box, its width, height and longer side, and the
        keypoints relative to the box's middle in units of its longer side.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = np.maximum(sides.max(1, keepdims=True), 1e-3)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    relative = (keypoints - middle[:, None]) / longer[:, None]
    columns = (scores, boxes, sides, longer, relative.reshape(len(boxes), -1))
    return np.concatenate(columns, 1, dtype=np.float32)
