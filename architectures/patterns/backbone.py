"""The residual classifier taken apart: its trunk as a backbone, its last layer as three heads.

Imports torch, so it is itself imported only when one of these stages is loaded.
"""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from architectures.ensemble import weights
from architectures.ensemble.attributes import SCORE_SLICES
from architectures.ensemble.model_stages import pixels
from architectures.ensemble.models import ResidualClassifier
from architectures.ensemble.tiers import BY_NAME
from architectures.ensemble.types import Bytes, Floats
from architectures.graph import Inputs, Outputs, Stage

_WHOLE = "classify_residual"
_BATCH = 64


def load_backbone(tier: str, device: str, threads: int) -> Stage:
    """``crop`` to ``features``: what the last layer reads of it, ``(d,)`` float32."""
    trunk = _laid_out(_model(tier).trunk, device)

    def run(batch: Sequence[Inputs]) -> list[Outputs]:
        return [{"features": row} for row in _rows(_features(trunk, _crops(batch), device))]

    return _inferring(run, threads)


def load_head(kind: str, tier: str, device: str, threads: int) -> Stage:
    """``features`` to ``odds``: probabilities of one kind's values, ``(values,)`` float32."""
    head = _head(_model(tier), kind).to(device)

    def run(batch: Sequence[Inputs]) -> list[Outputs]:
        features = torch.from_numpy(np.stack([member["features"] for member in batch]))
        return _odds(head, features.to(device))

    return _inferring(run, threads)


def load_whole(kind: str, tier: str, device: str, threads: int) -> Stage:
    """``crop`` to ``odds``: the backbone and one head in one stage."""
    model = _model(tier)
    trunk, head = _laid_out(model.trunk, device), _head(model, kind).to(device)

    def run(batch: Sequence[Inputs]) -> list[Outputs]:
        return _odds(head, _features(trunk, _crops(batch), device))

    return _inferring(run, threads)


def features_of(crops: Bytes, tier: str) -> Floats:
    """Features of crops ``(n, side, side, 3)`` on the CPU, ``(n, d)`` float32; for training."""
    trunk = _laid_out(_model(tier).trunk, "cpu")
    with torch.inference_mode():
        spans = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))
        return np.concatenate([_rows(_features(trunk, span, "cpu")) for span in spans])


def _model(tier: str) -> ResidualClassifier:
    """The whole network. One thread while loading, as ``ensemble.model_stages.load`` says why."""
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    return cast("ResidualClassifier", weights.load(_WHOLE, BY_NAME[tier]))


def _laid_out(trunk: nn.Module, device: str) -> nn.Module:
    moved = trunk.to(device)
    moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack it
    return moved


def _head(model: ResidualClassifier, kind: str) -> nn.Linear:
    """The rows of the last layer that score one kind."""
    part = SCORE_SLICES[kind]
    head = nn.Linear(model.head.in_features, part.stop - part.start)
    head.load_state_dict({"weight": model.head.weight[part], "bias": model.head.bias[part]})
    return head.requires_grad_(requires_grad=False)


def _inferring(run: Callable[[Sequence[Inputs]], list[Outputs]], threads: int) -> Stage:
    torch.set_num_threads(threads)

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        with torch.inference_mode():  # inside: the mode belongs to a thread, not to the model
            return run(batch)

    return stage


def _crops(batch: Sequence[Inputs]) -> Bytes:
    return np.stack([member["crop"] for member in batch])


def _features(trunk: nn.Module, crops: Bytes, device: str) -> Tensor:
    grid: Tensor = trunk(pixels(crops, torch.device(device)))
    return grid.mean((2, 3))


def _odds(head: nn.Module, features: Tensor) -> list[Outputs]:
    return [{"odds": row} for row in _rows(head(features).softmax(1))]


def _rows(tensor: Tensor) -> Floats:
    rows: Floats = tensor.cpu().numpy()
    return rows
