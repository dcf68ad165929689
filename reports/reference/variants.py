"""The built-in architectures and their variants, from the catalog."""

from architectures import catalog
from architectures.spec import Architecture, Variant
from reports.reference.keys import written
from reports.reference.markdown import code, table

_OURS = "architectures."


def built_in() -> list[Architecture]:
    """Those of this project, without what other distributions add here."""
    found = map(catalog.find, catalog.names())
    return [one for one in found if one.blueprint.__module__.startswith(_OURS)]


def listed() -> str:
    """An architecture a paragraph, with the table of its variants; the headline is the first."""
    return "\n\n".join(map(_architecture, built_in()))


def _architecture(architecture: Architecture) -> str:
    rows = [
        (code(f"{architecture.name}:{variant.name}"), variant.summary, _options(variant))
        for variant in architecture.variants
    ]
    head = f"## `{architecture.name}`\n\n{architecture.summary}"
    return f"{head}\n\n{table(('variant', 'what it is', 'options'), rows)}"


def _options(variant: Variant) -> str:
    return ", ".join(code(f"{name} = {written(value)}") for name, value in variant.options.items())
