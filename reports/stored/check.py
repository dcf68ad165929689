"""A run against the store, figure by figure: four words, and none of them is ``pass``.

Each figure has a limit that one more value stays within in 99 of 100 cases. A check asks many, so
Holm's procedure shares one error of 1 % among all of them: a false ``gross change`` in at most one
check of a hundred, however many figures it looks at. A figure beyond its own limit that Holm does
not bear out is inconclusive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reports.gate.holm import adjusted_p
from reports.gate.metrics import GateMetric
from reports.stored.comparable import LEAST, Peers, named, peers
from reports.stored.figures import STORED
from reports.stored.limits import Limit
from reports.stored.record import StoredFigure, StoredRun
from reports.wording import amount, inside, listed, number, plural

Word: TypeAlias = Literal[
    "gross change", "within what this machine has shown", "inconclusive", "not comparable"
]
EXIT_CODES: dict[Word, int] = {
    "within what this machine has shown": 0,
    "gross change": 1,
    "inconclusive": 3,
    "not comparable": 4,
}
ERROR = 0.01
"""Of a whole check, that it says ``gross change`` of a machine and a service that have not."""


@dataclass(frozen=True, slots=True)
class Held:
    """One figure beside its limit.

    Attributes:
        limit: None where the earlier values carry none; ``why`` says why.
        p: one-sided; None without a limit or without a value.
    """

    sut: str
    step: str
    metric: GateMetric
    figure: StoredFigure
    limit: Limit | None
    p: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure judged.

    Attributes:
        adjusted_p: its p with all the others taken into account (Holm); None where it has none.
        says: the word in one sentence, numbers included.
    """

    held: Held
    adjusted_p: float | None
    word: Word
    says: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A run held against the store.

    Attributes:
        words: the outcome in a few sentences.
        exit_code: of the command, ``inconclusive`` taken into account.
    """

    run: StoredRun
    peers: Peers
    rows: tuple[Row, ...]
    outcome: Word
    words: str
    exit_code: int


def check(
    run: StoredRun, stored: Sequence[StoredRun], inconclusive: Literal["fail", "warn"] = "fail"
) -> Checked:
    """Judge every figure that the run or its peers have.

    Args:
        run: the new one; where it is stored already, it is not held against itself.
        stored: oldest first.
        inconclusive: ``warn`` makes an inconclusive check end with 0 and a warning.
    """
    against = peers(run, stored)
    if not against.enough:
        words = f"{against.why_not}."
        return Checked(run, against, (), "not comparable", words, EXIT_CODES["not comparable"])
    held = list(hold(run, against.runs))
    adjusted, capped = adjusted_p([one.p for one in held]), bool(against.caps)
    rows = tuple(_judged(one, p, capped=capped) for one, p in zip(held, adjusted, strict=True))
    outcome = _outcome(rows)
    code = 0 if (outcome, inconclusive) == ("inconclusive", "warn") else EXIT_CODES[outcome]
    return Checked(run, against, rows, outcome, _summed_up(rows, outcome, against), code)


def hold(run: StoredRun, against: Sequence[StoredRun]) -> Iterator[Held]:
    """Each figure of a run beside what earlier runs say of it; those nobody has are left out."""
    for series in run.series:
        for metric in STORED:
            figure = series.figure(metric.key)
            found = [other.figure(series.sut, series.step, metric.key) for other in against]
            past = [f for f in found if f is not None and _carries(metric, f)]
            if figure is None or (figure.value is None and not past):
                continue
            why = "" if len(past) >= LEAST else f"{len(past)} earlier values, needs {LEAST}"
            limit = None if why else Limit.of(metric, past)
            p = None
            if limit is not None and figure.value is not None:
                p = limit.p(figure.value, figure.requests)
            yield Held(series.sut, series.step, metric, figure, limit, p, why or figure.why)


def _carries(metric: GateMetric, figure: StoredFigure) -> bool:
    """A zero has no logarithm; a share of no request is none."""
    if metric.kind == "difference":
        return figure.value is not None and figure.requests > 0
    return bool(figure.value)


def _judged(held: Held, shared_p: float | None, *, capped: bool) -> Row:
    limit, value = held.limit, held.figure.value
    if limit is None:
        return Row(held, None, "not comparable", f"not comparable: {held.why}")
    if value is None or shared_p is None:
        return Row(held, None, "inconclusive", f"inconclusive: no figure, {held.why}")
    word = _word(limit, value, shared_p)
    says = f"{word}: {_placed(limit, value)}"
    if word == "inconclusive":
        says += "; among so many figures that may be chance"
    if capped:
        return Row(held, shared_p, "inconclusive", f"inconclusive, on another machine: {says}")
    return Row(held, shared_p, word, says)


def _word(limit: Limit, value: float, shared_p: float) -> Word:
    if shared_p < ERROR and limit.material(value):
        return "gross change"
    return "inconclusive" if limit.beyond(value) else "within what this machine has shown"


def _placed(limit: Limit, value: float) -> str:
    unit = limit.metric.unit
    worse = "above" if limit.metric.better == "lower" else "below"
    where = worse if limit.beyond(value) else "within"
    return f"{amount(value, unit)} is {where} the limit of {limit.k} runs, " + amount(
        limit.bound(), unit
    )


def _outcome(rows: Sequence[Row]) -> Word:
    words = {row.word for row in rows}
    for word in ("gross change", "inconclusive", "within what this machine has shown"):
        if word in words:
            return word
    return "not comparable"


def _summed_up(rows: Sequence[Row], outcome: Word, against: Peers) -> str:
    asked = sum(row.adjusted_p is not None for row in rows)
    base = (
        f"{plural(asked, 'figure')} against {plural(len(against.runs), 'stored run')}; "
        f"{number(ERROR * 100)} % of such checks call a gross change where there is none"
    )
    if against.caps:
        base += f". No word is stronger than inconclusive: {named(against.caps)}"
    found = [row.held for row in rows if row.word == outcome]
    which = [f"{inside(held.metric.name)} of {held.sut} at {held.step}" for held in found]
    if outcome in {"gross change", "inconclusive"} and not against.caps:
        return f"{base}. {outcome.capitalize()}: {listed(which)}."
    return f"{base}."
