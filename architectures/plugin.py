"""What an ensemble module offers, and how one is found by its dotted name.

Any importable module of this shape can be served; no architecture knows one by name.
"""

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, cast

from architectures.graph import Graph, IoStage, Stage
from architectures.spec import EnsembleChoice

Split: TypeAlias = Literal["train", "held_out", "load"]


@dataclass(frozen=True, slots=True)
class StageSpec:
    """A stage before it is loaded.

    ``kind`` is ``model`` for one that runs a model (worth a process or device of its own),
    ``light`` for plain pre- and post-processing, which a practitioner may keep beside its caller,
    and ``io`` for one that waits for others: an :class:`architectures.graph.IoStage`.
    """

    name: str
    kind: Literal["model", "light", "io"]


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled request of the ensemble's own corpus."""

    key: int
    body: bytes
    media_type: str
    label: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


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


class Admin(Protocol):
    """What an operator may do to a running ensemble: ``POST /v1/admin/<action>``, JSON both ways.

    Attributes:
        actions: action -> what it does, in a sentence.
    """

    actions: Mapping[str, str]

    async def act(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out one of ``actions``; a Problem is raised where it cannot be."""
        ...


class Ensemble(Protocol):
    """The names an ensemble module defines at its top level. Importing it must not load a model.

    A module may also define:

    - ``load_admin(tier) -> Admin``: opens the admin API.
    - ``request(graph, example) -> Example``: an example as a graph takes it, where graphs differ in
      body, media type or headers; the same example otherwise.
    - ``score(graph, document, label) -> Mapping[str, float]``: how good an answer is, by measure,
      1 being right, for example ``{"category": 1.0}``; empty says nothing.
    """

    TIERS: tuple[str, ...]
    MEDIA_TYPES: tuple[str, ...]
    STAGES: Mapping[str, StageSpec]
    GRAPHS: Mapping[str, Graph]

    def load_stage(self, name: str, tier: str, device: str, threads: int) -> Stage | IoStage:
        """Load one stage, ready to run in inference mode with ``threads`` intra-op threads."""
        ...

    def describe(self, tier: str) -> EnsembleDescription:
        """Identify the tier's models without loading them."""
        ...

    def examples(self, split: Split, count: int, seed: int) -> Sequence[Example]:
        """The first ``count`` labelled requests drawn with ``seed``; splits never overlap."""
        ...


def as_asked(ensemble: Ensemble, graph: str, examples: Sequence[Example]) -> list[Example]:
    """Examples as a graph takes them."""
    make = getattr(ensemble, "request", None)
    return [make(graph, example) for example in examples] if make else list(examples)


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
    return cast("Ensemble", _Part(ensemble, choice)) if choice.graphs else ensemble


class _Part:
    """An ensemble that serves only some of its graphs, and has only their stages."""

    def __init__(self, whole: Ensemble, choice: EnsembleChoice) -> None:
        unknown = [name for name in choice.graphs if name not in whole.GRAPHS]
        if unknown:
            raise EnsembleError(
                f"ensemble {choice.module!r} has no graph {unknown[0]!r} to serve; "
                f"it has {', '.join(whole.GRAPHS)}"
            )
        self._whole = whole
        self.GRAPHS = {name: whole.GRAPHS[name] for name in choice.graphs}
        used = {stage for graph in self.GRAPHS.values() for stage in graph.stages}
        self.STAGES = {name: spec for name, spec in whole.STAGES.items() if name in used}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Stages by name, ready to run: those that compute in batches, and those that wait."""

    compute: Mapping[str, Stage]
    io: Mapping[str, IoStage]

    def in_lockstep(self, graph: Graph) -> bool:
        """Whether a batch of requests may walk the graph stage by stage, waiting for nobody."""
        return graph.plain and self.io.keys().isdisjoint(graph.stages)


def load_stages(
    ensemble: Ensemble, choice: EnsembleChoice, names: Iterable[str], threads: int
) -> Loaded:
    """Load some of an ensemble's stages, and run none: a torch that has run cannot be forked."""
    loaded: dict[str, Any] = {
        name: ensemble.load_stage(name, choice.tier, choice.device, threads) for name in names
    }
    io = {name: stage for name, stage in loaded.items() if ensemble.STAGES[name].kind == "io"}
    return Loaded({name: stage for name, stage in loaded.items() if name not in io}, io)
