"""A folder of stored runs: a file each, added by any number of processes, none of which is lost."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.record import write_record
from reports.stored.record import STORED_FORMAT, StoredRun

DEFAULT_STORE = Path("reports/baselines")


class StoreError(Exception):
    """A folder that is no store, or cannot be written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file of the store that is left out, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Store:
    """What a folder holds.

    Attributes:
        runs: oldest first.
        skipped: files that could not be read; the others do not suffer from it.
    """

    directory: Path
    runs: tuple[StoredRun, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """Where a run is stored; ``new`` is false where it was already."""

    path: Path
    new: bool


def read_store(directory: Path) -> Store:
    """Read every stored run.

    Raises:
        StoreError: there is no such folder.
    """
    if not directory.is_dir():
        raise StoreError(
            f"there is no store at {directory}; make one with `baselines add RUN --store "
            f"{directory}`, or name another with --store"
        )
    runs: dict[str, tuple[str, StoredRun]] = {}
    skipped = []
    for path in sorted(directory.glob("*.json")):
        found = _read(path)
        if isinstance(found, Skipped):
            skipped.append(found)
        elif found.digest in runs:
            skipped.append(Skipped(path.name, f"it is the same run as {runs[found.digest][0]}"))
        else:
            runs[found.digest] = (path.name, found)
    ordered = sorted((run for _, run in runs.values()), key=lambda run: (run.created, run.digest))
    return Store(directory, tuple(ordered), tuple(skipped))


def add(directory: Path, run: StoredRun) -> Added:
    """Store a run, once: of many processes that add the same run one does.

    Raises:
        StoreError: the folder cannot be made or written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _alone(directory):
            known = sorted(directory.glob(f"*-{run.digest}.json"))
            if known:
                return Added(known[0], new=False)
            path = directory / f"{_plain(run.run_id)}-{run.digest}.json"
            write_record(path, run)
            return Added(path, new=True)
    except OSError as error:
        raise StoreError(f"{directory} cannot be written: {error.strerror}") from error


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the folder itself by a lock; the kernel lets go of it however we end."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _plain(text: str) -> str:
    """A run's name as a file may be called."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-") or "run"


def _read(path: Path) -> StoredRun | Skipped:
    try:
        text = path.read_text(encoding="utf-8")
        version = json.loads(text).get("stored_format", STORED_FORMAT)
        if version > STORED_FORMAT:
            why = f"stored_format is {version}, this program reads up to {STORED_FORMAT}"
            return Skipped(path.name, f"{why}; use the version of servebench that wrote it")
        return StoredRun.model_validate_json(text)
    except ValidationError as error:
        one = error.errors()[0]
        where = ".".join(map(str, one["loc"]))
        return Skipped(path.name, f"{where}: {one['msg']}; it was damaged or edited")
    except (OSError, ValueError, AttributeError, TypeError) as error:
        return Skipped(path.name, f"it cannot be read ({error}); it was damaged or edited")
