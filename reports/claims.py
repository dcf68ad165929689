"""The answer in words. Each claim is a row: it reads the results and says one thing, or nothing.

A word such as *least* is used only where the paired interval bears it out. The intervals of one
answer share their error: each is taken at a level that keeps the chance of any false word at
most 5 % (Bonferroni).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from harness.record import Step
from reports.compare import Comparison
from reports.estimate import LEVEL, Missing
from reports.metrics import BY_KEY
from reports.results import Cell, Results
from reports.wording import figure, interval, listed, number, plural


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
    return f"{step.asked} ({number(step.offered_rps)} rps)"


def held(cell: Cell, share: float) -> Literal["held", "missed", "mixed", "unknown"]:
    """Whether the SLO was kept at this step, in every trusted block, none, or some."""
    shares = [v for v in cell.by_block("slo_share").values() if not isinstance(v, Missing)]
    if not shares:
        return "unknown"
    kept = [value >= share for value in shares]
    return "held" if all(kept) else "mixed" if any(kept) else "missed"


def _rates_held(results: Results) -> Iterator[Sentence]:
    """Up to which step each SUT kept the SLO."""
    slo = results.slo
    tops = [(_top_step(results, sut.key), sut.key) for sut in results.record.suts if sut.answers]
    if slo is None or not any(cell.trusted for cell in results.cells if cell.sut.answers):
        return
    tops.sort(key=lambda top: -1 if top[0] is None else top[0].index, reverse=True)
    parts = []
    for step, group in groupby(tops, key=lambda top: top[0]):
        names = listed([sut for _, sut in group])
        parts.append(f"{names} at {at(step)}" if step else f"{names} at no step")
    promise = f"{slo.share * 100:g} % of requests answered within {slo.response_s * 1e3:g} ms"
    yield Sentence(f"Highest offered rate with {promise} in every block: {'; '.join(parts)}.")


def _top_step(results: Results, sut: str) -> Step | None:
    """The highest step held with every lower one held too."""
    top = None
    if results.slo is None:
        return None
    for step in sorted(results.record.steps, key=lambda step: step.offered_rps):
        if held(results.cell(sut, step.index), results.slo.share) != "held":
            break
        top = step
    return top


def common_step(results: Results) -> Step | None:
    """Where SUTs are compared: the highest step at which none that has trusted trials gave out.

    Beyond it a SUT that sheds load would be compared at work it did not do.
    """
    steps = sorted(results.record.steps, key=lambda step: step.offered_rps, reverse=True)
    measured = [s for s in steps if any(cell.trusted for cell in results.at(s.index))]
    share = results.slo.share if results.slo else 0.0
    for step in measured:
        if all(held(c, share) in {"held", "unknown"} for c in results.at(step.index)):
            return step
    return measured[-1] if measured else None


def _cheapest(results: Results) -> Iterator[Sentence]:
    """Which SUT spends the least CPU on a request."""
    yield from _lowest(results, "cpu_ms", "spent the least CPU on a request", "CPU per request")


def _quickest(results: Results) -> Iterator[Sentence]:
    """Which SUT answers soonest: at p95, or at the median where p95 is not carried."""
    step = common_step(results)
    if step is None:
        return
    carried = [c.estimates["response_p95_ms"].point is not None for c in results.at(step.index)]
    percent = "p95" if all(carried) else "p50"
    words = f"had the lowest {percent} response time"
    yield from _lowest(results, f"response_{percent}_ms", words, f"{percent} response time")


def _lowest(results: Results, key: str, verb: str, noun: str) -> Iterator[Sentence]:
    step = common_step(results)
    if step is None:
        return
    cells = [c for c in results.at(step.index) if c.estimates[key].point is not None]
    cells.sort(key=lambda cell: cell.estimates[key].point or 0.0)
    if not cells:
        return
    leader, *others = cells
    level = 1 - (1 - LEVEL) / max(len(_COMPARING) * len(others), 1)
    told = [(other, results.comparison(other, leader, key, level)) for other in others]
    shown = figure(leader.estimates[key], BY_KEY[key].unit)
    name = leader.sut.key
    above = [f"{_times(c)} for {other.sut.key}" for other, c in told if c.word == "higher"]
    alike = [other.sut.key for other, c in told if c.word != "higher"]
    more = f"; it was {listed(above)}" if above else ""
    where = f"At {at(step)}"
    if not others:
        yield Sentence(f"{where} the {noun} of {name} was {shown}.")
    elif not alike:
        yield Sentence(f"{where} {name} {verb}, {shown}{more}.")
    elif above:
        rest = f"{listed(alike)} cannot be told from it"
        yield Sentence(f"{where} the {noun} of {name} was {shown}{more}; {rest}.")
    else:
        rest = f"{name} reads lowest, {shown}, and {listed(alike)} cannot be told from it"
        yield Sentence(f"{where} no difference in {noun} can be told: {rest}.")


def _times(comparison: Comparison) -> str:
    ratio = comparison.ratio
    return f"{number(ratio.point or 0)} times that ({interval(ratio, '')})"


def _left_out(results: Results) -> Iterator[Sentence]:
    """How many trials no figure rests on."""
    left_out, recorded = results.left_out(), len(results.run.trials)
    if left_out:
        were = "was" if len(left_out) == 1 else "were"
        yield Sentence(
            f"{len(left_out)} of {plural(recorded, 'trial')} {were} not trusted and left out of "
            "every figure; the validity table says why and what to do.",
            "caution",
        )


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
_COMPARING: tuple[Claim, ...] = (_cheapest, _quickest)
CLAIMS: tuple[Claim, ...] = (
    _rates_held,
    *_COMPARING,
    _left_out,
    _unfinished,
    _wrong_answers,
    _meaningless,
)
