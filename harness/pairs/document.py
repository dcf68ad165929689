"""A side's scenario as TOML: one SUT, absolute paths, and of a revision its own ensemble."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from architectures import catalog
from harness.pairs.asked import SideError
from harness.remote import REMOTE, declared, is_remote
from harness.scenario_file import parse_scenario, read_scenario


def document_of(path: Path) -> dict[str, Any]:
    """A scenario's document without ``[gate]``; its paths are absolute.

    Raises:
        ScenarioError: it cannot be run as written.
    """
    scenario = read_scenario(path)
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    document.pop("gate", None)
    if scenario.ensemble.search_path:
        document["ensemble"]["search_path"] = list(scenario.ensemble.search_path)
    if scenario.load.trace is not None:
        document["load"]["trace"] = scenario.load.trace
    return document


def with_sut(document: Mapping[str, Any], sut: str | None, scenario: Path) -> dict[str, Any]:
    """The document with its one SUT.

    Raises:
        SideError: it names several, and nobody said which.
    """
    named = [sut] if sut else list(document["suts"])
    if len(named) > 1:
        raise SideError(
            f"{scenario}: names {len(named)} SUTs, and one is compared with itself: "
            f"{', '.join(named)}; choose by --sut"
        )
    return {**document, "suts": named}


def key_of(document: Mapping[str, Any], scenario: Path) -> str:
    """Its SUT as ``architecture:variant``, or ``remote:NAME``.

    Raises:
        CatalogError, ScenarioError: there is none of that name here.
    """
    (sut,) = document["suts"]
    if is_remote(sut):
        architecture, variant = declared(parse_scenario(as_toml(document), str(scenario)), sut)
    else:
        architecture, variant = catalog.parse(sut)
    return f"{architecture.name}:{variant.name}"


def with_url(document: Mapping[str, Any], name: str, url: str) -> dict[str, Any]:
    """The document whose one SUT is a running service.

    What a section ``[remote.NAME]`` says of that URL is kept: its path, its readiness, its answers.
    Where there is one section only, it says so of both services: they differ in their URL alone.
    """
    sections: dict[str, dict[str, Any]] = document.get("remote", {})
    known = {key for key, found in sections.items() if found["url"].rstrip("/") == url}
    meant = sorted(known or (sections if len(sections) == 1 else ()))
    section = {**(sections[meant[0]] if meant else {}), "url": url}
    return {**document, "remote": {name: section}, "suts": [f"{REMOTE}:{name}"]}


def moved(document: Mapping[str, Any], top: Path, tree: Path, label: str) -> dict[str, Any]:
    """The document with the folders of its ensemble as they are in a revision's worktree.

    The trace stays where it is: it is what is asked, and both sides are asked the same.

    Args:
        document: as it is for the checkout.
        top: the checkout's folder.
        tree: the worktree's.
        label: the revision, in words.

    Raises:
        SideError: the revision has no such folder.
    """
    found = document.get("ensemble", {}).get("search_path", [])
    paths = [_moved(Path(path), top, tree, label) for path in found]
    return {**document, "ensemble": {**document.get("ensemble", {}), "search_path": paths}}


def _moved(path: Path, top: Path, tree: Path, label: str) -> str:
    if not path.is_relative_to(top):
        return str(path)
    part = path.relative_to(top)
    if not (tree / part).is_dir():
        raise SideError(
            f"ensemble.search_path names {path}, and {label} has no folder {part}; commit it, "
            "move it out of the checkout, or compare with a revision that has it"
        )
    return str(tree / part)


def importable(document: Mapping[str, Any], roots: tuple[Path, ...]) -> dict[str, Any]:
    """The document whose ensemble is found in ``roots`` first, if that is where it lies.

    Components see no PYTHONPATH of a caller's. Without this, an ensemble that is installed from the
    working tree would be served by both sides, and no change of it could ever be seen.
    """
    section = document.get("ensemble", {})
    top, _, _ = str(section.get("module", "architectures")).partition(".")
    here = [str(root) for root in roots if _package(root, top)]
    if top == "architectures" or not here:
        return dict(document)
    paths = [*section.get("search_path", []), *here]
    return {**document, "ensemble": {**section, "search_path": paths}}


def _package(root: Path, name: str) -> bool:
    return (root / f"{name}.py").is_file() or (root / name).is_dir()


def as_toml(document: Mapping[str, Any]) -> str:
    """The document as a file's text."""
    return tomli_w.dumps(document)
