"""A run directory as frames: what was recorded, with nothing left out and nothing added up.

One trial is read at a time, so a report's memory is that of its largest trial.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.record import FORMAT_VERSION, USAGE_COLUMNS, Phases, RunRecord, TrialRecord
from harness.run_directory import RunDirectory
from reports.timings import STAGE_COLUMNS, stage_timings
from workloads.plan import read_plan
from workloads.sample import Outcome, read_samples

WARM_UP, STEADY, DRAIN = "warm-up", "steady", "drain"
GENERATOR = "generator"

AnyRecord = TypeVar("AnyRecord", RunRecord, TrialRecord)


class NotARun(Exception):  # noqa: N818 - it says what was found, not that code failed
    """A directory that cannot be read as a run; the message ends in what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A run as recorded: its scenario, and every trial that has ended so far."""

    directory: Path
    record: RunRecord
    trials: tuple[TrialRecord, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TrialFrames:
    """One trial played to its end.

    Attributes:
        samples: one row a planned request, in plan order. ``phase`` goes by intended start;
            ``response_s`` from the intended start, ``service_s`` from the send, ``lag_s``
            between the two; NaN where there was no answer or no send.
        stages: one row a stage of each OK answer in steady state (see ``reports.timings``).
        usage: as recorded, with ``t_ns`` ascending.
        planned: requests the plan has in steady state, recorded or lost.
    """

    record: TrialRecord
    phases: Phases
    samples: pd.DataFrame
    stages: pd.DataFrame
    usage: pd.DataFrame
    planned: int

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
    if not path.is_file():
        raise NotARun(
            f"{directory} is not a run: it has no run.json; "
            "give a directory under runs/, for example runs/latest"
        )
    found = sorted(directory.glob("trials/*/trial.json"))
    trials = sorted((_read(trial, TrialRecord) for trial in found), key=lambda t: t.place.order)
    return Run(directory, _read(path, RunRecord), tuple(trials))


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
    """Read what one trial measured; None if load was not played to its end."""
    if record.phases is None:
        return None
    directory = run.directory / "trials" / record.place.directory
    table = read_samples(sorted(directory.glob("samples-*.parquet"))).drop_columns(["answer"])
    samples = _samples(table, record.phases)
    counted = ((samples["phase"] == STEADY) & samples["ok"]).to_numpy()
    return TrialFrames(
        record,
        record.phases,
        samples,
        _stages(table, counted),
        _usage(directory / "usage.parquet"),
        _planned(run.directory, record, samples),
    )


def _samples(table: pa.Table, phases: Phases) -> pd.DataFrame:
    frame: pd.DataFrame = table.drop_columns(["server_timing"]).to_pandas()
    intended, sent, received = (frame[f"{name}_ns"] for name in ("intended", "sent", "received"))
    before, after = intended < phases.steady_ns, intended >= phases.end_ns
    frame["phase"] = pd.Categorical(
        np.select([before, after], [WARM_UP, DRAIN], STEADY), [WARM_UP, STEADY, DRAIN]
    )
    frame["ok"] = frame["outcome"] == Outcome.OK
    frame["response_s"] = ((received - intended) / 1e9).where(received > 0)
    frame["service_s"] = ((received - sent) / 1e9).where((received > 0) & (sent > 0))
    frame["lag_s"] = ((sent - intended) / 1e9).where(sent > 0)
    return frame


def _stages(table: pa.Table, counted: np.ndarray[Any, np.dtype[np.bool_]]) -> pd.DataFrame:
    headers = table["server_timing"].combine_chunks().filter(pa.array(counted))
    if len(headers) == 0:
        return pd.DataFrame(columns=list(STAGE_COLUMNS))
    return stage_timings(headers)


def _usage(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame(columns=list(USAGE_COLUMNS))
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame.sort_values("t_ns", kind="stable")


def _planned(directory: Path, record: TrialRecord, samples: pd.DataFrame) -> int:
    """Planned steady-state requests; a worker that died loses samples, not planned requests."""
    phases = record.phases
    path = RunDirectory(directory).plan_of(record.place)
    recorded = int((samples["phase"] == STEADY).sum())
    if phases is None or not path.is_file():
        return recorded
    starts = read_plan(path).offsets_ns + phases.start_ns
    return int(((starts >= phases.steady_ns) & (starts < phases.end_ns)).sum())
