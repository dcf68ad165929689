"""What two runs beside each other come to, in sentences."""

from collections.abc import Iterator, Sequence

from reports.compared.agreement import Matched
from reports.compared.record import ComparedSide, Control, Row
from reports.estimate import Estimate
from reports.results import Results
from reports.wording import DASH, inside, listed, number, plural

_NAMED = 6
NOT_PAIRED = (
    "These runs were made at different times, so nothing in them is paired, and a machine that "
    "drifts looks like a change. This is for reading."
)


def answer(rows: Sequence[Row], held: Sequence[Control], reasons: Sequence[str]) -> tuple[str, ...]:
    """The answer, its headline first."""
    if reasons:
        return (
            (
                "These runs answer different questions: they are shown side by side, and nothing "
                "here says that one is better."
            ),
        )
    spoken = [row for row in rows if row.word is not None]
    if not spoken:
        return ("The runs have no figure in common that carries a word.",)
    said = silence(held)
    worse, better = ([r for r in spoken if r.word == w] for w in ("worse", "better"))
    unsure = len(spoken) - len(worse) - len(better)
    if said:
        return (f"Cannot tell: {said}.", f"{plural(len(spoken), 'figure')} carry no other word.")
    head = (
        f"Of {plural(len(spoken), 'figure')} B is worse than A in {_count(worse)} and better in "
        f"{_count(better)}; of {_rest(unsure, len(spoken))} these blocks cannot tell."
    )
    found = (*_sentences("Worse", worse), *_sentences("Better", better))
    return (head, *found, *_inside_margin(spoken))


def _count(rows: Sequence[Row]) -> str:
    return str(len(rows)) if rows else "none"


def _rest(count: int, of: int) -> str:
    return "all of them" if count == of else "none" if not count else f"{count}"


def _sentences(head: str, rows: Sequence[Row]) -> Iterator[str]:
    """A sentence a SUT and step; the rest only counted."""
    places: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        places.setdefault((row.sut, row.step), []).append(row)
    for (sut, step), found in list(places.items())[:_NAMED]:
        named = listed([f"{inside(row.name)} {ratio(row)} ({ends(row)})" for row in found])
        yield f"{head}: {sut}{'' if step.startswith('at ') else ' at'} {step}, {named}."
    if len(places) > _NAMED:
        more = sum(len(found) for found in list(places.values())[_NAMED:])
        yield f"{head} in {plural(more, 'more figure')}, all of them below."


def _inside_margin(rows: Sequence[Row]) -> Iterator[str]:
    kept = [row for row in rows if row.within]
    if kept:
        yield (
            f"Of {plural(len(kept), 'figure')} the whole interval lies within the margin that "
            "was asked for."
        )


def ratio(row: Row) -> str:
    """A change in words: ``1.2 times``, or ``+0.3 pp``; what it has none for, a dash."""
    if row.change is None or row.change.point is None:
        return DASH
    if row.kind == "ratio":
        return f"{number(row.change.point)} times"
    return f"{points(row.change.point)} pp"


def ends(row: Row) -> str:
    """A change's interval; empty where it has none."""
    change = row.change
    if change is None or change.low is None or change.high is None:
        return ""
    if row.kind == "ratio":
        return f"{number(change.low)}{DASH}{number(change.high)}"
    return f"{points(change.low)} to {points(change.high)} pp"


def points(share: float) -> str:
    """A share as signed percentage points."""
    return f"{share * 100:+.2f}".replace("-", "\N{MINUS SIGN}")


def silence(held: Sequence[Control]) -> str:
    """Why no figure may be called better or worse; empty where they may."""
    moved = [control for control in held if control.moved]
    if moved:
        named = listed([f"{called(control)} {times(control.change)}" for control in moved])
        return (
            f"a control moved between the runs ({named}), and no change of a SUT does that: the "
            "machine, the ensemble's own code or its libraries did"
        )
    if not any(control.moved is False for control in held):
        return (
            "no control was measured in two blocks of both runs, so a slower machine looks like "
            "a slower service"
        )
    return ""


def called(control: Control) -> str:
    """A control's name inside a sentence."""
    return inside(control.name.replace(": ", ", "))


def times(change: Estimate) -> str:
    """A ratio with its interval; nothing where it has none."""
    if change.point is None or change.low is None or change.high is None:
        return ""
    return f"{number(change.point)} times ({number(change.low)}{DASH}{number(change.high)})"


def unsure(low: float, high: float, asked: float, unseen: float) -> str:
    """Why an interval that has been seen gives no word, as it can be seen in the table.

    Args:
        low: where the interval begins, on the scale that is tested: 0 is no change.
        high: where it ends.
        asked: the margin that was asked for, on the same scale.
        unseen: what the controls leave open.
    """
    if low <= 0 <= high:
        return "the interval holds no change"
    if low <= asked and high >= -asked:
        return "the interval reaches into the margin"
    if low <= unseen and high >= -unseen:
        return "the controls cannot rule out that the machine did it"
    return "alone it would be a change; of so many figures some are by chance (Holm)"


def answers(baseline: Results, candidate: Results) -> str:
    """Whether both gave the same answers, as far as that is known."""
    sides = (baseline.record, candidate.record)
    digests = [side.ensemble.weights_digest for side in sides]
    if digests[0] != digests[1]:
        return (
            f"The weights differ ({digests[0][:10]} and {digests[1][:10]}): answers are each "
            "side's own."
        )
    checked, wrong = [], []
    for side in (baseline, candidate):
        found = [t.verification for t in side.run.trials if t.verification is not None]
        checked.append(sum(one.before + one.under_load for one in found))
        wrong.append(sum(one.before_different + one.under_load_different for one in found))
    return (
        f"Both answered with the weights {digests[0][:10]}. Compared with the in-process "
        f"reference: {checked[0]:,} answers of A, {wrong[0]:,} of them different; "
        f"{checked[1]:,} of B, {wrong[1]:,} different."
    )


def only(baseline: Results, candidate: Results, steps: Sequence[Matched]) -> tuple[str, ...]:
    """What only one run has; it is left out."""
    found = []
    pairs = (("A", baseline, candidate), ("B", candidate, baseline))
    for name, side, other in pairs:
        suts = [s.key for s in side.record.suts if s.key not in {o.key for o in other.record.suts}]
        used = {(step.baseline if name == "A" else step.candidate).index for step in steps}
        left = [step.asked for step in side.record.steps if step.index not in used]
        found += [f"only {name} has {what}" for what in (_many("SUT", suts), _many("step", left))
                  if what]  # fmt: skip
    return tuple(found)


def _many(noun: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"the {noun if len(names) == 1 else f'{noun}s'} {listed(names)}"


def decide(sides: tuple[ComparedSide, ComparedSide]) -> str:
    """How to have it decided, as a command where both revisions are known."""
    mine, theirs = (side.revision for side in sides)
    known = all(len(name) == 40 for name in (mine, theirs)) and mine != theirs  # noqa: PLR2004
    names = f" --baseline {mine[:10]} --candidate {theirs[:10]}" if known else ""
    return f"nox -s gate -- scenarios/gate.toml{names}"
