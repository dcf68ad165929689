"""Recorded runs, and the newest that answers a scenario's question."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from pathlib import Path

from pydantic import ValidationError

from architectures.spec import ResourceClaim
from harness.effort.record import EFFORT_FILE, EffortRecord
from harness.environment import read_environment
from harness.record import Environment, RunRecord
from reports.claims.evidence import Evidence
from reports.claims.record import PassedOver
from reports.claims.same import why_not
from reports.effort.found import Found, read_effort
from reports.frames import NotARun, open_run
from reports.gate.comparable import MACHINE
from reports.prices import PriceSheet
from reports.results import Results, measure_run

_OF_THE_MACHINE = tuple(key for key in MACHINE if not key.startswith("sut_"))
"""What a scenario cannot ask for: where a run of it was made."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """A run that can be read: what it holds, measured."""

    folder: Path
    content: Results | Found

    @property
    def record(self) -> RunRecord | EffortRecord:
        """Its record."""
        return self.content.record

    @property
    def environment(self) -> Environment:
        """Where it was made."""
        return self.record.environment


@dataclass(frozen=True, slots=True)
class Choice:
    """What was found for a scenario.

    Attributes:
        run: None where there is none that can be used.
        passed: newer ones, or all where there is none, and why each was passed over.
    """

    run: Recorded | None
    passed: tuple[PassedOver, ...] = ()


@dataclass(eq=False)
class Shelf:
    """A folder of recorded runs.

    Args:
        folder: usually ``runs``; it need not be there.
        anywhere: whether runs of other machines may be used.
        prices: what their resources cost.
    """

    folder: Path
    anywhere: bool = False
    prices: PriceSheet | None = None
    _measured: dict[Path, Recorded | str] = field(default_factory=dict)
    _records: dict[Path, RunRecord | EffortRecord | str] = field(default_factory=dict)

    def newest(self, evidence: Evidence) -> Choice:
        """The newest run of a scenario that is complete, readable and of that very scenario."""
        passed: list[PassedOver] = []
        for found in self._of(evidence):
            if isinstance(found, Recorded):
                return Choice(found, tuple(passed))
            passed.append(found)
        return Choice(None, tuple(passed))

    def alike(self, one: Evidence, other: Evidence) -> tuple[Choice, Choice]:
        """The newest runs of two scenarios that were made in one environment."""
        firsts, seconds = list(self._of(one)), list(self._of(other))
        usable, beside = _usable(firsts), _usable(seconds)
        for run, second in product(usable, beside):
            if run.environment.fingerprint == second.environment.fingerprint:
                return Choice(run, _over(firsts)), Choice(second, _over(seconds))
        if not (usable and beside):  # one is lacking altogether, and that alone is made anew
            return _first(firsts), _first(seconds)
        return Choice(None, _apart(firsts)), Choice(None, _apart(seconds))

    def _of(self, evidence: Evidence) -> Iterator[Recorded | PassedOver]:
        """Runs that bear the scenario's name, newest first, or why one is none of it."""
        found = [(folder, self._record(folder)) for folder in self._folders(evidence)]
        dated = [(folder, one) for folder, one in found if _called(one, folder, evidence)]
        for folder, record in sorted(dated, key=lambda pair: _when(*pair), reverse=True):
            why = record if isinstance(record, str) else self._unfit(evidence, record, folder)
            run = why or self._read(folder)
            if isinstance(run, str):
                yield PassedOver(run_id=folder.name, why=run)
            else:
                yield run

    def _folders(self, evidence: Evidence) -> list[Path]:
        if not self.folder.is_dir():
            return []
        marker = EFFORT_FILE if evidence.kind == "effort" else "run.json"
        found = (path for path in self.folder.iterdir() if not path.is_symlink())
        return sorted(path for path in found if (path / marker).is_file())

    def _record(self, folder: Path) -> RunRecord | EffortRecord | str:
        if folder not in self._records:
            self._records[folder] = _parsed(folder)
        return self._records[folder]

    def _unfit(self, evidence: Evidence, record: RunRecord | EffortRecord, folder: Path) -> str:
        if not _complete(record):
            return "it was not played to its end"
        if not self.anywhere and (apart := _machine_apart(record)):
            return f"it was made on another machine ({apart}); --runs takes it all the same"
        return why_not(evidence, record, folder)

    def _read(self, folder: Path) -> Recorded | str:
        """Measured once, however many hypotheses rest on it."""
        if folder not in self._measured:
            self._measured[folder] = self._fresh(folder)
        return self._measured[folder]

    def _fresh(self, folder: Path) -> Recorded | str:
        try:
            if (folder / EFFORT_FILE).is_file():
                return Recorded(folder, read_effort(folder))
            return Recorded(folder, measure_run(open_run(folder), self.prices))
        except NotARun as error:
            return str(error).partition("\n")[0].replace(f"{folder}/", "")
        except (OSError, ValueError, LookupError) as error:
            return f"what it measured cannot be read ({type(error).__name__}); it was damaged"


