"""A run directory as frames: what was recorded.

One trial is read at a time, so a report's memory is that of its largest trial.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow.parquet as pq

from harness.record import (
    FORMAT_VERSION,
    USAGE_COLUMNS,
    CapacityRecord,
    Phases,
    RunRecord,
    TrialRecord,
)
from harness.run_directory import RunDirectory
from reports.requests import STEADY, read_requests, read_stages
from workloads.plan import read_plan

GENERATOR = "generator"

AnyRecord = TypeVar("AnyRecord", RunRecord, TrialRecord, CapacityRecord)


class NotARun(Exception):  # noqa: N818 - it says what was found, not that code failed
    """A directory that cannot be read as a run; the message ends in what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run as recorded: its scenario, and what has ended so far.

    Attributes:
        trials: of load steps.
        probes: trials of capacity searches.
        searches: what each search found.
    """

    directory: Path
    record: RunRecord
    trials: tuple[TrialRecord, ...]
    probes: tuple[TrialRecord, ...] = ()
    searches: tuple[CapacityRecord, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TrialFrames:
    """One trial played to its end.

    Attributes:
        samples: one row a planned request, in plan order (see ``reports.requests``).
        stages: sums over OK answers in steady state, one row a stage (likewise).
        usage: as recorded, with ``t_ns`` ascending.
        planned: requests the plan has in steady state, recorded or lost; in a closed loop, those
            sent.
        gpu: as recorded; without rows where no GPU was read.
    """

    record: TrialRecord
    phases: Phases
    samples: pd.DataFrame
    stages: pd.DataFrame
    usage: pd.DataFrame
    planned: int
    gpu: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def steady_s(self) -> float:
        """Length of the steady state."""
        return (self.phases.end_ns - self.phases.steady_ns) / 1e9


def open_run(directory: Path) -> Run:
    """Read a run's record and those of its trials.

    Raises:
        NotARun: there is no run here, it is newer than this program, or a record is damaged.
    """
    path = directory / "run.json"
    if not path.is_file() and (directory / "scenario.toml").is_file():
        raise NotARun(
            f"{directory} was ended while it was prepared: nothing had been measured yet; "
            "run its scenario again"
        )
    if not path.is_file():
        raise NotARun(
            f"{directory} is not a run: it has no run.json; "
            "give a directory under runs/, for example runs/latest"
        )
    found = (_read(trial, TrialRecord) for trial in sorted(directory.glob("trials/*/trial.json")))
    trials = sorted(found, key=lambda trial: trial.place.order)
    searches = sorted(directory.glob("capacity/*.json"))
    return Run(
        directory,
        _read(path, RunRecord),
        tuple(trial for trial in trials if trial.place.probe is None),
        tuple(trial for trial in trials if trial.place.probe is not None),
        tuple(_read(search, CapacityRecord) for search in searches),
    )


def _read(path: Path, shape: type[AnyRecord]) -> AnyRecord:
    try:
        document = json.loads(path.read_text())
        version = document.get("format_version", FORMAT_VERSION)
        if version > FORMAT_VERSION:
            raise NotARun(
                f"{path}: format_version is {version}, this program reads up to "
                f"{FORMAT_VERSION}; use the version of servebench that made the run, or newer"
            )
        return shape.model_validate(document)
    except (ValueError, AttributeError, TypeError) as error:
        raise NotARun(
            f"{path} cannot be read as a {shape.__name__}: {error}; "
            "it was damaged or edited: restore it, or run the scenario again"
        ) from error


def read_trial(run: Run, record: TrialRecord) -> TrialFrames | None:
    """Read what one trial measured; None if it was not played, or ended before its steady state."""
    if record.phases is None or record.phases.end_ns <= record.phases.steady_ns:
        return None
    directory = run.directory / "trials" / record.place.directory
    files = sorted(directory.glob("samples-*.parquet"))
    samples = read_requests(files, record.phases)
    if record.concurrency is not None:  # a client sends as many as the time lets it, no more
        samples = samples[samples["sent_ns"] > 0]
    counted = int(((samples["phase"] == STEADY) & samples["ok"]).sum())
    return TrialFrames(
        record,
        record.phases,
        samples,
        read_stages(files, record.phases, counted),
        _table(directory / "usage.parquet", USAGE_COLUMNS),
        _planned(run.directory, record, samples),
        _table(directory / "gpu.parquet", ("t_ns",)),
    )


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A table of readings by time; empty where there is no such file."""
    if not path.is_file():
        return pd.DataFrame(columns=list(columns))
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame.sort_values("t_ns", kind="stable")


def _planned(directory: Path, record: TrialRecord, samples: pd.DataFrame) -> int:
    """Planned steady-state requests; a worker that died loses samples, not planned requests."""
    phases = record.phases
    path = RunDirectory(directory).plan_of(record.place)
    recorded = int((samples["phase"] == STEADY).sum())
    if phases is None or record.concurrency is not None or not path.is_file():
        return recorded
    return read_plan(path).due(phases.start_ns, phases.steady_ns, phases.end_ns)
