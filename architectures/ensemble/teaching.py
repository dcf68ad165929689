"""How each network learns: its loss, its schedule, its share of the lessons."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from architectures.ensemble.attributes import ATTRIBUTES, KEYPOINTS
from architectures.ensemble.captions import VOCABULARY, tokens
from architectures.ensemble.corpus import key, label_of, scene_of
from architectures.ensemble.features import findings
from architectures.ensemble.graphs import MODELS
from architectures.ensemble.lessons import Lessons
from architectures.ensemble.model_stages import pixels
from architectures.ensemble.models import build
from architectures.ensemble.tiers import Tier
from architectures.ensemble.types import Bytes

Report = Callable[[float], None]
"""Told the finished share of a job."""

_Loss = Callable[[Any, Tensor, float], Tensor]
"""From the network, the indices of a batch and the scale of its crops to the loss."""

_ON_CPU = torch.device("cpu")
_BATCH = 64
_SMOOTHING = 0.05
_SCENES_PER_LESSON = 4
"""A caption needs no painted image, so the captioner sees more scenes."""

_FINDING_ERROR = 0.012
"""Standard error of box edges and keypoints, as a share of the image, that the captioner learns to
live with."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One-cycle AdamW.

    Attributes:
        epochs: passes over the lessons.
        rate: highest learning rate.
        bfloat16: True to compute in bfloat16, where that is faster.
        grows: True to begin on crops of half the side, then three quarters: half the work.
    """

    epochs: int
    rate: float
    bfloat16: bool = False
    grows: bool = False

    def scale(self, share: float) -> float:
        """Side of the crops, as a share of the full one, when ``share`` of the steps is done."""
        if not self.grows or share >= 0.75:  # noqa: PLR2004 - the last quarter
            return 1.0
        return 0.75 if share >= 0.5 else 0.5  # noqa: PLR2004 - the third quarter


SCHEDULES = {
    "tiny": {
        "detect": Schedule(8, 3e-3, bfloat16=True),
        "classify_residual": Schedule(6, 3e-3, bfloat16=True),
        "classify_depthwise": Schedule(6, 3e-3),
        "classify_hybrid": Schedule(6, 1.5e-3),
        "keypoints": Schedule(6, 3e-3, bfloat16=True),
        "caption": Schedule(4, 4e-3),
    },
    "small": {
        "detect": Schedule(4, 3e-3, bfloat16=True),
        "classify_residual": Schedule(4, 3e-3, bfloat16=True, grows=True),
        "classify_depthwise": Schedule(3, 3e-3, bfloat16=True, grows=True),
        "classify_hybrid": Schedule(3, 1.5e-3, bfloat16=True),
        "keypoints": Schedule(4, 3e-3, bfloat16=True, grows=True),
        "caption": Schedule(2, 3e-3),
    },
}


def teach(name: str, tier: Tier, lessons: Lessons, seed: int, report: Report) -> nn.Module:
    """Train one network from its seed."""
    torch.manual_seed(seed * len(MODELS) + MODELS.index(name))
    model = build(name, tier)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack it
    count = len(lessons.boxes)
    if name == "caption":
        count *= _SCENES_PER_LESSON
        loss = _caption_loss(seed, count)
    else:
        loss = _image_loss(name, lessons)
    _descend(model.train(), loss, count, SCHEDULES[tier.name][name], report)
    return model.eval()


def _descend(model: nn.Module, loss: _Loss, count: int, plan: Schedule, report: Report) -> None:
    batches = list(_batches(count, plan.epochs))
    optimizer = torch.optim.AdamW(model.parameters(), plan.rate, weight_decay=0.02)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.rate, total_steps=len(batches), pct_start=0.2
    )
    for step, batch in enumerate(batches):
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.bfloat16):
            cost = loss(model, batch, plan.scale(step / len(batches)))
        optimizer.zero_grad()
        torch.autograd.backward(cost)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rates.step()
        report((step + 1) / len(batches))


def _batches(count: int, epochs: int) -> Iterator[Tensor]:
    for _ in range(epochs):
        yield from torch.split(torch.randperm(count), _BATCH)


def _image_loss(name: str, lessons: Lessons) -> _Loss:
    if name == "detect":
        return _detect_loss(lessons)
    if name == "keypoints":
        return _keypoint_loss(lessons)
    return _class_loss(lessons)


def _shown(crops: Bytes, scale: float) -> Tensor:
    """Crops as a network reads them, shrunk to a scale."""
    full = pixels(crops, _ON_CPU)
    if scale == 1:
        return full
    return functional.interpolate(full, scale_factor=scale, mode="bilinear", antialias=True)


def _mirrored(images: Tensor) -> tuple[Tensor, Tensor]:
    """Images of which a random half are mirrored, and which ones."""
    turned = torch.rand(len(images)) < 0.5  # noqa: PLR2004 - half
    return torch.where(turned[:, None, None, None], images.flip(3), images), turned


def _class_loss(lessons: Lessons) -> _Loss:
    widths = [len(names) for names in ATTRIBUTES.values()]

    def loss(model: Any, batch: Tensor, scale: float) -> Tensor:
        crops, _ = _mirrored(_shown(lessons.crops[batch], scale))
        truth = torch.from_numpy(lessons.classes[batch])
        parts = model(crops).float().split(widths, 1)
        costs = [
            functional.cross_entropy(part, truth[:, kind], label_smoothing=_SMOOTHING)
            for kind, part in enumerate(parts)
        ]
        return torch.stack(costs).sum()

    return loss


def overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of each pair of xyxy boxes: ``(n, 4)`` twice to ``(n,)``."""
    low, high = torch.maximum(boxes, others), torch.minimum(boxes, others)
    shared = (high[:, 2:] - low[:, :2]).clamp(min=0).prod(1)
    areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (boxes, others)]
    return shared / (areas[0] + areas[1] - shared).clamp(min=1e-6)


