"""Two measured runs, concluded: rows with their words, cautions, and the answer in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1

from reports.compared import phrases
from reports.compared.agreement import differing, matched, refusals
from reports.compared.cautions import cautions
from reports.compared.change import Change, change, log_margin
from reports.compared.controls import allowance, controls
from reports.compared.figures import Pairing, pairings
from reports.compared.margins import NO_MARGIN, Margins
from reports.compared.record import Compared, ComparedSide, Control, Row, SideName, Word
from reports.compared.sides import Chosen
from reports.estimate import LEVEL
from reports.gate.holm import Holm, holm
from reports.results import Results

ERROR = 0.05
"""Of any false word among all of them."""


class NotComparableError(Exception):
    """Two runs that answer different questions.

    Attributes:
        reasons: in words, each with its key, both values and what to do.
    """

    def __init__(self, chosen: tuple[Chosen, Chosen], reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        mine, theirs = (side.path / "run.json" for side in chosen)
        listed = "\n".join(f"  - {why}" for why in reasons)
        super().__init__(
            f"compare: not comparable: {mine} (A, the baseline) and {theirs} (B, the candidate)\n"
            f"{listed}\n--anyway shows them side by side, without a word of better or worse."
        )


def compare_runs(
    chosen: tuple[Chosen, Chosen],
    results: tuple[Results, Results],
    margins: Margins = NO_MARGIN,
    *,
    anyway: bool = False,
) -> Compared:
    """Compare two runs of different times.

    Args:
        chosen: which runs they are, and why those; the baseline first.
        results: both, measured by one price sheet.
        margins: what is no change.
        anyway: show both side by side, without a word, where they may not be compared.

    Raises:
        NotComparableError: they may not be compared, and ``anyway`` was not said.
    """
    baseline, candidate = results
    reasons = refusals(baseline, candidate)
    if reasons and not anyway:
        raise NotComparableError(chosen, reasons)
    steps = matched(baseline.record, candidate.record)
    found = tuple(pairings(baseline, candidate, steps))
    held = controls(baseline, candidate, steps)
    rows = tuple(map(beside, found)) if reasons else _rows(found, held, margins)
    sides = (_side("baseline", chosen[0], baseline), _side("candidate", chosen[1], candidate))
    return Compared(
        comparable=not reasons,
        refusals=reasons,
        sides=sides,
        cautions=cautions(results, held, steps) if not reasons else (),
        differs=differing(baseline.record, candidate.record),
        answers_equal=phrases.answers(baseline, candidate),
        controls=() if reasons else held,
        steps=tuple(step.pair for step in steps),
        only=phrases.only(baseline, candidate, steps),
        rows=rows,
        level=LEVEL,
        error=ERROR,
        words=phrases.answer(rows, held, reasons),
        decide=phrases.decide(sides),
    )


def _side(name: SideName, chosen: Chosen, results: Results) -> ComparedSide:
    record = results.record
    described = record.environment.description
    return ComparedSide(
        name=name,
        asked=chosen.asked,
        chosen=chosen.why,
        run_id=record.run_id,
        path=str(chosen.path),
        created_utc=record.created_utc,
        scenario=str(record.scenario.get("name", "")),
        version=record.version,
        revision=described.get("revision", "not recorded"),
        changed_files=int(described.get("changed_files", "0")),
        status=record.status,
        blocks=len({place.block for place in record.schedule}),
    )


def beside(found: Pairing, moved: Change | None = None, **more: object) -> Row:
    """Both sides' figures in a row, the change where there is one."""
    mine, theirs = found.shown
    return Row.model_validate(
        {
            "sut": found.sut,
            "step": found.step,
            "metric": found.metric,
            "name": found.name,
            "unit": found.unit,
            "better": found.better,
            "kind": found.kind,
            "baseline": mine,
            "candidate": theirs,
            "change": moved.shown if moved else None,
            **more,
        }
    )


def _rows(found: Sequence[Pairing], held: Sequence[Control], margins: Margins) -> tuple[Row, ...]:
    """Every figure with its change; Holm's procedure shares the error among all that speak."""
    unseen, silence = allowance(held), phrases.silence(held)
    spoken = [_Spoken.of(one, margins, unseen) for one in found]
    chances = {str(i): one.p for i, one in enumerate(spoken) if not one.found.mute}
    places = holm(chances, ERROR)
    return tuple(one.row(places.get(str(i)), silence) for i, one in enumerate(spoken))


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One figure with its change and what that must exceed.

    Attributes:
        asked / unseen: logarithms of a ratio, or differences: the margin that was asked for, and
            what the controls cannot rule out of the machine.
    """

    found: Pairing
    change: Change | None
    asked: float
    unseen: float

    @classmethod
    def of(cls, found: Pairing, margins: Margins, unseen: float) -> "_Spoken":
        moved = change(*found.values, found.kind) if found.values else None
        asked = log_margin(margins.of(found.metric), found.kind)
        return cls(found, moved, asked, unseen if found.machine else 0.0)

    @property
    def margin(self) -> float:
        return max(self.asked, self.unseen)

    @property
    def p(self) -> float:
        """What cannot be told takes its share of the error: it must not make others easier."""
        if self.change is None or self.change.welch is None:
            return 1.0
        return self.change.welch.p(self.margin)

    def row(self, place: Holm | None, silence: str) -> Row:
        """As it is recorded; a figure without a place carries no word."""
        if place is None:
            return self._beside(why=self.found.mute)
        word, why = self._word(place, silence)
        return self._beside(
            p=self.p,
            level=place.level,
            margin=expm1(self.margin) if self.found.kind == "ratio" else self.margin,
            word=word,
            within=not silence and self._within(),
            why=why,
        )

    def _word(self, place: Holm, silence: str) -> tuple[Word, str]:
        """The word, and why it is not another."""
        if self.change is None or self.change.welch is None:
            return "cannot tell", self.change.shown.note if self.change else "not measured"
        if silence:
            return "cannot tell", silence
        if not place.rejected:
            low, high = self.change.welch.ends(LEVEL)
            return "cannot tell", phrases.unsure(low, high, self.asked, self.unseen)
        rises = self.change.welch.change > 0
        return ("better" if rises == (self.found.better == "higher") else "worse"), ""

    def _within(self) -> bool:
        """Whether what was seen, and what the machine may have hidden, lie within the margin."""
        if self.change is None or self.change.welch is None or self.asked <= 0:
            return False
        low, high = self.change.welch.ends(LEVEL)
        return low - self.unseen > -self.asked and high + self.unseen < self.asked

    def _beside(self, **more: object) -> Row:
        return beside(self.found, self.change, **more)
