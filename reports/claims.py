"""The answer in words. Each claim is a row: it reads the results and says one thing, or nothing.

A word such as *least* is used only where the paired interval bears it out. The intervals of one
answer share their error: each is taken at a level that keeps the chance of any false word at
most 5 % (Bonferroni).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from harness.record import Step, TrialRecord
from reports.estimate import LEVEL
from reports.metrics import BY_KEY
from reports.results import Cell, Results
from reports.saturation import common_step, overload_step, steps_by_rate, top_step
from reports.wording import TIMES, figure, inside, interval, listed, number, plural


@dataclass(frozen=True, slots=True)
class Sentence:
    """One claim, in words. A ``caution`` says what the reader must not forget."""

    text: str
    kind: Literal["answer", "caution"] = "answer"


def answer(results: Results) -> list[Sentence]:
    """Every claim the results bear out, the answer before its cautions."""
    found = [sentence for claim in CLAIMS for sentence in claim(results)]
    if not any(sentence.kind == "answer" for sentence in found):
        found.insert(0, Sentence("There is no answer yet: no trial can be trusted."))
    return found


def at(step: Step) -> str:
    """A step in words."""
    share = step.asked.removesuffix(" ceiling")
    if share == step.asked:
        return step.asked
    return f"{share} {TIMES} ceiling ({number(step.offered_rps)} rps)"


def _rates_held(results: Results) -> Iterator[Sentence]:
    """Up to which step each SUT kept the SLO."""
    suts = [sut.key for sut in results.record.suts if sut.answers]
    if results.slo is None or not any(c.trusted for c in results.cells if c.sut.answers):
        return
    groups: dict[Step | None, list[str]] = {}
    for step in (*reversed(steps_by_rate(results)), None):
        groups[step] = [sut for sut in suts if top_step(results, sut) == step]
    parts = [
        f"{listed(names)} {'held up to ' + at(step) if step else 'held no offered rate'}"
        for step, names in groups.items()
        if names
    ]
    yield Sentence(f"With {results.slo.words}, {'; '.join(parts)}.")


def _fastest(results: Results) -> Iterator[Sentence]:
    """Which SUT answers most when more is offered than any can take."""
    step = overload_step(results)
    if step is not None:
        yield from _best(results, step, "throughput_rps", "reached the highest throughput")


def _cheapest(results: Results) -> Iterator[Sentence]:
    """Which SUT spends the least CPU on a request."""
    step = common_step(results)
    if step is not None:
        yield from _best(results, step, "cpu_ms", "spent the least CPU on a request")


def _quickest(results: Results) -> Iterator[Sentence]:
    """Which SUT answers soonest: at p95, or at the median where p95 is not carried."""
    step = common_step(results)
    if step is None:
        return
    carried = [c.estimates["response_p95_ms"].point is not None for c in results.at(step.index)]
    percent = "p95" if all(carried) else "p50"
    words = f"had the lowest {percent} response time"
    yield from _best(results, step, f"response_{percent}_ms", words)


def _best(results: Results, step: Step, key: str, verb: str) -> Iterator[Sentence]:
    metric = BY_KEY[key]
    everyone = results.at(step.index)
    absent = [c.sut.key for c in everyone if c.estimates[key].point is None]
    cells = [c for c in everyone if c.estimates[key].point is not None]
    cells.sort(key=lambda c: c.estimates[key].point or 0.0, reverse=metric.better == "higher")
    if not cells:
        return
    leader, *others = cells
    name, shown = leader.sut.key, figure(leader.estimates[key], metric.unit)
    behind, alike = _ranked(results, key, leader, others)
    more = f"; it was {listed(behind)}" if behind else ""
    where, noun = f"At {at(step)}", inside(metric.name)
    if absent:
        yield Sentence(f"{where} there is no {noun} of {listed(absent)}.", "caution")
    if not others:
        yield Sentence(f"{where} the {noun} of {name} was {shown}.")
    elif not alike:
        yield Sentence(f"{where} {name} {verb}, {shown}{more}.")
    elif behind:
        rest = f"{listed(alike)} cannot be told from it"
        yield Sentence(f"{where} the {noun} of {name} was {shown}{more}; {rest}.")
    else:
        rest = f"{name} reads best, {shown}, and {listed(alike)} cannot be told from it"
        yield Sentence(f"{where} no difference in {noun} can be told: {rest}.")


def _ranked(
    results: Results, key: str, leader: Cell, others: list[Cell]
) -> tuple[list[str], list[str]]:
    """The SUTs shown to be behind the leader, in words, and those that cannot be told from it."""
    level = shared_level(1 + len(others))
    worse = "lower" if BY_KEY[key].better == "higher" else "higher"
    behind, alike = [], []
    for other in others:
        found = results.comparison(other, leader, key, level)
        if found.word == worse:
            ratio = f"{number(found.ratio.point or 0)} times that ({interval(found.ratio, '')})"
            behind.append(f"{ratio} for {other.sut.key}")
        else:
            alike.append(other.sut.key)
    return behind, alike


def shared_level(suts: int) -> float:
    """The level of each comparison in an answer, so that all of them share one error of 5 %.

    Every pair counts, though only those with the leader are spoken of: which SUT leads is read
    from the same blocks.
    """
    pairs = suts * (suts - 1) // 2
    return 1 - (1 - LEVEL) / max(len(_COMPARING) * pairs, 1)


def _left_out(results: Results) -> Iterator[Sentence]:
    """How many trials no figure rests on."""
    left_out, recorded = results.left_out(), len(results.run.trials)
    if left_out:
        were = "was" if len(left_out) == 1 else "were"
        yield Sentence(
            f"{len(left_out)} of {plural(recorded, 'trial')} {were} not trusted and left out of "
            f"every figure ({_why(left_out)}); the validity table says what to do.",
            "caution",
        )


def _why(trials: list[TrialRecord]) -> str:
    """Reasons with how many trials bear each, the commonest first."""
    codes = Counter(reason.code for trial in trials for reason in trial.reasons)
    codes["failed"] = sum(trial.outcome == "failed" for trial in trials)
    return ", ".join(f"{code} {count}" for code, count in codes.most_common() if count)


def _unfinished(results: Results) -> Iterator[Sentence]:
    """That the run did not reach its end."""
    recorded, meant = len(results.run.trials), len(results.record.schedule)
    if results.record.status != "complete" or recorded < meant:
        yield Sentence(
            f"This run is unfinished ({results.record.status}): {recorded} of "
            f"{plural(meant, 'planned trial')} ended.",
            "caution",
        )


def _meaningless(results: Results) -> Iterator[Sentence]:
    """That the models were never trained."""
    if not results.record.ensemble.meaningful:
        yield Sentence(
            "The models' weights are seeded, not trained: the answers carry no meaning. "
            "Timings and resources are those of models of this shape.",
            "caution",
        )


def _wrong_answers(results: Results) -> Iterator[Sentence]:
    """That answers differed from the reference."""
    checks = [t.verification for t in results.run.trials if t.verification is not None]
    different = sum(check.before_different + check.under_load_different for check in checks)
    if different:
        checked = sum(check.before + check.under_load for check in checks)
        yield Sentence(
            f"{different} of {plural(checked, 'checked answer')} differed from the reference.",
            "caution",
        )


Claim = Callable[[Results], Iterator[Sentence]]
_COMPARING: tuple[Claim, ...] = (_fastest, _cheapest, _quickest)
CLAIMS: tuple[Claim, ...] = (
    _rates_held,
    *_COMPARING,
    _left_out,
    _unfinished,
    _wrong_answers,
    _meaningless,
)
