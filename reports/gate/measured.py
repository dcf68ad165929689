"""A gate's pairs as numbers: each counted pair's blocks, metric by metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.pairs.record import SIDES, GateRecord, SideName
from harness.record import RunRecord, TrialRecord
from harness.run_directory import RunDirectory
from reports import metrics
from reports.estimate import Missing, Value
from reports.frames import Run, TrialFrames, read_trial
from reports.gate.metrics import GATE_METRICS
from reports.slo import Slo, slo_of
from reports.subject import Subject
from workloads.plan import read_plan

GENERATOR_CPU = "generator_cpu_ms"


class UnmeasuredError(Exception):
    """A block that gives no numbers; the message says whose, and why."""


@dataclass(frozen=True, slots=True)
class BlockValues:
    """One side's block.

    Attributes:
        values: by metric.
        failed: planned requests of the steady state without an OK answer, those that were never
            sent because a component had died included.
        planned: requests the plan has in steady state.
        wrong: answers, of those compared, that were not the reference's.
        compared: answers compared, before load and under it.
        pressure: what the host did besides (``harness.pressure``).
    """

    values: Mapping[str, Value]
    failed: int
    planned: int
    wrong: int
    compared: int
    pressure: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PairMeasured:
    """A counted pair."""

    block: int
    baseline: BlockValues
    candidate: BlockValues

    def of(self, side: SideName) -> BlockValues:
        """One side's block."""
        return self.baseline if side == "baseline" else self.candidate


class SideReader:
    """Reads one side's blocks as they are played.

    Args:
        directory: of the side's run.
    """

    def __init__(self, directory: Path) -> None:
        self.record = RunRecord.read(directory)
        self._run = Run(directory, self.record, ())
        self._slo = slo_of(self.record.scenario)

    def read(self, block: int) -> BlockValues:
        """Measure a block.

        Raises:
            UnmeasuredError: its trial failed, or never came to its steady state.
        """
        trial = self._trial(block)
        frames = None if trial.outcome == "failed" else read_trial(self._run, trial)
        if frames is None:
            why = trial.error or trial.ended_early or "load ended before the steady state"
            raise UnmeasuredError(f"block {block + 1} gives no numbers: {why}")
        planned, verification = self._planned(trial), trial.verification
        return BlockValues(
            values=_values(frames, self._slo),
            failed=planned - _answered(frames),
            planned=planned,
            wrong=verification.before_different + verification.under_load_different
            if verification
            else 0,
            compared=verification.before + verification.under_load if verification else 0,
            pressure=trial.pressure,
        )

    def _trial(self, block: int) -> TrialRecord:
        trial = RunDirectory(self._run.directory).trial_of_block(block)
        if trial is None:
            raise UnmeasuredError(f"{self._run.directory} has no trial of block {block + 1}")
        return trial

    def _planned(self, trial: TrialRecord) -> int:
        """Of the whole steady state, though a trial may have ended before it."""
        plan = read_plan(RunDirectory(self._run.directory).plan_of(trial.place))
        begin_ns = round(plan.header.warm_up_s * 1e9)
        return int((plan.offsets_ns >= begin_ns).sum())


def read_pairs(record: GateRecord, directory: Path) -> tuple[PairMeasured, ...]:
    """Every counted pair of a gate.

    Raises:
        UnmeasuredError: a block gives no numbers.
    """
    readers = {side.name: SideReader(directory / side.run) for side in record.sides}
    return tuple(read_pair(readers, pair.block) for pair in record.counted)


def read_pair(readers: Mapping[SideName, SideReader], block: int) -> PairMeasured:
    """One pair.

    Raises:
        UnmeasuredError: a block gives no numbers; it names the side.
    """
    found = {}
    for name in SIDES:
        try:
            found[name] = readers[name].read(block)
        except UnmeasuredError as error:
            raise UnmeasuredError(f"the {name}'s {error}") from error
    return PairMeasured(block, found["baseline"], found["candidate"])


def numbers(pairs: Sequence[PairMeasured], side: SideName, key: str) -> list[float] | Missing:
    """A metric of one side in every pair; missing where one block cannot carry it."""
    values = [pair.of(side).values[key] for pair in pairs]
    missing = [value for value in values if isinstance(value, Missing)]
    return missing[0] if missing else [value for value in values if not isinstance(value, Missing)]


def _values(frames: TrialFrames, slo: Slo | None) -> dict[str, Value]:
    subject = Subject(frames, slo.response_time_s if slo else None, None)
    ours = {m.key: metrics.BY_KEY[m.key] for m in GATE_METRICS if m.key in metrics.BY_KEY}
    found = {key: metric.of(subject) for key, metric in ours.items()}
    return {**found, GENERATOR_CPU: _generator_cpu_ms(frames, subject)}


def _answered(frames: TrialFrames) -> int:
    subject = Subject(frames, None, None)
    return int((subject.planned & subject.ok).sum())


def _generator_cpu_ms(frames: TrialFrames, subject: Subject) -> Value:
    """CPU of every load worker in steady state, for each request it sent there."""
    used_s = frames.record.generator.get("steady_cpu_s")
    sent = int(np.count_nonzero(subject.planned & (subject.column("sent_ns") > 0)))
    if used_s is None or not sent:
        return Missing("the generator's CPU was not read, or it sent nothing")
    return used_s / sent * 1e3
