"""One SUT's turn in a block: bring it up, check that it answers right, and play its trials."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

from architectures.spec import Architecture, Variant
from harness.bench import Bench, Progress
from harness.drive import DriveError
from harness.kept import DeployError
from harness.ports import NoFreePortError
from harness.record import TrialPlace, TrialRecord
from harness.schedule import Turn
from harness.subject import Subject, deployed
from harness.trial import Order, play_trial

DEPLOY = "deploy"


def play_turn(
    bench: Bench, turn: Turn, sut: tuple[Architecture, Variant], progress: Progress
) -> Iterator[TrialRecord]:
    """Deploy a SUT once and yield its trial of each load step; a failure is a trial too."""
    waiting = list(turn.places)
    try:
        progress(DEPLOY, 0.0)
        with brought_up(bench, turn, sut) as subject:
            while waiting:
                record = _play_or_fail(subject, waiting[0], progress)
                waiting.pop(0)
                yield record
    except (DeployError, NoFreePortError, OSError) as error:
        if not waiting:  # it could not be ended: what comes next would be measured beside it
            raise
        yield from (failed(bench, place, str(error)) for place in waiting)


def brought_up(
    bench: Bench, turn: Turn, sut: tuple[Architecture, Variant]
) -> AbstractContextManager[Subject]:
    """A turn's SUT, up until the block ends; its logs lie with its first trial."""
    return deployed(bench, sut, bench.directory.trial(turn.places[0]))


def _play_or_fail(subject: Subject, place: TrialPlace, progress: Progress) -> TrialRecord:
    bench = subject.bench
    plan = bench.directory.plan(place.block, place.step)
    order = Order(place, plan, bench.steps[place.step].offered_rps)
    try:
        return play_trial(subject, order, progress)
    except DriveError as error:
        return failed(bench, place, str(error))


def failed(bench: Bench, place: TrialPlace, error: str) -> TrialRecord:
    """A trial that could not be played."""
    step = bench.steps[place.step]
    return TrialRecord(
        place=place,
        outcome="failed",
        error=error,
        offered_rps=step.offered_rps,
        concurrency=step.concurrency,
    )
