"""Finding an architecture and a variant by the name a scenario writes."""

import difflib
import importlib
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from architectures.spec import Architecture, Variant

ENTRY_POINT_GROUP = "servebench.architectures"
"""Third parties join here: ``name = "their.module:ARCHITECTURE"``."""

_BUILT_IN = {
    name: f"architectures.{name}:ARCHITECTURE"
    for name in ("monolith", "microservices", "ray_serve", "null_service", "remote")
}


class CatalogError(Exception):
    """A name that is not there, or whose module cannot be loaded."""


def names() -> tuple[str, ...]:
    """Every architecture's name, the built-in ones first."""
    return tuple(_references())


def find(name: str) -> Architecture:
    """The architecture of that name; only its own module is imported.

    Raises:
        CatalogError: there is none, or its module cannot be imported.
    """
    references = _references()
    if name not in references:
        raise CatalogError(_unknown("architecture", name, references))
    module_name, _, attribute = references[name].partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise CatalogError(
            f"architecture {name!r} cannot be loaded from {references[name]}: {error}; "
            "install what it needs, or leave it out of the scenario"
        ) from error
    if not isinstance(found, Architecture):
        raise CatalogError(
            f"{references[name]} is a {type(found).__name__}, not an Architecture; "
            "architectures/spec.py says what it must be"
        )
    return found


def variant_of(architecture: Architecture, name: str) -> Variant:
    """A variant by name; the empty name means the headline.

    Raises:
        CatalogError: the architecture has no such variant.
    """
    if not name:
        return architecture.variants[0]
    by_name = {variant.name: variant for variant in architecture.variants}
    if name not in by_name:
        raise CatalogError(_unknown(f"variant of {architecture.name}", name, by_name))
    return by_name[name]


def parse(reference: str) -> tuple[Architecture, Variant]:
    """Read ``architecture`` or ``architecture:variant``.

    Raises:
        CatalogError: either is unknown.
    """
    name, _, variant = reference.partition(":")
    architecture = find(name)
    return architecture, variant_of(architecture, variant)


def _references() -> dict[str, str]:
    joined: Iterable[EntryPoint] = entry_points(group=ENTRY_POINT_GROUP)
    return {**{point.name: point.value for point in joined}, **_BUILT_IN}


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    choices = list(known)
    near = difflib.get_close_matches(name, choices, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no {kind} {name!r}{meant} There are: {', '.join(choices)}"
