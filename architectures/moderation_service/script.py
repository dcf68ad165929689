"""What the service does to each request, as data: read strictly, replaced part by part."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from architectures.null_service.behaviour import Behaviour

LATENCY = ("law", "mean_s", "shape", "modes", "seed")
"""Of the null service's options those that say how delays are drawn; the laws are the same."""


@dataclass(frozen=True, slots=True)
class Script:
    """A moderation service's behaviour.

    Attributes:
        latency: options of :class:`architectures.null_service.behaviour.Behaviour`, of ``LATENCY``.
        error_ratio: share of the requests answered with 500, after their delay.
        down: every connection is reset, as behind a balancer with nobody behind it.
        frozen: requests are taken and never answered.
        rejects: share of the images that are rejected; the same ones each time.
    """

    latency: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    error_ratio: float = 0.0
    down: bool = False
    frozen: bool = False
    rejects: float = 0.05

    def with_changes(self, changes: object) -> "Script":
        """This script with some parts replaced.

        Raises:
            ValueError: a part that does not exist, or a value that cannot be meant.
        """
        known = [one.name for one in fields(self)]
        if not isinstance(changes, dict) or not set(changes) <= set(known):
            raise ValueError(f"give a JSON object with some of {', '.join(known)}")
        for name, value in changes.items():
            _CHECKS[name](name, value)
        return replace(self, **changes)

    def delays_ns(self) -> list[int]:
        """Request i since the latency was set is kept for entry i, modulo their number."""
        delays: list[int] = Behaviour.from_options(self.latency).delays_ns().tolist()
        return delays

    def document(self) -> dict[str, Any]:
        """As JSON."""
        own = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**own, "latency": dict(self.latency)}


def _latency(name: str, value: object) -> None:
    if not isinstance(value, dict) or not set(value) <= set(LATENCY):
        raise ValueError(f"{name}: give a JSON object with some of {', '.join(LATENCY)}")
    try:
        Behaviour.from_options(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _share(name: str, value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError(f"{name} = {value!r}: give a number from 0 to 1")


def _switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} = {value!r}: give true or false")  # noqa: TRY004 - one kind


_CHECKS = {
    "latency": _latency,
    "error_ratio": _share,
    "down": _switch,
    "frozen": _switch,
    "rejects": _share,
}
