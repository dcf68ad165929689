"""What a reader must know of two runs before their figures."""

from collections.abc import Iterator, Sequence

from reports.compared.agreement import Matched
from reports.compared.figures import MOST_APART
from reports.compared.phrases import called, times
from reports.compared.record import Control
from reports.gate import comparable as gate
from reports.results import Results
from reports.stored.record import CAPPING, NOT_RECORDED
from reports.wording import number


def cautions(
    results: tuple[Results, Results], held: Sequence[Control], steps: Sequence[Matched]
) -> tuple[str, ...]:
    """What a reader must know before the figures."""
    found = (
        *_unfinished(results),
        *_changed(results),
        *_of_the_machine(results),
        *_apart(steps),
        *_reach(held),
    )
    return tuple(text[0].upper() + text[1:] for text in found)


def _unfinished(results: tuple[Results, Results]) -> Iterator[str]:
    for name, side in zip("AB", results, strict=True):
        if side.record.status != "complete":
            yield (
                f"{name} is {side.record.status}: its figures rest on the trials that had ended; "
                "finish it with `python -m harness run --resume`"
            )


def _changed(results: tuple[Results, Results]) -> Iterator[str]:
    for name, side in zip("AB", results, strict=True):
        described = side.record.environment.description
        if described.get("changed_files", "0") != "0":
            yield (
                f"{name} ran with {described['changed_files']} files changed since its revision: "
                "the revision alone does not say what was measured"
            )
    yield from gate.notes(results[0].record, results[1].record)


def _of_the_machine(results: tuple[Results, Results]) -> Iterator[str]:
    mine, theirs = (side.record.environment.description for side in results)
    apart = [key for key in CAPPING
             if mine.get(key, NOT_RECORDED) != theirs.get(key, NOT_RECORDED)]  # fmt: skip
    if apart:
        named = ", ".join(
            f"{key} ({mine.get(key, NOT_RECORDED)} and {theirs.get(key, NOT_RECORDED)})"
            for key in apart
        )
        yield f"the machine may be another, or changed: {named}"


def _apart(steps: Sequence[Matched]) -> Iterator[str]:
    for step in steps:
        if step.apart != 1.0:
            more = (
                ", so nothing of it carries a word but the start-up"
                if abs(step.apart - 1) > MOST_APART
                else ", so what follows the rate carries no word"
            )
            yield (
                f"{step.baseline.asked} was {number(step.baseline.offered_rps)} rps in A and "
                f"{number(step.candidate.offered_rps)} rps in B{more}"
            )


def _reach(held: Sequence[Control]) -> Iterator[str]:
    known = [c for c in held if c.moved is False and c.change.low and c.change.high]
    if known:
        change = known[0].change
        yield (
            f"no control was seen to move, but {called(known[0])}, is known only as "
            f"{times(change)}: a change of a time or a rate that is smaller than that may be the "
            "machine's, and gets no word"
        )
