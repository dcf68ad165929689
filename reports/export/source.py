"""A run and its summary, as an export takes them: read where they lie, measured where not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.record import RunRecord, Step, TrialRecord
from reports.frames import Run, open_run
from reports.prices import price_sheet
from reports.results import measure_run
from reports.summary import SUMMARY_VERSION, summary

SUMMARY = "summary.json"


@dataclass(frozen=True)
class Source:
    """One run.

    Attributes:
        run: as recorded.
    """

    run: Run

    @property
    def record(self) -> RunRecord:
        """What was meant."""
        return self.run.record

    @property
    def named(self) -> dict[str, Any]:
        """What every row of an export begins with."""
        return {"run_id": self.record.run_id, "scenario": self.record.scenario.get("name")}

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """``summary.json`` where it is that of the run as it stands, else the same worked out anew.

        Raises:
            PriceError: the price sheet cannot be used.
        """
        found = _kept(self.run)
        if found is not None:
            return found
        prices = price_sheet()
        return summary(measure_run(self.run, prices))

    def asked(self, step: Step) -> dict[str, Any]:
        """A load step as columns; a closed loop offers no rate."""
        return {
            "step": step.index,
            "asked": step.asked,
            "offered_rps": step.offered_rps if step.concurrency is None else None,
            "concurrency": step.concurrency,
        }

    def asked_of(self, trial: TrialRecord) -> dict[str, Any]:
        """A trial's load as columns; a probe has a rate of its own, and no step."""
        if trial.place.probe is None:
            return self.asked(self.record.steps[trial.place.step])
        return {"step": None, "asked": "capacity search", "offered_rps": trial.offered_rps}


def read_source(directory: Path) -> Source:
    """Read a run's records.

    Raises:
        NotARun: it cannot be read.
    """
    return Source(open_run(directory))


def _kept(run: Run) -> Mapping[str, Any] | None:
    """The summary beside the run; None if there is none, or not of this run as it stands."""
    try:
        found = json.loads((run.directory / SUMMARY).read_bytes())
        agrees = (
            found["summary_version"] == SUMMARY_VERSION
            and found["run_id"] == run.record.run_id
            and found["status"] == run.record.status
            and len(found["trials"]) == len(run.trials)
            and len(found["probes"]) == len(run.probes)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if agrees else None
