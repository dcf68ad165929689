"""Stages in processes of their own, behind a gateway that walks the graph.

The gateway answers the contract and calls each stage by one hop: HTTP over a connection that stays
open, raw tensors in the body. No stage or graph is known by name here.
"""

import sys
from dataclasses import replace

from architectures import contract, server_config
from architectures.microservices.layout import lay_out
from architectures.plugin import load_ensemble
from architectures.server_config import HOST, ServerConfig
from architectures.spec import Architecture, Blueprint, Component, Launch, Variant

_NAME = "microservices"
_GATEWAY = "gateway"
_HEADLINE = {"light": "gateway", "group": "stage", "message": "batch"}


def _blueprint(launch: Launch) -> Blueprint:
    layout = lay_out(load_ensemble(launch.ensemble), launch.variant.options)
    names = [service.name for service in layout.services]
    port = launch.port()
    shared = server_config.for_launch(launch, _NAME, port, (*names, _GATEWAY))
    ports = {name: launch.port() for name in names}
    peers = {name: _url(ports[name]) for name in names}
    services = [
        _component(name, "service", replace(shared, role=name, port=ports[name])) for name in names
    ]
    gateway = _component(_GATEWAY, "gateway", replace(shared, role=_GATEWAY, peers=peers))
    return Blueprint((*services, gateway), _url(port))


def _component(name: str, module: str, config: ServerConfig) -> Component:
    return Component(
        name,
        (sys.executable, "-m", f"{__name__}.{module}"),
        _url(config.port) + contract.READY_PATH,
        config.environment(),
    )


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _variant(name: str, summary: str, **options: object) -> Variant:
    return Variant(name, summary, {**_HEADLINE, **options})


ARCHITECTURE = Architecture(
    name=_NAME,
    summary="A process for each model behind a gateway: HTTP, raw tensors, connections kept open.",
    variants=(
        _variant(
            "fused_cpu",
            "A service for each model, pre- and post-processing beside the gateway; "
            "calls that wait for one service share a message.",
        ),
        _variant(
            "grouped",
            "As fused_cpu, but models that read from the same stages share a service: "
            "fewer processes, less memory.",
            group="sources",
        ),
        _variant(
            "split",
            "A service for every stage, pre- and post-processing too.",
            light="service",
        ),
        _variant(
            "per_call",
            "The usual form: a service for every stage, a message for every call, "
            "batches found by the service.",
            light="service",
            message="call",
        ),
    ),
    blueprint=_blueprint,
)