def _detect_loss(lessons: Lessons) -> _Loss:
    def loss(model: Any, batch: Tensor, _scale: float) -> Tensor:
        thumbnails, turned = _mirrored(pixels(lessons.thumbnails[batch], _ON_CPU))
        truth = torch.from_numpy(lessons.boxes[batch])
        opposite = torch.stack((1 - truth[:, 2], truth[:, 1], 1 - truth[:, 0], truth[:, 3]), 1)
        truth = torch.where(turned[:, None], opposite, truth)
        found = model(thumbnails).float()
        near = functional.smooth_l1_loss(found, truth, beta=0.05)
        return 5 * near + (1 - overlap(found, truth)).mean()

    return loss


def _keypoint_loss(lessons: Lessons) -> _Loss:
    def loss(model: Any, batch: Tensor, scale: float) -> Tensor:
        found = model(_shown(lessons.crops[batch], scale))
        truth = torch.from_numpy(lessons.points[batch])
        return 20 * functional.smooth_l1_loss(found, truth, beta=0.02)

    return loss


def _caption_loss(seed: int, count: int) -> _Loss:
    """Captions from drawn findings; no image is needed, only what models would say of one."""
    read, written = _drawn_findings(seed, count)

    def loss(model: Any, batch: Tensor, _scale: float) -> Tensor:
        truth = written[batch]
        logits = model(read[batch], truth[:, :-1])
        return functional.cross_entropy(logits.view(-1, len(VOCABULARY)), truth.view(-1))

    return loss


def _drawn_findings(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Findings of ``count`` scenes with the errors that models make, and the captions to write.

    Votes are drawn from certain to nearly split, and sometimes wrong: the caption repeats the
    vote, because it is there to put the findings into words and not to overrule them.
    """
    draw = np.random.default_rng(seed)
    scores, boxes, points, rows = [], [], [], []
    for index in range(count):
        label = label_of(scene_of(key("train", seed, index)))
        words = label.caption.split()
        parts = []
        for kind, names in ATTRIBUTES.items():
            logits = draw.standard_normal(len(names))
            logits[names.index(getattr(label, kind))] += draw.uniform(1, 8)
            odds = np.exp(logits)
            parts.append(odds / odds.sum())
            words[words.index(getattr(label, kind))] = names[int(logits.argmax())]
        scores.append(np.concatenate(parts))
        boxes.append(label.box)
        points.append(label.keypoints)
        rows.append(tokens(" ".join(words)))
    box_errors = draw.normal(0, _FINDING_ERROR, (count, 4))
    point_errors = draw.normal(0, _FINDING_ERROR, (count, KEYPOINTS, 2))
    read = findings(
        np.array(scores, np.float32),
        (boxes + box_errors).astype(np.float32),
        (points + point_errors).astype(np.float32),
    )
    return torch.from_numpy(read), torch.tensor(rows)
