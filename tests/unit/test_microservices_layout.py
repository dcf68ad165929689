"""Stages are split over processes by their kind and the graph, never by name."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from architectures.graph import Graph, Node
from architectures.microservices import ARCHITECTURE
from architectures.microservices.layout import Service, lay_out
from architectures.plugin import Ensemble, StageSpec

LIGHT = ("open", "fit", "close")
MODELS = ("find", "left", "right", "tell")
MODEL_SERVICES = [Service(f"service-{name}", (name,)) for name in MODELS]
GRAPH = Graph(
    "look",
    (
        Node("open", {"body": "request.body"}),
        Node("find", {"image": "open.image"}),
        Node("fit", {"image": "open.image", "box": "find.box"}),
        Node("left", {"part": "fit.part"}),
        Node("right", {"part": "fit.part", "window": "fit.window"}),
        Node("tell", {"left": "left.scores", "right": "right.scores"}),
        Node("close", {"text": "tell.text"}),
    ),
    answer="close.answer",
)


def ensemble(graph: Graph = GRAPH) -> Ensemble:
    stages = {name: StageSpec(name, "light") for name in LIGHT}
    stages |= {name: StageSpec(name, "model") for name in (*MODELS, "in_no_graph")}
    return cast("Ensemble", SimpleNamespace(STAGES=stages, GRAPHS={graph.name: graph}))


def options(variant: str) -> Any:
    (found,) = (v.options for v in ARCHITECTURE.variants if v.name == variant)
    return found


def test_the_headline_keeps_light_stages_beside_the_gateway() -> None:
    layout = lay_out(ensemble(), ARCHITECTURE.variants[0].options)
    assert set(layout.beside) == set(LIGHT)
    assert sorted(layout.services, key=lambda s: MODELS.index(s.stages[0])) == MODEL_SERVICES


def test_grouped_models_read_from_the_same_stages() -> None:
    layout = lay_out(ensemble(), options("grouped"))
    assert {service.stages for service in layout.services} == {
        ("find",),
        ("left", "right"),
        ("tell",),
    }
    assert "service-left-right" in {service.name for service in layout.services}


@pytest.mark.parametrize("variant", ["split", "per_call"])
def test_split_gives_every_stage_a_process(variant: str) -> None:
    layout = lay_out(ensemble(), options(variant))
    assert layout.beside == ()
    assert {s.stages for s in layout.services} == {(name,) for name in (*LIGHT, *MODELS)}


def test_stages_of_two_graphs_are_hosted_once() -> None:
    short = Graph("short", (Node("find", {"image": "request.body"}),), answer="find.box")
    both = ensemble()
    both.GRAPHS["short"] = short  # type: ignore[index]
    hosted = [s for service in lay_out(both, options("split")).services for s in service.stages]
    assert sorted(hosted) == sorted((*LIGHT, *MODELS))
