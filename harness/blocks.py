"""What remains of a run, block after block; what has ended is on disk before the next begins."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import groupby

from harness.bench import Bench
from harness.disk import full_in_words, give_back, is_full, trial_bytes
from harness.expected import CEILING_S, DEPLOY_S, ceiling_s, step_s, turn_s
from harness.in_process import measure_ceiling
from harness.manner import AT_ONCE, Pace
from harness.prepare import Resolved, in_process_request
from harness.record import RunRecord, TrialRecord
from harness.run_directory import RunDirectory
from harness.schedule import Turn, schedule
from harness.screen import Screen
from harness.told import told
from harness.turn import DEPLOY, play_turn, search_waits


def play_blocks(
    resolved: Resolved,
    bench: Bench,
    record: RunRecord,
    screen: Screen,
    pace: Pace = AT_ONCE.pace,
) -> RunRecord:
    """Play every turn that remains; the ceiling is measured in each block, as the machine is then.

    Where not all blocks are wanted, the run's record says that it was ended; it can be resumed.

    Raises:
        DeployError: a deployment could not be ended.
        DiskFullError: nothing more can be recorded.
        KeyboardInterrupt: it was told to stop.
    """
    directory = bench.directory
    with full_in_words(directory.path, lambda: bytes_left(bench, record)):
        for block, turns in groupby(remaining(bench, record), key=lambda turn: turn.block):
            if not pace.wanted(block):
                record = record.model_copy(update={"status": "interrupted"})
                directory.save_run(record)
                return record
            record = _with_ceiling(resolved, bench, record, block, screen)
            directory.save_run(record)
            for turn in turns:
                _play(resolved, bench, turn, screen)
            pace.played(block)
        record = record.model_copy(update={"status": "complete"})
        directory.save_run(record)
    return record


@contextmanager
def end_recorded(directory: RunDirectory, screen: Screen) -> Iterator[None]:
    """Whatever ends the block early, the run's record says that it was ended.

    Raises:
        BaseException: that which ended it.
    """
    try:
        yield
    except BaseException:
        if directory.begun() and (record := RunRecord.read(directory.path)).status == "running":
            give_back(directory.hold)  # there must be room to say so
            directory.save_run(record.model_copy(update={"status": "interrupted"}))
            screen.say(
                f"ended early; what had been played by then is in {directory.path}\n"
                f"go on with: python -m harness run --resume {directory.path}"
            )
        raise


def remaining(bench: Bench, record: RunRecord) -> Iterator[Turn]:
    """The turns with something left to play, and of each only that."""
    load, directory = bench.scenario.load, bench.directory
    search = bench.scenario.capacity is not None
    for turn in schedule(record.suts, len(record.steps), load.blocks, load.seed, search=search):
        places = tuple(place for place in turn.places if not directory.has(place))
        if places or search_waits(bench, turn):
            yield replace(turn, places=places)


def bytes_left(bench: Bench, record: RunRecord) -> int:
    """About how much the turns that remain record."""
    turns = sum(1 for _ in remaining(bench, record))
    return trial_bytes(bench.scenario, bench.steps, bench.ceiling_rps, turns)


def _with_ceiling(
    resolved: Resolved, bench: Bench, record: RunRecord, block: int, screen: Screen
) -> RunRecord:
    if bench.ceiling_rps is None or any(point.block == block for point in record.ceiling):
        return record
    screen.begin(f"block {block + 1}, ceiling", ceiling_s(2))
    points = measure_ceiling(
        in_process_request(resolved, bench.directory),
        resolved.cores.claim(bench.scenario.budget.memory_gib),
        bench.directory.logs,
        block=block,
        batch_sizes=sorted({1, record.best_batch}),
        seconds=CEILING_S,
        state=bench.backends.variables,
    )
    return record.model_copy(update={"ceiling": (*record.ceiling, *points)})


def _play(resolved: Resolved, bench: Bench, turn: Turn, screen: Screen) -> None:
    """One SUT's turn; each trial is on disk before the next begins."""
    scenario, played = bench.scenario, 0
    title = f"block {turn.block + 1} of {scenario.load.blocks}, {turn.sut}"
    whole = screen.begin(title, turn_s(scenario))

    def progress(doing: str, share: float) -> None:
        deployed_s = DEPLOY_S if doing != DEPLOY else 0.0
        done_s = deployed_s + (played + share) * step_s(scenario)
        trial = f"trial {played + 1}, {doing}"
        whole(trial if deployed_s else doing, min(done_s / turn_s(scenario), 1.0))

    # Closed at once whatever saving raises: a deployment must not outlive its turn.
    sut = resolved.suts[turn.sut]
    with closing(play_turn(bench, turn, sut, progress, screen.say)) as trials:
        for trial in trials:
            _save(bench, trial)
            played += 1
            if trial.place.probe is None:  # of a probe, the search has said more
                limit_s = scenario.slo.response_time_s
                screen.say(told(bench.directory, trial, limit_s))


def _save(bench: Bench, trial: TrialRecord) -> None:
    """Save a trial; where its record does not fit it has failed, and what it measured makes room.

    Raises:
        OSError: nothing more can be recorded.
    """
    directory = bench.directory
    try:
        directory.save_trial(trial)
    except OSError as error:
        if not is_full(error):
            raise
        said = trial.error or f"its record could not be written: {error}"
        lost = {"outcome": "failed", "error": said, "phases": None, "reasons": ()}
        _save_lost(directory, trial.model_copy(update=lost))


def _save_lost(directory: RunDirectory, lost: TrialRecord) -> None:
    directory.drop_measured(lost.place)
    try:
        directory.save_trial(lost)
    except OSError:
        give_back(directory.hold)
        directory.save_trial(lost)
        raise
