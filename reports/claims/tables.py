"""Judged claims as tables of the page."""

from reports.claims import phrases
from reports.claims.record import Claims, JudgedClaim, JudgedHypothesis, Measured
from reports.claims.rule import Word
from reports.tables import Shown, Table, Tone, shown
from reports.wording import DASH

TONES: dict[Word, Tone] = {
    "supported": "good",
    "refuted": "bad",
    "inconclusive": "doubt",
    "not tested": "muted",
}


def parts(claim: JudgedClaim) -> Table:
    """A claim's hypotheses, a row each."""
    head = [
        Shown("Part"),
        Shown("Hypothesis", tone="text"),
        Shown("Verdict"),
        Shown("Claimed"),
        Shown("Found", f"{phrases.level(claim)} interval below"),
        Shown("This"),
        Shown("Against"),
        Shown("Interval", tone="text"),
    ]
    rows = [_part(number, one) for number, one in enumerate(claim.hypotheses, 1)]
    return Table("What would be seen if it held", head, rows, wide=True)


def _part(number: int, one: JudgedHypothesis) -> list[Shown]:
    return [
        Shown(str(number)),
        Shown(one.words, phrases.compared(one), tone="text"),
        Shown(f"{phrases.MARKS[one.word]} {one.word}", one.why, tone=TONES[one.word]),
        Shown(_unbroken(phrases.claimed(one))),
        _found(one),
        _side(one.this),
        _side(one.other),
        Shown(phrases.way(one) or DASH, tone="text" if one.way else "muted"),
    ]


def _found(one: JudgedHypothesis) -> Shown:
    whole = phrases.effect(one)
    text, _, rest = whole.partition(" (")
    text = _unbroken(text)
    if not rest:
        return Shown(text, tone="muted")
    ends, _, n = rest.removesuffix(")").rpartition(", ")
    return Shown(text, ends, beside=n) if ends else Shown(text, n)


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def _side(measured: Measured | None) -> Shown:
    if measured is None:
        return Shown(DASH, tone="muted")
    cell = shown(measured.figure.estimate, measured.unit)
    unit = "" if measured.unit == "share" else measured.unit
    left_out = f"{measured.left_out} left out" if measured.left_out else ""
    return Shown(
        _unbroken(f"{cell.text} {unit}".strip()),
        cell.under,
        "; ".join(part for part in (cell.beside, left_out) if part),
        tone=cell.tone,
    )


def passed_over(claims: Claims) -> Table | None:
    """Runs that bear a scenario's name and were not used, and why; None where there is none."""
    every = (
        (one.run_id, one.why)
        for claim in claims.claims
        for hypothesis in claim.hypotheses
        for one in hypothesis.passed
    )
    rows = [[Shown(run), Shown(why, tone="text")] for run, why in sorted(set(every))]
    head = [Shown("Run"), Shown("Why", tone="text")]
    return Table("Runs passed over", head, rows) if rows else None


def environment(claims: Claims) -> Table | None:
    """What all runs have in common."""
    rows = [[Shown(key), Shown(value, tone="text")] for key, value in claims.fingerprint.items()]
    head = [Shown("Entry"), Shown("Of every run", tone="text")]
    return Table("Environment", head, rows) if rows else None


def apart(claims: Claims) -> Table | None:
    """Where the runs were made in different environments."""
    rows = [
        [Shown(key), Shown(value), Shown(", ".join(runs), tone="text")]
        for key, values in claims.apart.items()
        for value, runs in values.items()
    ]
    head = [Shown("Entry"), Shown("Value"), Shown("Runs", tone="text")]
    return Table("Where the runs' environments differ", head, rows) if rows else None
