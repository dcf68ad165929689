"""A run that grows: each attempt becomes a load step and a trial of it as it is played."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from harness.backends import kinds
from harness.bench import Bench
from harness.durable import write_durably
from harness.environment import now_utc, package_version, read_environment
from harness.live.asked import in_words, toml, with_attempts
from harness.live.ui import FOLDER
from harness.prepare import Resolved, ensemble_record
from harness.record import CeilingPoint, RunRecord, Step, TrialPlace, TrialRecord
from harness.resume import digests
from harness.run_directory import RunDirectory
from harness.turn import failed
from workloads.plan import LoadPlan, PlanHeader, read_plan

PLAN = "plan.parquet"
"""What an attempt plays, as Locust froze it in the attempt's folder."""


class Attempts:
    """The run of one session, and its attempts so far.

    Args:
        resolved: what is deployed.
        bench: what all attempts share, but for the load steps: those grow here.
        ceiling: of the ensemble in-process; empty where none was measured.
        best_batch: at which it is highest; 0 where none was measured.

    Attributes:
        bench: with the load steps that there are by now.
    """

    def __init__(
        self,
        resolved: Resolved,
        bench: Bench,
        ceiling: tuple[CeilingPoint, ...] = (),
        best_batch: int = 0,
    ) -> None:
        scenario = bench.scenario
        claim = bench.cores.claim(scenario.budget.memory_gib)
        ensemble = ensemble_record(resolved)
        self.bench = bench
        self._headers: list[PlanHeader] = []
        self._record = RunRecord(
            run_id=bench.directory.path.name,
            created_utc=now_utc().isoformat(timespec="seconds"),
            version=package_version(),
            scenario=scenario.model_dump(mode="json"),
            environment=read_environment(ensemble, claim),
            ensemble=ensemble,
            ceiling=ceiling,
            best_batch=best_batch,
            suts=resolved.sut_records,
            steps=(),
            schedule=(),
            status="running",
            backends=kinds(scenario),
        )

    @property
    def directory(self) -> RunDirectory:
        """Where it lies."""
        return self.bench.directory

    @property
    def places(self) -> tuple[TrialPlace, ...]:
        """Where each attempt stands."""
        return self._record.schedule

    @property
    def steps(self) -> tuple[Step, ...]:
        """What each attempt was asked."""
        return self._record.steps

    def begin(self, folder: Path) -> tuple[TrialPlace, LoadPlan]:
        """Record an attempt whose plan has been frozen, before it is played.

        Raises:
            OSError, KeyError, ValueError: it has no plan, or one that cannot be read.
        """
        plan = read_plan(folder / PLAN)
        header, index = plan.header, len(self.steps)
        step = Step(
            index=index,
            asked=in_words(header, self.bench.scenario.ensemble.graph),
            offered_rps=header.rate_rps,
            concurrency=header.concurrency,
        )
        place = TrialPlace(order=index, block=0, step=index, sut=self._record.suts[0].key)
        shutil.copyfile(folder / PLAN, self.directory.plan_of(place))
        self.directory.trial(place).mkdir(parents=True, exist_ok=True)
        self._headers.append(header)
        scenario = with_attempts(self.bench.scenario, self._headers)
        steps = (*self.steps, step)
        self.bench = replace(self.bench, steps=steps)
        self.directory.settle()
        self._save(
            scenario=scenario.model_dump(mode="json"),
            steps=steps,
            schedule=(*self.places, place),
            digests=digests(self.directory),
        )
        whole = scenario.model_dump(mode="json", exclude_defaults=True)
        write_durably(self.directory.path / "scenario.toml", toml(whole))
        return place, plan

    def take(self, folder: Path, place: TrialPlace) -> Path:
        """Move what the workers left of an attempt to its trial's folder, and say which it is."""
        trial = self.directory.trial(place)
        for pattern in ("samples-*.parquet", "generator-*.json"):
            for path in folder.glob(pattern):
                os.replace(path, trial / path.name)  # noqa: PTH105 - one file system
        shutil.rmtree(folder, ignore_errors=True)
        return trial

    def end(self, *, orderly: bool) -> None:
        """The session is over; of one without an attempt nothing is recorded."""
        shutil.rmtree(self.directory.path / FOLDER, ignore_errors=True)
        if self.steps:
            self._save(status="complete" if orderly else "interrupted")

    def failed(self, place: TrialPlace, error: str) -> TrialRecord:
        """An attempt that could not be played, or not be read."""
        return failed(self.steps, place, error)

    def _save(self, **changed: object) -> None:
        self._record = self._record.model_copy(update=changed)
        self.directory.save_run(self._record)
