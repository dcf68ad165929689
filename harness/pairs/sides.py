"""One side of a comparison: what is run for it, and where."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from architectures.catalog import CatalogError
from harness.pairs.asked import Asked, SideError
from harness.pairs.document import document_of, importable, key_of, moved, with_sut, with_url
from harness.pairs.environments import beside, interpreter_for
from harness.pairs.record import SIDES, SideName, SideRecord
from harness.pairs.revisions import Checkout, Revision, git
from harness.remote import is_remote

CACHE = Path(".cache", "gate")
"""Environments of revisions, in the checkout; kept for the next gate."""


@dataclass(frozen=True, slots=True)
class Side:
    """What plays a side's blocks.

    Attributes:
        document: its scenario as TOML read it, without ``[gate]``; its paths are absolute; ``suts``
            names its one SUT.
        interpreter: the Python that has the side's dependencies.
        folder: the checkout it is run in; its packages are found there before any other's.
        environment: variables beside the caller's.
        restart: a command that gives a running service a fresh start before each of its blocks;
            None for deployments, which are always fresh, and for services nobody restarts.
    """

    record: SideRecord
    document: Mapping[str, Any]
    interpreter: str
    folder: Path
    environment: Mapping[str, str]
    restart: str | None = None


@contextmanager
def opened(
    asked: Asked, folder: Path, *, cache: Path | None = None, install: str | None = None
) -> Iterator[tuple[Side, Side]]:
    """Make both sides ready to be played, until the block ends.

    Revisions become worktrees, which are removed however the block ends; those that a killed gate
    left are removed first. Byte code is compiled, so that no side's first start-up does it.

    Args:
        asked: what is compared.
        folder: worktrees are made in it.
        cache: environments are made in it and kept; None is ``.cache/gate`` of the checkout.
        install: a shell command that fills a revision's environment; None is pip's.

    Yields:
        The baseline and the candidate.

    Raises:
        CatalogError: a SUT that is not there.
        ScenarioError: a scenario that cannot be run.
        SideError: anything else that cannot be compared as asked.
    """
    documents = {name: _document(asked, name) for name in SIDES}
    top = _top()
    with ExitStack() as made:
        places = {name: _Place(top, "the working tree") for name in SIDES}
        for name, (checkout, revision) in _revisions(asked).items():
            tree = made.enter_context(checkout.worktree(revision, folder))
            places[name] = _Place(tree, revision.label, revision.commit)
        for place in places.values():
            place.interpreter = interpreter_for(place.folder, top, cache or top / CACHE, install)
            _compile(place)
        baseline, candidate = (
            _side(asked, name, documents[name], places[name], top) for name in SIDES
        )
        yield baseline, candidate


@dataclass(slots=True)
class _Place:
    """Where a side is run, and by what."""

    folder: Path
    label: str
    commit: str | None = None
    interpreter: str = sys.executable

    @property
    def roots(self) -> tuple[Path, ...]:
        """Where its own packages lie."""
        return (self.folder / "src" if (self.folder / "src").is_dir() else self.folder,)


def _top() -> Path:
    """The folder of the checkout we stand in, or the one we stand in."""
    with suppress(SideError):
        return Checkout.around(Path.cwd()).top
    return Path.cwd()


def _revisions(asked: Asked) -> dict[SideName, tuple[Checkout, Revision]]:
    """Those that are asked for, found before anything is made of them."""
    words = {name: asked.word(name) for name in SIDES}
    named = {name: word.value for name, word in words.items() if word.kind == "revision"}
    if not named:
        return {}
    checkout = Checkout.around(Path.cwd())
    checkout.sweep()
    return {name: (checkout, checkout.resolve(value)) for name, value in named.items()}


def _side(asked: Asked, name: SideName, document: dict[str, Any], place: _Place, top: Path) -> Side:
    if place.commit is not None:
        document = moved(document, top, place.folder, place.label)
    document = importable(document, place.roots)
    record = _record(asked, name, document, place)
    path = os.pathsep.join([*map(str, place.roots), *_inherited()])
    environment = {**beside(place.interpreter), "PYTHONPATH": path}
    restart = asked.restart.get(name)
    return Side(record, document, place.interpreter, place.folder, environment, restart)


def _record(asked: Asked, name: SideName, document: Mapping[str, Any], place: _Place) -> SideRecord:
    word, differ_in, scenario = asked.word(name), asked.differ_in, _scenario(asked, name)
    remote = is_remote(document["suts"][0])
    if remote and differ_in == "revision" and not asked.identical:
        raise SideError(
            f"{scenario}: its SUT is a running service, which is the same whatever is checked out "
            "here; compare two url=, or a SUT that is deployed"
        )
    if name in asked.restart and not remote:
        raise SideError(
            f"a restart is given for the {name}, which is deployed afresh for each block anyway; "
            "leave it out"
        )
    sut = _key(document, scenario, place)
    labels = {"variant": sut, "scenario": str(scenario), "url": word.value}
    return SideRecord(
        name=name,
        kind=word.kind if differ_in == "revision" else differ_in,
        label=labels.get(differ_in, place.label),
        revision=place.commit,
        sut=sut,
        scenario=str(scenario),
        fresh=not remote or name in asked.restart,
    )


def _scenario(asked: Asked, name: SideName) -> Path:
    word = asked.word(name)
    return Path(word.value) if word.kind == "scenario" else asked.scenario


def _document(asked: Asked, name: SideName) -> dict[str, Any]:
    word, scenario = asked.word(name), _scenario(asked, name)
    document = document_of(scenario)
    if word.kind == "url":
        return with_url(document, name, word.value)
    return with_sut(document, word.value if word.kind == "variant" else asked.sut, scenario)


def _key(document: Mapping[str, Any], scenario: Path, place: _Place) -> str:
    """Its SUT's key; what only a revision has is named as it was asked for."""
    if place.commit is None:
        return key_of(document, scenario)
    with suppress(CatalogError):
        return key_of(document, scenario)
    return str(document["suts"][0])


def _inherited() -> list[str]:
    return [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]


def _compile(place: _Place) -> None:
    """Compile what git tracks, as far as it can be: a new worktree has no byte code yet.

    Otherwise a revision's first start-up would compile, the working tree's would not, and the
    first pair would compare that.
    """
    with suppress(SideError):
        listed = git(place.folder, "-c", "core.quotePath=false", "ls-files", "*.py").stdout
        if not listed:  # compileall without a file would compile all that is installed
            return
        subprocess.run(
            [place.interpreter, "-m", "compileall", "-q", "-q", "-j", "0", "-i", "-"],
            input=listed,
            cwd=place.folder,
            text=True,
            capture_output=True,
            check=False,
        )
