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
    """Yield a SUT's trial of each load step; a failure is a trial too.

    One deployment plays them all, unless it dies: then the steps that remain get a fresh one, for
    what a corpse answers says nothing about the step.

    Raises:
        DeployError: a deployment could not be ended: what comes next would be measured beside it.
    """
    waiting = list(turn.places)
    while waiting:
        ending = False
        try:
            progress(DEPLOY, 0.0)
            with brought_up(bench, waiting[0], sut) as subject:
                for record in _until_it_dies(subject, waiting, progress):
                    waiting.pop(0)
                    yield record
                ending = True
        except (DeployError, NoFreePortError, OSError) as error:
            if ending:
                raise
            yield from (failed(bench, place, str(error)) for place in waiting)
            return


def brought_up(
    bench: Bench, first: TrialPlace, sut: tuple[Architecture, Variant]
) -> AbstractContextManager[Subject]:
    """A turn's SUT, up until the block ends; its logs lie with the first trial it plays."""
    return deployed(bench, sut, bench.directory.trial(first))


def _until_it_dies(
    subject: Subject, places: list[TrialPlace], progress: Progress
) -> Iterator[TrialRecord]:
    """Trials of one deployment: at least one, so that a turn ends whatever dies."""
    for place in tuple(places):
        yield _play_or_fail(subject, place, progress)
        if subject.running.exits():
            return


def _play_or_fail(subject: Subject, place: TrialPlace, progress: Progress) -> TrialRecord:
    bench = subject.bench
    plan = bench.directory.plan(place.block, place.step)
    order = Order(place, plan, bench.steps[place.step].offered_rps)
    try:
        return play_trial(subject, order, progress)
    except (DriveError, OSError) as error:
        died = "".join(f"; {exit_}" for exit_ in subject.running.exits())
        return failed(bench, place, f"{error}{died}")


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
