"""No model, known delays: the floor of every measurement, and the oracle of its tests."""

import sys

from architectures.contract import READY_PATH
from architectures.server_config import HOST, for_launch
from architectures.spec import Architecture, Blueprint, Component, Launch, Variant

_COMPONENT = "server"


def blueprint(launch: Launch) -> Blueprint:
    """One process."""
    config = for_launch(launch, ARCHITECTURE.name, launch.port(), (_COMPONENT,))
    url = f"http://{HOST}:{config.port}"
    server = Component(
        _COMPONENT,
        (sys.executable, "-m", "architectures.null_service.server"),
        url + READY_PATH,
        config.environment(),
    )
    return Blueprint((server,), url)


ARCHITECTURE = Architecture(
    name="null_service",
    summary="The same door with known delays in place of models: what measuring itself costs.",
    variants=(
        Variant("floor", "Answers at once."),
        Variant("delay_20ms", "Answers after 20 ms, every time.", {"mean_s": 0.02}),
    ),
    blueprint=blueprint,
    answers=False,
)
