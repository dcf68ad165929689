"""Which deployments the suite makes, and which graphs each serves.

Every pattern on every architecture, and on every transport; a graph that joins the patterns is
served by itself. Where each model has a process, graphs that show nothing new stay out, and two
deployments of Ray share the patterns, for a replica takes seconds to start.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from architectures import catalog
from architectures.catalog import CatalogError
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice
from harness.remote import REMOTE

SECOND = str(Path(__file__).parents[1] / "second_ensemble")
CHOICES = {
    "everything": EnsembleChoice("everything", "tiny", search_path=(SECOND,)),
    "tagging": EnsembleChoice("architectures.ensemble", "tiny"),
    "language": EnsembleChoice("language_guess", "plain", search_path=(SECOND,)),
}
MAIN_GRAPHS = ("tag", "pipeline", "ensemble/aggregate", "guess")
"""The first of these that is served is asked most."""

TEST_MODELS = {"shout", "mirror", "weigh"}
CHOOSING = {"detect", "route", "classify_residual", "classify_depthwise", "classify_hybrid"}
CHANGING = {"detect", "classify_residual", "keypoints", "caption", "crop_features"} | {
    "serve_known_good",
    "serve_candidate",
}
SHAPES = ("similar", "classic", "heads", "heads_apart")
"""Pipelines of other shapes: once where models have processes."""

Chosen = Callable[[str, Collection[str]], bool]
"""Whether a graph is served, by its name and its model stages."""


def _all(graph: str, models: Collection[str]) -> bool:
    return True


def _patterns(graph: str, models: Collection[str]) -> bool:
    """All but pipelines of other shapes and ever more models."""
    return not graph.startswith("models_") and graph not in SHAPES


def _shapes(graph: str, models: Collection[str]) -> bool:
    return graph in {"tag", *SHAPES}


def _tests_and(*others: str) -> Chosen:
    """What tests alone serve, where stages that compute nothing have a process too."""
    return lambda graph, _: graph in others or graph.startswith("letters/")


def _choosing(graph: str, models: Collection[str]) -> bool:
    """Aggregate, select, bandit and agent, items; and all that tests alone serve."""
    return set(models) <= CHOOSING | TEST_MODELS


def _changing(graph: str, models: Collection[str]) -> bool:
    """Pipeline, update, weights learnt online, items."""
    return set(models) <= CHANGING


MATRIX: dict[str, Chosen] = {
    "monolith:default": _all,
    "monolith:naive": _all,
    "microservices:fused_cpu": _patterns,
    "microservices:grouped": _shapes,
    "microservices:split": _tests_and("tag"),
    "microservices:per_call": _tests_and("pipeline"),
    "microservices:grpc": _patterns,
    "microservices:broker": _patterns,
    "ray_serve:tuned": _all,
    "ray_serve:tuned_split": _choosing,
    "ray_serve:default": _changing,
}
"""What serves the patterns; the other variants serve one graph."""


@dataclass(frozen=True)
class Listed:
    """One deployment that the suite makes.

    Attributes:
        serves: a key of CHOICES.
        servers: whether state is kept in real PostgreSQL and Redis servers.
    """

    reference: str
    serves: str
    servers: bool = False

    @property
    def whole(self) -> EnsembleChoice:
        """With all its graphs."""
        return CHOICES[self.serves]

    @property
    def starts_slowly(self) -> bool:
        """Ray with a replica a model: its start is work for more than one core."""
        return self.reference in ("ray_serve:tuned_split", "ray_serve:default")

    def __str__(self) -> str:
        return f"{self.reference}-{self.serves}{'-servers' * self.servers}"


def served(listed: Listed) -> EnsembleChoice:
    """What a deployment serves."""
    chosen = MATRIX.get(listed.reference, _all)
    ensemble = load_ensemble(listed.whole)
    models = {name for name, spec in ensemble.STAGES.items() if spec.kind == "model"}
    graphs = tuple(
        name for name, graph in ensemble.GRAPHS.items() if chosen(name, models & set(graph.stages))
    )
    return replace(listed.whole, graphs=graphs)


def suts() -> list[Listed]:
    """Every variant of every architecture, and one more with its state in servers."""
    listed = []
    for name in catalog.names():
        if name == REMOTE:
            continue  # nothing of ours to deploy; tests/unit/test_remote.py attaches to some
        try:
            architecture = catalog.find(name)
        except CatalogError:
            listed.append(Listed(name, "language"))  # the fixture skips it by name
            continue
        for variant in architecture.variants:
            reference = f"{name}:{variant.name}"
            plain = "tagging" if architecture.answers else "language"
            listed.append(Listed(reference, "everything" if reference in MATRIX else plain))
    return [*listed, Listed("monolith:default", "everything", servers=True)]
