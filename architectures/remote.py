"""A service that runs already, whoever started it: named here, declared in the scenario.

There is nothing to start, so there is no blueprint: the harness attaches to its URL.
"""

from typing import NoReturn

from architectures.spec import Architecture, Launch, Variant


def blueprint(_: Launch) -> NoReturn:
    """Refuse: what runs already is not deployed."""
    raise NotImplementedError("a remote service is attached to, not deployed")


ARCHITECTURE = Architecture(
    name="remote",
    summary="A service that runs already, asked over HTTP and left alone otherwise.",
    variants=(Variant("NAME", "The one that [remote.NAME] of the scenario declares, by its URL."),),
    blueprint=blueprint,
)
