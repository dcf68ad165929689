"""A gate from its first pair to its verdict: play, look when a look is due, go on or end."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from harness.pairs.play import play_capacity, play_pairs, too_many_redone
from harness.pairs.record import CapacityReading, GateRecord, SideName
from harness.pairs.sides import Side
from harness.record import RunRecord
from harness.scenario import Scenario
from reports.frames import open_run
from reports.gate.comparable import refusals
from reports.gate.conclude import Shelf, conclude
from reports.gate.judge import judged
from reports.gate.measured import PairMeasured, SideReader, read_pair, read_pairs
from reports.gate.rate import LoadTooHighError, NoCapacityError, capacity_from, ladder, rate_for
from reports.gate.verdict import Verdict
from reports.slo import slo_of

Say = Callable[[str], None]


def play_gate(
    record: GateRecord,
    scenario: Scenario,
    sides: Mapping[SideName, Side],
    directory: Path,
    *,
    shelf: Shelf,
    say: Say,
) -> Verdict:
    """Play a gate to its end.

    Args:
        record: what is compared; nothing has been played.
        scenario: of the baseline.
        sides: what plays the blocks.
        directory: the gate's folder.
        shelf: what is known of the machine.
        say: told what goes on, a line at a time.

    Raises:
        PlayerError: a side could not be played.
        UnmeasuredError: a block gave no numbers.
        KeyboardInterrupt: it was told to stop; what had been played is in its folder.
    """
    started_ns = time.monotonic_ns()
    record.save(directory)
    pairs: list[PairMeasured] = []
    try:
        record = _at_rate(record, scenario, sides, directory, say)
        if not record.why_unfit:
            record, pairs = _played(record, sides, directory, say)
    except BaseException as error:
        _ended_early(directory, error)
        raise
    status = "unfit" if record.why_unfit else "complete"
    wall_s = (time.monotonic_ns() - started_ns) / 1e9
    record = record.model_copy(update={"status": status, "wall_s": wall_s})
    record.save(directory)
    return conclude(record, pairs, _runs(record, directory), shelf)


def judge_again(directory: Path, shelf: Shelf) -> Verdict:
    """The verdict of a gate that was played before, from what lies in its folder.

    Raises:
        UnmeasuredError: a block gives no numbers.
    """
    record = GateRecord.read(directory)
    return conclude(record, read_pairs(record, directory), _runs(record, directory), shelf)


def _at_rate(
    record: GateRecord,
    scenario: Scenario,
    sides: Mapping[SideName, Side],
    directory: Path,
    say: Say,
) -> GateRecord:
    """With the rate both sides are offered, or why there can be none."""
    try:
        capacity = _capacity(record, scenario, sides["baseline"], directory, say)
        record = record.model_copy(update={"capacity": capacity})
        rate_rps = rate_for(record.section, capacity)
    except (LoadTooHighError, NoCapacityError) as error:
        return record.model_copy(update={"why_unfit": str(error)})
    known = f", of {capacity.capacity_rps:.4g} that the baseline carries" if capacity else ""
    say(f"both sides are offered {rate_rps:.4g} requests per second{known}")
    return record.model_copy(update={"rate_rps": rate_rps})


def _capacity(
    record: GateRecord, scenario: Scenario, baseline: Side, directory: Path, say: Say
) -> CapacityReading | None:
    """As given, or read; a service that is not ours is not loaded to its limit."""
    given = record.section.capacity_rps
    if given is not None:
        return CapacityReading(how="given", capacity_rps=given)
    if baseline.record.kind == "url":
        return None
    concurrencies = ladder(scenario)
    say(f"reading the baseline's capacity: a closed loop of up to {concurrencies[-1]} clients")
    run = open_run(play_capacity(baseline, directory, concurrencies, record.seed))
    slo = slo_of(run.record.scenario)
    if slo is None:
        raise NoCapacityError("the scenario sets no SLO to read a capacity by; add [slo]")
    return capacity_from(run, slo)


def _played(
    record: GateRecord, sides: Mapping[SideName, Side], directory: Path, say: Say
) -> tuple[GateRecord, list[PairMeasured]]:
    pairs: list[PairMeasured] = []
    readers: dict[SideName, SideReader] = {}
    with closing(play_pairs(record, sides, directory, say)) as playing:
        for played in playing:
            record = played
            readers = readers or {s.name: SideReader(directory / s.run) for s in record.sides}
            why = _why_unfit(record, readers, directory)
            if why:
                return record.model_copy(update={"why_unfit": why}), pairs
            if record.pairs[-1].contaminated:
                continue
            pairs.append(read_pair(readers, record.pairs[-1].block))
            if len(pairs) not in record.section.looks:
                continue
            found = judged(pairs, record.section)
            say(f"look at {len(pairs)} pairs: {found.looks[-1].outcome}")
            if found.ended:
                break
    return record, pairs


def _why_unfit(record: GateRecord, readers: Mapping[SideName, SideReader], directory: Path) -> str:
    """One reason a line; empty where the gate may go on."""
    if len(record.pairs) == 1:
        runs = readers["baseline"].record, readers["candidate"].record
        folders = (directory / record.sides[0].run, directory / record.sides[1].run)
        refused = refusals(*runs, folders)
        if refused:
            return "\n".join(refused)
    if too_many_redone(record):
        return (
            f"{len(record.redone)} of {len(record.pairs)} pairs were disturbed and did not count, "
            "more than a third: this machine is too busy for a verdict; end what else runs on it, "
            "or use a quieter one"
        )
    return ""


def _ended_early(directory: Path, error: BaseException) -> None:
    """Whatever ends a gate, its record says so."""
    record = GateRecord.read(directory)
    stopped = isinstance(error, KeyboardInterrupt)
    update = {"status": "interrupted" if stopped else "failed", "why_failed": str(error)}
    record.model_copy(update=update).save(directory)


def _runs(record: GateRecord, directory: Path) -> tuple[RunRecord, RunRecord] | None:
    if not all(side.run for side in record.sides):
        return None
    baseline, candidate = (RunRecord.read(directory / side.run) for side in record.sides)
    return baseline, candidate
