"""The shelf as a page: offline, one file, a table that a script makes searchable."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from reports.page import resource, templates
from reports.shelf.entry import Entry
from reports.shelf.read import ShelfError

TONES = {
    "complete": "good",
    "interrupted": "doubt",
    "unfinished": "doubt",
    "running": "muted",
    "": "muted",
}
"""How a status is shown; what is not named here is bad."""


def write_index(out: Path, runs: Path, entries: Sequence[Entry]) -> Path:
    """Write the page; a half-written file is never left under this name. Returns its path.

    Args:
        out: where it goes.
        runs: the shelf; links are relative to the page.
        entries: in the order they are to stand in.

    Raises:
        ShelfError: it cannot be written.
    """
    page = out.resolve()
    partial = page.with_name(f".{page.name}.partial")
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(render(entries, _towards(runs.resolve(), page.parent)), encoding="utf-8")
        partial.replace(page)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ShelfError(f"{page} cannot be written: {error.strerror}") from error
    return page


def _towards(runs: Path, folder: Path) -> str:
    """How to get from the page's folder to the shelf, as a link begins; empty from within it."""
    way = os.path.relpath(runs, folder)
    return "" if way == os.curdir else f"{quote(Path(way).as_posix())}/"


def render(entries: Sequence[Entry], towards: str = "") -> str:
    """The whole page.

    Args:
        entries: what lies on the shelf.
        towards: what links to it begin with.
    """
    return (
        templates()
        .get_template("index.html.j2")
        .render(
            entries=entries,
            towards=towards,
            link=quote,
            variants=_variants,
            tones=TONES,
            choices=_choices(entries),
            style=resource("report.css"),
            script=resource("index.js"),
            plotly="",
        )
    )


def _variants(entry: Entry, architecture: str) -> str:
    """An architecture's variants among the SUTs, in their order."""
    parts = (sut.partition(":") for sut in entry.suts)
    return ", ".join(variant for name, _, variant in parts if name == architecture and variant)


def _choices(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """What a filter offers, by its key."""
    found: dict[str, set[str]] = {
        "tag": {tag for entry in entries for tag in entry.tags},
        "scenario": {entry.scenario for entry in entries},
        "architecture": {one for e in entries for one in (*e.architectures, *e.suts)},
        "status": {entry.status for entry in entries},
        "kind": {entry.kind for entry in entries},
    }
    return {key: sorted(values - {""}) for key, values in found.items()}
