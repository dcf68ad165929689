"""Which stages run in which process, read off the stages' kinds and the graphs alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from architectures.plugin import Ensemble


@dataclass(frozen=True, slots=True)
class Service:
    """A process that hosts stages behind the wire.

    Attributes:
        name: its component's name, and the role it is started with.
        stages: what it hosts, sources before readers.
    """

    name: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A split of an ensemble: stages kept beside the gateway, and the services of the others."""

    beside: tuple[str, ...]
    services: tuple[Service, ...]


def lay_out(ensemble: Ensemble, options: Mapping[str, object]) -> Layout:
    """Split an ensemble's stages over processes.

    Args:
        ensemble: of any stages and graphs; nothing here knows their names.
        options: a variant's. ``light``: ``gateway`` keeps stages that run no model beside the
            gateway, ``service`` gives them a process too. ``group``: ``stage`` is a process for
            each stage, ``sources`` one for all stages that read from the same nodes.
    """
    sources = _sources(ensemble)
    kept = options["light"] == "gateway"
    beside = tuple(name for name in sources if kept and ensemble.STAGES[name].kind != "model")
    groups: dict[object, list[str]] = {}
    for name in sources:
        if name not in beside:
            groups.setdefault(sources[name] if options["group"] == "sources" else name, []).append(
                name
            )
    services = tuple(Service(_service_name(stages), tuple(stages)) for stages in groups.values())
    return Layout(beside, services)


def _sources(ensemble: Ensemble) -> dict[str, frozenset[tuple[str, str]]]:
    """Every stage that stands in a graph -> the ``(graph, node)`` pairs it reads from."""
    sources: dict[str, frozenset[tuple[str, str]]] = {}
    for graph in ensemble.GRAPHS.values():
        for step in graph.steps:
            read = frozenset((graph.name, one.source) for one in step.reads)
            sources[step.stage] = sources.get(step.stage, frozenset()) | read
    return sources


def _service_name(stages: list[str]) -> str:
    return "-".join(["service", *stages])
