"""Everything on the shelf, newest first. What cannot be read is a row that says so."""

import html
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.tags import TagError
from reports.shelf.documents import UnreadableError
from reports.shelf.entry import Entry
from reports.shelf.kinds import marker_of
from reports.shelf.tags import read_later

INDEX = "index.html"
COMPARISONS = "compare"
"""The folder in which ``python -m reports compare`` puts a folder a comparison."""

_STAMP = re.compile(r"(\d{8})-(\d{6})")
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_TITLE_WITHIN = 65_536


class ShelfError(Exception):
    """The shelf cannot be read or written; the message says what to do."""


def read_shelf(runs: Path) -> list[Entry]:
    """Everything in a folder of runs, newest first.

    Args:
        runs: the folder; runs lie in it, not deeper. A gate's sides are parts of the gate.

    Raises:
        ShelfError: there is no such folder.
    """
    try:
        found = sorted(runs.iterdir())
    except OSError as error:
        raise ShelfError(
            f"{runs} is no folder of runs ({error.strerror}); give the one that runs are written "
            "to, for example runs"
        ) from error
    if (runs / COMPARISONS).is_dir():
        found += sorted((runs / COMPARISONS).iterdir())
    entries = [entry for path in found if (entry := _entry(path, runs)) is not None]
    return sorted(entries, key=lambda entry: (entry.at, entry.name), reverse=True)


def _entry(path: Path, runs: Path) -> Entry | None:
    """What lies there; None if none of ours, or only a link to something beside it."""
    try:
        if path.is_symlink() and path.resolve().parent == runs.resolve():
            return None
        if path.is_dir():
            return entry_of(path, runs) if marker_of(path) else None
        return _page(path) if path.suffix == ".html" and path.name != INDEX else None
    except OSError as error:
        name, why = path.relative_to(runs).as_posix(), error.strerror or error
        return Entry("unknown", name, status="unreadable", doubt=f"{path}: {why}")


def entry_of(folder: Path, runs: Path) -> Entry:
    """What a folder says of itself.

    Args:
        folder: of a run, or of anything else on the shelf.
        runs: the shelf, to which its name and its page are relative.

    Raises:
        ShelfError: it is no folder of ours.
    """
    marker = marker_of(folder)
    if marker is None:
        raise ShelfError(f"{folder} is no run; give a directory under runs/, such as runs/latest")
    try:
        entry = marker.read(folder)
        command = marker.makes.replace("FOLDER", shlex.quote(str(folder)))
    except UnreadableError as error:
        entry, command = _unreadable(folder, str(error)), ""
    name = folder.relative_to(runs).as_posix()
    page = f"{name}/{marker.page}" if (folder / marker.page).is_file() else ""
    return replace(_tagged(entry, folder), name=name, page=page, command=command)


def _unreadable(folder: Path, why: str) -> Entry:
    found = _STAMP.match(folder.name)
    when = f"{found[1]}T{found[2]}+00:00" if found else ""
    return Entry("unknown", folder.name, when, status="unreadable", doubt=why)


def _tagged(entry: Entry, folder: Path) -> Entry:
    try:
        return replace(entry, tags=read_later(folder).over(entry.tags))
    except TagError as error:
        return replace(entry, doubt="; ".join(filter(None, (entry.doubt, str(error)))))


def _page(path: Path) -> Entry:
    """A page that lies beside the runs, such as that of the stored ones."""
    with path.open(encoding="utf-8", errors="replace") as file:
        found = _TITLE.search(file.read(_TITLE_WITHIN))
    title = html.unescape(found[1]).split("\N{MIDDLE DOT}")[0].strip() if found else ""
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return Entry("page", path.name, changed, answer=title, page=path.name)
