"""What an ensemble module offers, and how one is found by its dotted name.

Any importable module of this shape can be served; no architecture knows one by name.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, cast

from architectures.graph import Graph, Stage
from architectures.spec import EnsembleChoice

Split: TypeAlias = Literal["train", "held_out", "load"]


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage before it is loaded.

    ``kind`` is ``model`` for one that runs a model (worth a process or device of its own) and
    ``light`` for plain pre- and post-processing, which a practitioner may keep beside its caller.
    """

    name: str
    kind: Literal["model", "light"]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled request of the ensemble's own corpus."""

    key: int
    body: bytes
    media_type: str
    label: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EnsembleDescription:
    """Who the models are: repeated in ``/v1/info`` and in every run record.

    ``meaningful`` is False where weights are seeded and not trained; reports then say so.
    """

    name: str
    tier: str
    models: Mapping[str, str]
    weights_digest: str
    meaningful: bool


class Ensemble(Protocol):
    """The names an ensemble module defines at its top level. Importing it must not load a model."""

    TIERS: tuple[str, ...]
    MEDIA_TYPES: tuple[str, ...]
    STAGES: Mapping[str, StageSpec]
    GRAPHS: Mapping[str, Graph]

    def load_stage(self, name: str, tier: str, device: str, threads: int) -> Stage:
        """Load one stage, ready to run in inference mode with ``threads`` intra-op threads."""
        ...

    def describe(self, tier: str) -> EnsembleDescription:
        """Identify the tier's models without loading them."""
        ...

    def examples(self, split: Split, count: int, seed: int) -> Sequence[Example]:
        """The first ``count`` labelled requests drawn with ``seed``; splits never overlap."""
        ...


class EnsembleError(Exception):
    """The scenario names an ensemble that is not there or not of the right shape."""


_REQUIRED = ("TIERS", "MEDIA_TYPES", "STAGES", "GRAPHS", "load_stage", "describe", "examples")


def load_ensemble(choice: EnsembleChoice) -> Ensemble:
    """Import the chosen module and check that it is an ensemble with that tier.

    Raises:
        EnsembleError: the module, a required name or the tier is missing.
    """
    for directory in reversed(choice.search_path):
        if directory not in sys.path:
            sys.path.insert(0, directory)
    try:
        module = importlib.import_module(choice.module)
    except ModuleNotFoundError as error:
        raise EnsembleError(
            f"ensemble module {choice.module!r} cannot be imported: there is no {error.name!r}; "
            "give an importable module, and its folder in `search_path` if it is not installed"
        ) from error
    missing = [name for name in _REQUIRED if not hasattr(module, name)]
    if missing:
        raise EnsembleError(
            f"module {choice.module!r} is not an ensemble: it lacks {', '.join(missing)}; "
            "architectures/plugin.py says what each must be"
        )
    ensemble = cast("Ensemble", module)
    if choice.tier not in ensemble.TIERS:
        raise EnsembleError(
            f"ensemble {choice.module!r} has no tier {choice.tier!r}; "
            f"it has {', '.join(ensemble.TIERS)}"
        )
    return ensemble