def _usable(found: Sequence[Recorded | PassedOver]) -> list[Recorded]:
    return [one for one in found if isinstance(one, Recorded)]


def _first(found: Sequence[Recorded | PassedOver]) -> Choice:
    return Choice(next(iter(_usable(found)), None), _over(found))


def _apart(found: Sequence[Recorded | PassedOver]) -> tuple[PassedOver, ...]:
    """Why none of them will do: those that could be read have nothing to stand beside."""
    why = "no run of the scenario it is compared with was made in its environment"
    return tuple(
        one if isinstance(one, PassedOver) else PassedOver(run_id=one.folder.name, why=why)
        for one in found
    )


def _over(found: Sequence[Recorded | PassedOver]) -> tuple[PassedOver, ...]:
    return tuple(one for one in found if isinstance(one, PassedOver))


def _parsed(folder: Path) -> RunRecord | EffortRecord | str:
    """A folder's record alone, which is small; why not, where it cannot be read."""
    shape: type[RunRecord | EffortRecord] = RunRecord
    path = folder / "run.json"
    if (folder / EFFORT_FILE).is_file():
        shape, path = EffortRecord, folder / EFFORT_FILE
    try:
        return shape.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return "its record cannot be read: it was damaged, edited, or made by a newer version"


def _called(record: RunRecord | EffortRecord | str, folder: Path, evidence: Evidence) -> bool:
    """Whether it bears the scenario's name; of a damaged one the folder's tells."""
    if isinstance(record, str):
        return f"-{evidence.name}" in folder.name
    name = record.name if isinstance(record, EffortRecord) else record.scenario.get("name")
    return name == evidence.name


def _when(folder: Path, record: RunRecord | EffortRecord | str) -> tuple[float, str]:
    """When it was made; of a damaged one its folder's name tells."""
    try:
        if isinstance(record, str):
            stamp = datetime.strptime(f"{folder.name[:15]}+0000", "%Y%m%d-%H%M%S%z")
        else:
            stamp = datetime.fromisoformat(record.created_utc)
    except ValueError:
        return 0.0, folder.name
    return stamp.timestamp(), folder.name


def _complete(record: RunRecord | EffortRecord) -> bool:
    if isinstance(record, EffortRecord):
        return record.complete
    return record.status == "complete"


def _machine_apart(record: RunRecord | EffortRecord) -> str:
    """In what its machine differs from this one, in words; empty where it does not."""
    first = min(os.sched_getaffinity(0))
    here = read_environment(record.ensemble, ResourceClaim((first,), 0)).fingerprint
    then = record.environment.fingerprint
    apart = [key for key in _OF_THE_MACHINE if then.get(key) != here.get(key)]
    return "; ".join(
        f"{key} {json.dumps(then.get(key))}, here {json.dumps(here.get(key))}" for key in apart
    )
