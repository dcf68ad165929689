"""Sections of TOML files as tables of their keys, from the models that read them."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.section import Section
from reports.reference.markdown import code, table

Schema = Mapping[str, Any]

_UNITS = {
    "_s": "s",
    "_rps": "rps",
    "_gib": "GiB",
    "_usd": "USD",
    "_ms": "ms",
    "_bytes": "bytes",
    "_ratio": "share",
}
"""Units stand in names; a key ends in its own."""

_UNITS_OF = {
    "percentile": "%",
    "share": "share",
    "at": "share",
    "until": "share",
    "precision": "share",
    "confidence": "probability",
    "error": "probability",
}
"""And of keys whose name says what they are without one."""

_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "object": "table",
}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
}
_SECTIONS = {
    "[{}]": "section",
    "[[{}]]": "list of sections",
    "[{}.NAME]": "sections by name",
}
"""How the heading of a section is written, and what it is to the key that holds it."""

_HEAD = ("key", "value", "unit", "if absent", "meaning")


def sections(shape: type[Section]) -> str:
    """Every key of a file: the top of it first, then each section under a heading of its own."""
    whole = shape.model_json_schema()
    return "\n\n".join(_sections(whole, whole, ""))


def table_of(shape: type[Section]) -> str:
    """The keys of one section, without those of sections inside."""
    whole = shape.model_json_schema()
    return _table(whole, whole)


def _sections(at: Schema, whole: Schema, title: str) -> Iterator[str]:
    head = f"## `{title}`" if title else "## The top of the file"
    yield f"{head}\n\n{first_sentence(at.get('description', ''))}\n\n{_table(at, whole)}"
    for name, declared in at["properties"].items():
        held = _held(declared, whole)
        if held is not None:
            inside, form = held
            path = f"{_path(title)}{name}"
            yield from _sections(inside, whole, form.format(path))


def _path(title: str) -> str:
    return f"{title.strip('[]')}." if title else ""


def first_sentence(words: str) -> str:
    """A docstring's first paragraph on one line, its code as Markdown has it."""
    return " ".join(words.partition("\n\n")[0].split()).replace("``", "`")


def _table(at: Schema, whole: Schema) -> str:
    required = at.get("required", ())
    rows = [
        (
            code(name),
            kind,
            unit(name) if "number" in kind else "",
            "**must be given**" if name in required else absent(declared, whole),
            _meaning(declared, whole),
        )
        for name, declared in at["properties"].items()
        for kind in (value(declared, whole),)
    ]
    return table(_HEAD, rows)


def _meaning(declared: Schema, whole: Schema) -> str:
    """A key's own words, or those of the section it holds."""
    held = _held(declared, whole)
    said = held[0].get("description", "") if held else ""
    return str(declared.get("description") or first_sentence(said))


def _held(declared: Schema, whole: Schema) -> tuple[Schema, str] | None:
    """The section a key holds, and how its heading is written; None where it holds a value."""
    for one in (declared, *declared.get("anyOf", ())):
        if "$ref" in one:
            return _resolved(one, whole), "[{}]"
        items, named = one.get("items"), one.get("additionalProperties")
        if isinstance(items, Mapping) and "$ref" in items:
            return _resolved(items, whole), "[[{}]]"
        if isinstance(named, Mapping) and "$ref" in named:
            return _resolved(named, whole), "[{}.NAME]"
    return None


def _resolved(reference: Schema, whole: Schema) -> Schema:
    found: Schema = whole["$defs"][reference["$ref"].rpartition("/")[2]]
    return found


def unit(name: str) -> str:
    """The unit that a key's name ends in; empty where it has none."""
    ending = (unit for ending, unit in _UNITS.items() if name.endswith(ending))
    return _UNITS_OF.get(name) or next(ending, "")


def absent(declared: Schema, whole: Schema) -> str:
    """What holds where a key is not written."""
    default = declared.get("default")
    held = _held(declared, whole)
    if default in (None, [], {}, ""):
        return "none"
    return "as its keys say" if held is not None else code(written(default))


def written(default: object) -> str:
    """A value as TOML has it."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, str):
        return f'"{default}"'
    if isinstance(default, list | tuple):
        return f"[{', '.join(map(written, default))}]"
    return f"{default:,.12g}".replace(",", "_") if isinstance(default, float) else str(default)


def value(declared: Schema, whole: Schema) -> str:
    """What may be written for a key, in words."""
    held = _held(declared, whole)
    if held is not None:
        return _SECTIONS[held[1]]
    kinds = [one for one in declared.get("anyOf", (declared,)) if one.get("type") != "null"]
    if {one.get("type") for one in kinds} == {"number", "string"}:
        return "rate"
    return " or ".join(map(_kind, kinds))


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(code(written(one)) for one in schema["enum"])
    if "const" in schema:
        return code(written(schema["const"]))
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"list of {_plural(value(items, {}))}" if items else "list"
    if schema.get("type") == "object":
        inside = schema.get("additionalProperties")
        return f"table of {_plural(_kind(inside))}" if isinstance(inside, Mapping) else "table"
    limits = [words.format(written(schema[key])) for key, words in _BOUNDS.items() if key in schema]
    return ", ".join([_TYPES.get(str(schema.get("type")), "any"), *limits])


def _plural(kind: str) -> str:
    """Of the first word of what a list holds."""
    for one, many in (("whole number", "whole numbers"), ("number", "numbers"), ("rate", "rates")):
        if kind.startswith(one):
            return many + kind.removeprefix(one)
    return {"text": "texts", "table": "tables", "any": "values"}.get(kind, kind)
