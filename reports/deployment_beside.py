"""Deployment effort that lies beside a run: the same folder of runs, the same SUTs."""

from dataclasses import dataclass
from pathlib import Path

from reports.effort.found import Found, is_effort, read_effort
from reports.frames import NotARun
from reports.results import Results


@dataclass(frozen=True, slots=True)
class Beside:
    """What was measured, and the SUTs of this run that it tells of."""

    effort: Found
    suts: frozenset[str]


def effort_beside(results: Results) -> Beside | None:
    """The newest complete one that tells of every SUT of the run that answers with a model.

    One that cannot be read is passed over, as is a folder of somebody else's: it is no part of this
    run, and its own page says what is wrong with it.
    """
    wanted = frozenset(sut.key for sut in results.record.suts if sut.answers)
    found = [
        effort
        for directory in _folders(results.run.directory.resolve().parent)
        if (effort := _read(directory)) is not None
        if effort.record.complete and wanted <= set(effort.record.suts)
    ]
    newest = max(found, key=lambda effort: effort.record.created_utc, default=None)
    return Beside(newest, wanted) if newest and wanted else None


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(parent.iterdir())
    except OSError:
        return []


def _read(directory: Path) -> Found | None:
    try:
        return read_effort(directory) if is_effort(directory) else None
    except (NotARun, OSError):
        return None
