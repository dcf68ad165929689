"""From a TOML file to a scenario; every mistake is named in words: file, key, value, meaning."""

import tomllib
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness.contradictions import contradictions
from harness.scenario import Scenario
from harness.section import Section
from workloads.meant import did_you_mean

AnySection = TypeVar("AnySection", bound=Section)


class ScenarioError(Exception):
    """A scenario that cannot be run as written; the message ends in what to do."""


_PLAIN = {
    "tuple_type": "must be a list",
    "model_type": "must be a section",
    "too_short": "must not be empty",
}
"""Words for mistakes whose usual message speaks of Python."""


_OTHERS = (
    "claims_change.toml",
    "claims_growth.toml",
    "effort.toml",
    "growth.toml",
    "prices.toml",
)


def scenario_files(folder: Path) -> list[Path]:
    """The scenarios of a folder, without the price sheet and effort's plans."""
    of_kinds = (folder.glob(f"{kind}/*.toml") for kind in ("patterns", "evidence"))
    found = {*folder.glob("*.toml"), *chain.from_iterable(of_kinds)}
    return sorted(path for path in found if path.name not in _OTHERS)


def read_scenario(path: Path) -> Scenario:
    """Read one scenario file; folders and files in it become absolute.

    Raises:
        ScenarioError: it is not there, not TOML, or says something that cannot be meant.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(
            f"{path}: cannot be read ({error}); "
            "`python -m harness list` shows the scenarios there are"
        ) from error
    scenario = parse_scenario(text, str(path))
    folder = path.parent.resolve()
    found = tuple(str((folder / part).resolve()) for part in scenario.ensemble.search_path)
    for part in found:
        if not Path(part).is_dir():
            raise ScenarioError(
                f"{path}: ensemble.search_path names {part}, which is no folder; "
                "folders are relative to the scenario's file"
            )
    ensemble = scenario.ensemble.model_copy(update={"search_path": found})
    load = scenario.load.model_copy(update={"trace": _trace(path, scenario)})
    return scenario.model_copy(update={"ensemble": ensemble, "load": load})


def _trace(path: Path, scenario: Scenario) -> str | None:
    if scenario.load.trace is None:
        return None
    found = (path.parent / scenario.load.trace).resolve()
    if not found.is_file():
        raise ScenarioError(
            f"{path}: load.trace names {found}, which is no file; "
            "it is relative to the scenario's file"
        )
    return str(found)


def parse_scenario(text: str, source: str) -> Scenario:
    """Read a scenario's text; ``source`` is named in errors.

    Raises:
        ScenarioError: with one line for each mistake.
    """
    scenario = parse(text, source, Scenario)
    found = [f"{source}: {words}" for words in contradictions(scenario)]
    if found:
        raise ScenarioError("\n".join(found))
    return scenario


def parse(text: str, source: str, shape: type[AnySection]) -> AnySection:
    """Read TOML as a section of keys; ``source`` is named in errors.

    Raises:
        ScenarioError: with one line for each mistake.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{source}: is not TOML: {error}; mend it there") from error
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        mistakes = [f"{source}: {_in_words(mistake, shape)}" for mistake in error.errors()]
        raise ScenarioError("\n".join(mistakes)) from error


def _in_words(mistake: ErrorDetails, shape: type[Section]) -> str:
    """One mistake: key, value, what was meant."""
    key = ".".join(str(part) for part in mistake["loc"])
    section, title, name = _place(mistake["loc"], shape)
    known = section.model_fields
    if mistake["type"] == "extra_forbidden":
        meant = did_you_mean(name, known)
        return f"there is no key {key!r}{meant}; {title} knows {', '.join(known)}"
    described = known[name].description if name in known else None
    meant = f"; meant is {described}" if described else ""
    if mistake["type"] == "missing":
        return f"{key!r} is missing{meant}"
    said = _PLAIN.get(mistake["type"], mistake["msg"][:1].lower() + mistake["msg"][1:])
    if isinstance(mistake["input"], Mapping):
        return f"{key}: {said}{meant}"
    return f"{key} = {mistake['input']!r}: {said}{meant}"


def _place(path: tuple[int | str, ...], shape: type[Section]) -> tuple[type[Section], str, str]:
    """The section a key stands in, how that section is written, and the key's own name there."""
    found = shape
    title = "the top of the file"
    for depth, part in enumerate(path):
        if isinstance(part, int) and depth < len(path) - 1:
            continue  # one of a list of sections
        declared = found.model_fields.get(str(part))
        inner = _section(declared.annotation) if declared else None
        if depth == len(path) - 1 or inner is None:
            return found, title, str(part)
        found, title = inner, f"[{'.'.join(map(str, path[: depth + 1]))}]"
    return found, title, ""


def _section(annotation: object) -> type[Section] | None:
    """The section a key holds, be it one that may be absent; none where nobody declares names."""
    if get_origin(annotation) is dict:
        return None
    for held in (annotation, *get_args(annotation)):
        if isinstance(held, type) and issubclass(held, Section):
            return held
    return None
