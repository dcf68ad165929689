"""Ray Serve: the ensemble as Serve deployments behind one of Serve's two HTTP ingresses.

``tuned`` is what Serve's authors recommend for throughput: HAProxy in front of the replicas, the
throughput flags, gRPC between deployments. ``default`` is what a newcomer gets by following the
model-composition guide. Either layout stands behind either ingress, so each choice can be priced.

Importing this module does not import Ray.
"""

import sys

from architectures.contract import READY_PATH
from architectures.ray_serve.environment import environment
from architectures.server_config import HOST, for_launch
from architectures.spec import Architecture, Blueprint, Component, Launch, Variant

_DRIVER = "driver"


def blueprint(launch: Launch) -> Blueprint:
    """One component, Serve's driver: it starts Ray, and every other process is its descendant.

    Raises:
        ValueError: ``launch.directory`` is too long for the unix sockets Ray makes below it.
    """
    port = launch.port()
    config = for_launch(launch, ARCHITECTURE.name, port, (_DRIVER,))
    url = f"http://{HOST}:{port}"
    driver = Component(
        name=_DRIVER,
        argv=(sys.executable, "-m", "architectures.ray_serve.server"),
        ready_url=url + READY_PATH,
        env={**config.environment(), **environment(launch)},
    )
    return Blueprint(components=(driver,), url=url)


ARCHITECTURE = Architecture(
    name="ray_serve",
    summary="Ray Serve deployments with @serve.batch behind Serve's own HTTP ingress.",
    variants=(
        Variant(
            "tuned",
            "HAProxy ingress, throughput flags; one deployment runs the whole graph in batches",
            {"ingress": "haproxy", "layout": "fused"},
        ),
        Variant(
            "tuned_split",
            "HAProxy ingress, throughput flags; a deployment a model stage, a gRPC message a batch",
            {"ingress": "haproxy", "layout": "split", "message": "batch"},
        ),
        Variant(
            "default",
            "Serve's Python proxy and default flags; one deployment a model stage, a call a member",
            {"ingress": "proxy", "layout": "split", "message": "member"},
        ),
        Variant(
            "default_fused",
            "Serve's Python proxy and default flags; one deployment runs the whole graph",
            {"ingress": "proxy", "layout": "fused"},
        ),
    ),
    blueprint=blueprint,
)
