"""The frozen part: a shipped classifier without its last layer."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from architectures.ensemble import weights
from architectures.ensemble.model_stages import pixels
from architectures.ensemble.tiers import BY_NAME
from architectures.graph import Inputs, Outputs, Stage
from architectures.patterns.online_weights.head import TRUNK


def load(tier: str, device: str, threads: int) -> Stage:
    """A model stage: ``crop`` to ``features``, ``(width,)`` float32: the trunk's pooled output.

    One thread while loading, as in :func:`architectures.ensemble.model_stages.load`.
    """
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False
    model = weights.load(TRUNK, BY_NAME[tier])
    model.head = nn.Identity()
    model = model.to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack it
    torch.set_num_threads(threads)
    place = torch.device(device)

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        with torch.inference_mode():
            crops = pixels(np.stack([member["crop"] for member in batch]), place)
            return [{"features": row} for row in model(crops).cpu().numpy()]

    return stage
