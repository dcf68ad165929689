"""Whether what is installed here is what another checkout asks for, so that it need not be made.

A version of the project, a linter's rule or one dependency more in the newer of two revisions
changes their pyproject.toml and not what the older one runs on.
"""

import re
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_COMPARED = {"pyproject.toml", "constraints.txt"}
_NEVER_FROZEN = {"pip", "setuptools", "wheel"}
"""`pip freeze` leaves them out, though torch asks for one of them."""

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;#]+)")


def satisfied(
    folder: Path, own: Path, asked: Mapping[str, bytes], ours: Mapping[str, bytes]
) -> bool:
    """Whether this interpreter has every dependency of ``folder`` in the version it would install.

    It can be told only where pyproject.toml lists them, constraints.txt pins each, and all other
    inputs of the installation are the same.

    Args:
        folder: the checkout that is to be run.
        own: the checkout this interpreter was installed for.
        asked: ``folder``'s inputs: name -> content.
        ours: the same of ``own``.
    """
    rest = [{n: c for n, c in files.items() if n not in _COMPARED} for files in (asked, ours)]
    if rest[0] != rest[1] or not asked.keys() >= _COMPARED or not ours.keys() >= _COMPARED:
        return False
    project, other = (_project(path) for path in (folder, own))
    if project is None or other is None or project.get("name") != other.get("name"):
        return False
    pins = _pins(asked["constraints.txt"].decode(errors="replace"))
    try:
        return _all_here(_required(project.get("dependencies", []), set()), pins)
    except InvalidRequirement:
        return False


def _project(folder: Path) -> dict[str, Any] | None:
    """[project] of its pyproject.toml; None where it does not list its dependencies there."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError):
        return None
    return None if "dependencies" in project.get("dynamic", ()) else dict(project)


def _pins(constraints: str) -> dict[str, str]:
    found = (_PIN.match(line.strip()) for line in constraints.splitlines())
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


def _all_here(wanted: list[Requirement], pins: Mapping[str, str]) -> bool:
    """Walk what is required, and what that requires, until all of it was looked at."""
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            return False
        if not _as_pinned(requirement, found.version, pins):
            return False
        if not requirement.specifier.contains(found.version, prereleases=True):
            return False
        wanted += _required(found.requires or [], requirement.extras)
    return True


def _as_pinned(requirement: Requirement, version: str, pins: Mapping[str, str]) -> bool:
    """Whether an installation would choose it, as constraints.txt or who asks for it says.

    What stands behind a + tells how it was built: torch for CPU and for GPU are of one version. The
    one for GPU asks for libraries that the other's frozen list has not, each in one version.
    """
    name = canonicalize_name(requirement.name)
    if name in pins:
        return version.partition("+")[0] == pins[name].partition("+")[0]
    exact = any(one.operator == "==" and "*" not in one.version for one in requirement.specifier)
    return exact or name in _NEVER_FROZEN


def _required(lines: list[str], extras: set[str]) -> list[Requirement]:
    """Those that hold here, for the extras that are asked for."""
    every = map(Requirement, lines)
    environments = [{"extra": extra} for extra in ("", *extras)]
    return [
        one
        for one in every
        if one.marker is None or any(one.marker.evaluate(where) for where in environments)
    ]
