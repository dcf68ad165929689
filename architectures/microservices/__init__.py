"""Stages in processes of their own, behind a gateway that walks the graph.

The gateway answers the contract and calls each stage by one hop: HTTP, gRPC or a broker, over
connections that stay open, raw tensors in the messages. No stage or graph is known by name here.
"""

import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace

from architectures import contract, server_config
from architectures.microservices.layout import lay_out
from architectures.plugin import load_ensemble
from architectures.server_config import HOST, ServerConfig
from architectures.spec import Architecture, Blueprint, Component, Launch, Variant

_NAME = "microservices"
_GATEWAY = "gateway"
_HEADLINE = {"light": "gateway", "group": "stage", "message": "batch", "transport": "http"}
_BROKER_SHARE = 4
"""Of the SUT's memory, the broker may hold one part in so many."""


def _blueprint(launch: Launch) -> Blueprint:
    layout = lay_out(load_ensemble(launch.ensemble), launch.variant.options)
    names = [service.name for service in layout.services]
    broker = _broker(launch)
    port = launch.port()
    shared = server_config.for_launch(launch, _NAME, port, (*broker, *names, _GATEWAY))
    ports = {name: launch.port() for name in names}
    peers = broker or _peers(launch, ports)
    services = [
        _component(name, "service", replace(shared, role=name, port=ports[name], peers=peers))
        for name in names
    ]
    gateway = _component(_GATEWAY, "gateway", replace(shared, role=_GATEWAY, peers=peers))
    first = [_broker_component(launch, name, replace(shared, peers=peers)) for name in broker]
    return Blueprint((*first, *services, gateway), _url(port))


def _broker_component(launch: Launch, name: str, config: ServerConfig) -> Component:
    memory = {"broker_memory_bytes": launch.claim.memory_bytes // _BROKER_SHARE}
    config = replace(config, role=name, port=launch.port(), options={**config.options, **memory})
    return _component(name, "over_broker.redis_server", config)


def _peers(launch: Launch, ports: Mapping[str, int]) -> dict[str, str]:
    """Where each service takes messages: at its own port, or for gRPC at one beside it."""
    if launch.variant.options["transport"] == "grpc":
        return {name: f"{HOST}:{launch.port()}" for name in ports}
    return {name: _url(port) for name, port in ports.items()}


def _broker(launch: Launch) -> dict[str, str]:
    """The broker's name and URL, where there is one; its password is this deployment's alone.

    Raises:
        BackendError: there is no ``redis-server``.
    """
    if launch.variant.options["transport"] != "broker":
        return {}
    from architectures.microservices.over_broker import BROKER
    from architectures.microservices.over_broker.redis_server import program

    program()
    return {BROKER: f"redis://:{secrets.token_urlsafe(24)}@{HOST}:{launch.port()}"}


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
    summary="A process for each model behind a gateway: raw tensors, connections kept open.",
    variants=(
        _variant(
            "fused_cpu",
            "A service for each model, pre- and post-processing beside the gateway; "
            "calls that wait for one service share a message, over HTTP.",
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
        _variant(
            "grpc",
            "As fused_cpu, but over gRPC in the Open Inference Protocol, version 2.",
            transport="grpc",
        ),
        _variant(
            "broker",
            "As fused_cpu, but through a broker of its own: Redis Streams, a consumer group a "
            "stage.",
            transport="broker",
        ),
    ),
    blueprint=_blueprint,
)
