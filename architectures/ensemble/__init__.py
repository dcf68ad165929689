"""The built-in ensemble: one image in, tags, box, keypoints and a caption out.

An :class:`architectures.plugin.Ensemble`. Torch is imported when a model stage is loaded.
"""

from architectures.ensemble import weights
from architectures.ensemble.corpus import examples
from architectures.ensemble.graphs import GRAPHS, MODELS, STAGES
from architectures.ensemble.images import FORMATS
from architectures.ensemble.tiers import BY_NAME
from architectures.graph import Stage
from architectures.plugin import EnsembleDescription

__all__ = [
    "GRAPHS",
    "MEDIA_TYPES",
    "STAGES",
    "TIERS",
    "describe",
    "examples",
    "load_stage",
]

TIERS = tuple(BY_NAME)
MEDIA_TYPES = tuple(FORMATS)


def load_stage(name: str, tier: str, device: str = "cpu", threads: int = 1) -> Stage:
    """Load one stage of a tier.

    Args:
        name: one of ``STAGES``.
        tier: one of ``TIERS``.
        device: a torch device, for the stages that run a model.
        threads: torch's intra-op threads in this process.

    Raises:
        KeyError: no such stage or tier.
    """
    if STAGES[name].kind == "light":
        from architectures.ensemble import light_stages

        return light_stages.load(name, BY_NAME[tier], describe(tier).models)
    from architectures.ensemble import model_stages

    return model_stages.load(name, BY_NAME[tier], device, threads)


def describe(tier: str) -> EnsembleDescription:
    """Who the models of a tier are.

    Raises:
        KeyError: no such tier.
    """
    digests = {name: weights.digest(tier, name) for name in MODELS}
    return EnsembleDescription(
        name="image-tagging",
        tier=BY_NAME[tier].name,
        models={name: f"{tier}-{digest[:8]}" for name, digest in digests.items()},
        weights_digest=weights.digest_of(digests),
        meaningful=weights.trained(tier),
    )
