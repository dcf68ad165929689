"""The stages that run a network: batches of arrays in, batches of arrays out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from architectures.ensemble import weights
from architectures.ensemble.attributes import ATTRIBUTES
from architectures.ensemble.captions import text
from architectures.ensemble.features import findings, soft_vote
from architectures.ensemble.graphs import CLASSIFIERS
from architectures.ensemble.tiers import Tier
from architectures.ensemble.types import Bytes, Floats
from architectures.graph import Inputs, Outputs, Stage

_Run = Callable[[Sequence[Inputs]], list[Outputs]]


def load(name: str, tier: Tier, device: str, threads: int, blob: bytes | None = None) -> Stage:
    """Load one model stage, with the tier's weights or with those of a safetensors ``blob``.

    One thread while loading: a process that loads and then forks must not have started OpenMP's
    pool, which does not survive a fork.
    """
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # its short mantissas would show in a batch's scores
    model = weights.load(name, tier, blob).to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack it
    torch.set_num_threads(threads)
    wrap = _classify if name in CLASSIFIERS else _WRAPS[name]
    run = wrap(model, torch.device(device))

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        with torch.inference_mode():  # inside: the mode belongs to a thread, not to the model
            return run(batch)

    return stage


def pixels(images: Bytes, device: torch.device) -> Tensor:
    """Images ``(b, h, w, 3)`` as ``(b, 3, h, w)`` float32 in [-1, 1], channels last."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().mul_(1 / 127.5).sub_(1)


def _rows(tensor: Tensor) -> Floats:
    rows: Floats = tensor.cpu().numpy()
    return rows


def _classify(model: nn.Module, device: torch.device) -> _Run:
    """``crop`` to ``scores``: probabilities of every category, colour and pattern, end to end."""
    widths = [len(names) for names in ATTRIBUTES.values()]

    def run(batch: Sequence[Inputs]) -> list[Outputs]:
        logits: Tensor = model(pixels(np.stack([member["crop"] for member in batch]), device))
        scores = torch.cat([part.softmax(1) for part in torch.split(logits, widths, 1)], 1)
        return [{"scores": row} for row in _rows(scores)]

    return run


def _detect(model: nn.Module, device: torch.device) -> _Run:
    """``thumbnail`` to ``box``: xyxy shares of the image, ``(4,)`` float32."""

    def run(batch: Sequence[Inputs]) -> list[Outputs]:
        boxes = model(pixels(np.stack([member["thumbnail"] for member in batch]), device))
        return [{"box": row} for row in _rows(boxes.clamp_(0, 1))]

    return run


def _keypoints(model: nn.Module, device: torch.device) -> _Run:
    """``crop`` and its ``window`` to ``keypoints``: xy shares of the image, ``(5, 2)`` float32."""

    def run(batch: Sequence[Inputs]) -> list[Outputs]:
        points = _rows(model(pixels(np.stack([member["crop"] for member in batch]), device)))
        windows = np.stack([member["window"] for member in batch])[:, None]
        placed = windows[..., :2] + points * (windows[..., 2:] - windows[..., :2])
        return [{"keypoints": row} for row in placed]

    return run


def _caption(model: Any, device: torch.device) -> _Run:
    """The voters' scores, ``box`` and ``keypoints`` to ``caption``, a string."""
    voters = [name.removeprefix("classify_") for name in CLASSIFIERS]

    def run(batch: Sequence[Inputs]) -> list[Outputs]:
        scores = soft_vote([np.stack([member[voter] for member in batch]) for voter in voters])
        boxes = np.stack([member["box"] for member in batch])
        points = np.stack([member["keypoints"] for member in batch])
        read = torch.from_numpy(findings(scores, boxes, points)).to(device)
        return [{"caption": text(row)} for row in model.write(read).tolist()]

    return run


_WRAPS = {"detect": _detect, "keypoints": _keypoints, "caption": _caption}
