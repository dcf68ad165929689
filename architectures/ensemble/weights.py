"""Where weights lie, who they are, and how they come into a network."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from architectures.ensemble.graphs import MODELS
from architectures.ensemble.tiers import BY_NAME, Tier

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_ROOT = Path(__file__).parent / "weights"
_SEED = 20260101


def path(tier: str, name: str) -> Path:
    """The safetensors file of one model."""
    return _ROOT / tier / f"{name}.safetensors"


def trained(tier: str) -> bool:
    """True if every model of the tier has shipped weights."""
    return all(path(tier, name).exists() for name in MODELS)


def digest(tier: str, name: str) -> str:
    """SHA-256 of a model's file, or of the recipe its seeded weights follow."""
    if trained(tier):
        return hashlib.sha256(path(tier, name).read_bytes()).hexdigest()
    recipe = f"{name} {_SEED} {asdict(BY_NAME[tier])}"
    return hashlib.sha256(recipe.encode()).hexdigest()


def digest_of(digests: Mapping[str, str]) -> str:
    """One SHA-256 for a tier, from its models' digests."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def load(name: str, tier: Tier, blob: bytes | None = None) -> "nn.Module":
    """A folded network in evaluation mode, float32, on the CPU.

    Args:
        name: of its stage.
        tier: its sizes.
        blob: a safetensors file's content, in place of what the tier ships.

    Raises:
        RuntimeError: the blob holds other tensors than the network has.
        SafetensorError: the blob is no safetensors file.
    """
    from safetensors.torch import load as read
    from safetensors.torch import load_file

    from architectures.ensemble.models import build, fold

    if blob is None and not trained(tier.name):
        return _seeded(name, tier)
    # Not on the meta device: its operators import torch._dynamo, 75 MB and a second a process.
    model = fold(build(name, tier))
    kept = load_file(path(tier.name, name)) if blob is None else read(blob)
    model.load_state_dict({key: tensor.float() for key, tensor in kept.items()}, assign=True)
    return model.eval().requires_grad_(requires_grad=False)


def save(model: "nn.Module", tier: str, name: str) -> None:
    """Fold a trained network and write it as float16."""
    from safetensors.torch import save_file

    from architectures.ensemble.models import fold

    tensors = {key: tensor.half().contiguous() for key, tensor in fold(model).state_dict().items()}
    path(tier, name).parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path(tier, name))


def _seeded(name: str, tier: Tier) -> "nn.Module":
    """A network with weights drawn from the seed: right in cost, meaningless in what it says."""
    import torch

    from architectures.ensemble.models import build, fold

    model = fold(build(name, tier))
    draw = torch.Generator().manual_seed(_SEED + MODELS.index(name))
    for key, tensor in model.state_dict().items():
        _draw(key, tensor, draw)
    return model.eval().requires_grad_(requires_grad=False)


def _draw(key: str, tensor: "Tensor", draw: "torch.Generator") -> None:
    """Uniform weights that keep a signal's size; half of it on the second leg of a residual."""
    if key.endswith("bias"):
        tensor.zero_()
    elif tensor.ndim == 1:
        tensor.fill_(1)
    else:
        bound = math.sqrt(6 / tensor[0].numel()) * (0.5 if ".second." in key else 1)
        tensor.uniform_(-bound, bound, generator=draw)
