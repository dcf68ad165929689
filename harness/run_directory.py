"""Where a run's files lie (the layout is described in ``harness.record``)."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.durable import point, settle
from harness.record import CapacityRecord, RunRecord, TrialPlace, TrialRecord, write_record

LATEST = "latest"


def free_folder(under: Path, name: str, now: datetime) -> Path:
    """A folder that is not there yet, named by time and what it is for."""
    first = f"{now:%Y%m%d-%H%M%S}-{name}"
    path, again = under / first, 1
    while path.exists():
        again += 1
        path = under / f"{first}-{again}"
    return path


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run's folder."""

    path: Path

    @classmethod
    def create(cls, under: Path, name: str, now: datetime, scenario: Path) -> "RunDirectory":
        """Make a new folder, named by time and scenario, and keep the scenario's file in it."""
        path = free_folder(under, name, now)
        for folder in ("plans", "trials", "logs"):
            (path / folder).mkdir(parents=True)
        shutil.copyfile(scenario, path / "scenario.toml")
        return cls(path)

    @property
    def payloads(self) -> Path:
        """Row i is payload i."""
        return self.path / "payloads.parquet"

    @property
    def references(self) -> Path:
        """Line i is the reference answer to payload i."""
        return self.path / "references.jsonl"

    @property
    def trace(self) -> Path | None:
        """The trace that is replayed, as it was given; None where nothing is."""
        return next(iter(sorted(self.path.glob("trace.*"))), None)

    def keep_trace(self, source: Path) -> None:
        """Keep the trace, so that the run needs no file outside its folder."""
        shutil.copyfile(source, self.path / f"trace{source.suffix}")

    @property
    def logs(self) -> Path:
        """What was logged outside any trial."""
        return self.path / "logs"

    @property
    def hold(self) -> Path:
        """There while the run is being played (``harness.hold``)."""
        return self.path / ".hold"

    def plan(self, block: int, step: int) -> Path:
        """The load plan of one block and step."""
        return self.path / "plans" / f"b{block:02}-s{step:02}.parquet"

    def plan_of(self, place: TrialPlace) -> Path:
        """The load plan of one trial: a probe has its own."""
        if place.probe is None:
            return self.plan(place.block, place.step)
        return self.path / "plans" / f"{place.directory}.parquet"

    def trial(self, place: TrialPlace) -> Path:
        """One trial's folder."""
        return self.path / "trials" / place.directory

    def has(self, place: TrialPlace) -> bool:
        """Whether a trial has ended, one way or another."""
        return (self.trial(place) / "trial.json").exists()

    def shared(self) -> list[Path]:
        """The files that all trials share: payloads, references, trace, the load steps' plans."""
        plans = sorted((self.path / "plans").glob("b[0-9]*-s[0-9]*.parquet"))
        found = [*self.path.glob("payloads*.parquet"), *self.path.glob("references*.jsonl")]
        found += [self.trace] if self.trace else []
        return [*sorted(found), *plans]

    def settle(self) -> None:
        """Flush the files that all trials share, so that ``run.json`` never outlives them."""
        settle(self.path)
        settle(self.path / "plans")

    def save_run(self, record: RunRecord) -> None:
        """Write ``run.json`` and point ``latest`` here."""
        write_record(self.path / "run.json", record)
        self.be_latest()

    def be_latest(self) -> None:
        """Point ``latest`` here."""
        latest = self.path.parent / LATEST
        if latest.is_symlink() or not latest.exists():
            point(latest, self.path.name)

    def save_trial(self, record: TrialRecord) -> None:
        """Write ``trial.json``, last of a trial: where it is, everything else of it is."""
        folder = self.trial(record.place)
        folder.mkdir(parents=True, exist_ok=True)
        for half in folder.glob("*.partial"):
            half.unlink()
        settle(folder)
        if record.place.probe is not None:
            settle(self.path / "plans")
        write_record(folder / "trial.json", record)

    def drop_measured(self, place: TrialPlace) -> None:
        """Remove what a trial measured, to make room: of a failed one nobody reads it."""
        for pattern in ("*.parquet", "*.partial"):
            for path in self.trial(place).glob(pattern):
                path.unlink()

    def trials(self) -> list[TrialRecord]:
        """Every trial that has ended, in the order they were played."""
        found = (self.path / "trials").glob("*/trial.json")
        records = (TrialRecord.model_validate_json(path.read_text()) for path in found)
        return sorted(records, key=lambda record: record.place.order)

    def trial_of_block(self, block: int) -> TrialRecord | None:
        """A block's first trial that has ended; None where none has."""
        found = (self.path / "trials").glob(f"b{block:02}-s*/trial.json")
        trials = [TrialRecord.model_validate_json(path.read_text()) for path in found]
        return min(trials, key=lambda trial: trial.place.order, default=None)

    def save_capacity(self, record: CapacityRecord) -> None:
        """Write what one SUT's capacity search in one block has found."""
        path = self.capacity(record.block, record.sut)
        path.parent.mkdir(exist_ok=True)
        write_record(path, record)

    def capacity(self, block: int, sut: str) -> Path:
        """What a SUT's capacity search in one block has found."""
        return self.path / "capacity" / f"b{block:02}-{sut.replace(':', '-')}.json"

    def capacities(self) -> list[CapacityRecord]:
        """What every capacity search that has ended has found, block after block."""
        found = sorted((self.path / "capacity").glob("b*.json"))
        return [CapacityRecord.model_validate_json(path.read_text()) for path in found]

    def begun(self) -> bool:
        """Whether there is a run to speak of: all that trials share is there."""
        return (self.path / "run.json").exists()

    def discard_if_empty(self) -> None:
        """Remove the folder of a run that never came to be: one without ``run.json``."""
        if not self.begun():
            shutil.rmtree(self.path)
