"""One SUT's turn in a block: bring it up, check that it answers right, and play its trials."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager

from architectures.spec import Architecture, Variant
from harness.bench import Bench, Progress
from harness.capacity.find import Say, find_capacity, not_searched
from harness.kept import DeployError
from harness.ports import NoFreePortError
from harness.record import Step, TrialPlace, TrialRecord
from harness.remote import REMOTE, attached
from harness.schedule import Turn
from harness.subject import Subject, deployed
from harness.trial import FAILURES, Order, play_trial

DEPLOY = "deploy"


def play_turn(
    bench: Bench,
    turn: Turn,
    sut: tuple[Architecture, Variant],
    progress: Progress,
    say: Say = lambda _: None,
) -> Generator[TrialRecord, None, None]:
    """Yield a SUT's trial of each load step, then those of its capacity search, if there is one.

    A failure is a trial too. One deployment plays them all, unless it dies: then what remains gets
    a fresh one, for what a corpse answers says nothing about it. So it does where events are
    played: the next trial is to find what this one found.

    Args:
        bench: what all trials share.
        turn: whose, and which trials.
        sut: what is deployed.
        progress: told what is being done.
        say: told what a capacity search finds.

    Raises:
        DeployError: a deployment could not be ended: what comes next would be measured beside it.
    """
    waiting, search = list(turn.places), search_waits(bench, turn)
    while waiting or search:
        ending, fresh = False, not waiting
        try:
            progress(DEPLOY, 0.0)
            with brought_up(bench, waiting[0] if waiting else turn.probe(0), sut) as subject:
                for record in _until_it_dies(subject, waiting, progress):
                    waiting.pop(0)
                    yield record
                if search and (fresh or not (waiting or _worn(subject))):
                    yield from find_capacity(subject, turn, progress, say)
                    search = False
                ending = True
        except (DeployError, NoFreePortError, OSError) as error:
            if ending:
                raise
            yield from (failed(bench.steps, place, str(error)) for place in waiting)
            if search:
                not_searched(bench, turn, str(error), say)
            return


def search_waits(bench: Bench, turn: Turn) -> bool:
    """Whether the turn is to end in a capacity search, and none has been made yet."""
    if bench.scenario.capacity is None:
        return False
    return not bench.directory.capacity(turn.block, turn.sut).exists()


def brought_up(
    bench: Bench, first: TrialPlace, sut: tuple[Architecture, Variant]
) -> AbstractContextManager[Subject]:
    """A turn's SUT, up until the block ends; its logs lie with the first trial it plays."""
    architecture, variant = sut
    if architecture.name == REMOTE:
        return attached(bench, variant.name)
    return deployed(bench, sut, bench.directory.trial(first))


def _until_it_dies(
    subject: Subject, places: list[TrialPlace], progress: Progress
) -> Iterator[TrialRecord]:
    """Trials of one deployment: at least one, so that a turn ends whatever dies."""
    for place in tuple(places):
        yield _play_or_fail(subject, place, progress)
        if _worn(subject):
            return


def _worn(subject: Subject) -> bool:
    """Whether a deployment that has played a trial is no longer what was deployed."""
    return bool(subject.running.exits() or subject.bench.scenario.events)


def _play_or_fail(subject: Subject, place: TrialPlace, progress: Progress) -> TrialRecord:
    bench = subject.bench
    plan = bench.directory.plan(place.block, place.step)
    order = Order(place, plan, bench.steps[place.step].offered_rps)
    try:
        return play_trial(subject, order, progress)
    except FAILURES as error:
        died = "".join(f"; {exit_}" for exit_ in subject.running.exits())
        return failed(bench.steps, place, f"{error}{died}")


def failed(steps: Sequence[Step], place: TrialPlace, error: str) -> TrialRecord:
    """A trial of one of the steps that could not be played, or not be read."""
    step = steps[place.step]
    return TrialRecord(
        place=place,
        outcome="failed",
        error=error,
        offered_rps=step.offered_rps,
        concurrency=step.concurrency,
    )
