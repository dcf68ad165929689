"""From pairs and rulings to the verdict, with everything a reader must know beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.pairs.record import GateRecord
from harness.record import RunRecord
from reports.gate import comparable, machine
from reports.gate.judge import Judged, judge, judged
from reports.gate.looks import nominal
from reports.gate.machine_record import MachineRecordError
from reports.gate.measured import PairMeasured
from reports.gate.notes import notes
from reports.gate.verdict import EXIT_CODES, MachineCitation, Outcome, Row, Verdict

_LEAST_TO_SHOW = 2
"""Pairs from which on figures are shown although no look was due."""

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a machine's A/A record lies; None where none is asked for."""

    machine: Path | None = None


def conclude(
    record: GateRecord,
    pairs: Sequence[PairMeasured],
    runs: tuple[RunRecord, RunRecord] | None,
    shelf: Shelf,
) -> Verdict:
    """The verdict of a gate that has ended, or of as much of one as there is.

    Args:
        record: what was compared and played.
        pairs: those that count, measured.
        runs: the sides' runs; None where none was prepared.
        shelf: what is known from before.
    """
    found = judged(pairs, record.section)
    rows = found.rows
    if not rows and len(pairs) >= _LEAST_TO_SHOW:
        rows = judge(pairs, record.section)
    unfit = tuple(record.why_unfit.splitlines())
    outcome = "unfit" if unfit else _outcome(record, found)
    cited, unread = _cited(record, runs, rows, shelf)
    return Verdict(
        gate_id=record.gate_id,
        created_utc=record.created_utc,
        version=record.version,
        name=record.name,
        kind=record.kind,
        outcome=outcome,
        exit_code=_exit_code(outcome, record),
        inconclusive=record.section.inconclusive,
        words=_sentence(_words(record, outcome, rows, len(pairs))),
        unfit=unfit,
        notes=(*unread, *notes(record, runs, rows, cited)),
        sides=record.sides,
        rate_rps=record.rate_rps,
        capacity=record.capacity,
        error=record.section.error,
        family=record.section.family,
        planned_looks=record.section.looks,
        nominal=_level(record),
        looks=found.looks,
        rows=rows,
        pairs=record.pairs,
        fingerprint=comparable.agreed(*runs) if runs else {},
        fingerprint_differs=comparable.differs(*runs) if runs else {},
        pressure=_pressure(pairs),
        machine=cited,
        wall_s=record.wall_s,
    )


def _outcome(record: GateRecord, found: Judged) -> Outcome:
    if not found.looks:
        return "inconclusive"
    last = found.looks[-1].outcome
    fresh = all(side.fresh for side in record.sides)
    return "inconclusive" if last == "regression" and not fresh else last


def _exit_code(outcome: Outcome, record: GateRecord) -> int:
    if outcome == "inconclusive" and record.section.inconclusive == "warn":
        return 0
    return EXIT_CODES[outcome]


def _words(record: GateRecord, outcome: Outcome, rows: Sequence[Row], pairs: int) -> str:
    """The outcome in one or two sentences."""
    candidate = f"the candidate ({record.side('candidate').label})"
    baseline = f"the baseline ({record.side('baseline').label})"
    gating = [row for row in rows if row.gating]
    if outcome == "unfit":
        return f"No verdict on {candidate} against {baseline}: {record.why_unfit.splitlines()[0]}"
    if outcome == "regression":
        return f"{candidate} is worse than {baseline}: {_named(gating, 'regression')}"
    if outcome == "pass":
        return (
            f"{candidate} is not worse than {baseline} by its margin in any of "
            f"{len(gating)} metrics, after {pairs} pairs"
        )
    return f"After {pairs} pairs nobody can tell {candidate} from {baseline}: " + (
        _named(gating, "inconclusive") or "too few pairs for a look"
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")


def _named(rows: Iterable[Row], word: str) -> str:
    """The rows of a word, the first few in full."""
    said = [f"{row.name} {row.says}" for row in rows if row.word == word]
    more = len(said) - _MOST_NAMED
    return "; ".join(said[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _cited(
    record: GateRecord,
    runs: tuple[RunRecord, RunRecord] | None,
    rows: Sequence[Row],
    shelf: Shelf,
) -> tuple[tuple[MachineCitation, ...], tuple[str, ...]]:
    """What the machine's record says, and why it says nothing where it cannot be read."""
    gating = [row for row in rows if row.gating]
    if shelf.machine is None or runs is None or not gating:
        return (), ()
    keys = [row.key for row in gating]
    sut, fingerprint = record.side("baseline").sut, runs[0].environment.fingerprint
    try:
        cited = machine.cite(shelf.machine, fingerprint, sut, keys, gating[0].n, _level(record))
    except MachineRecordError as error:  # it must not cost the verdict
        return (), (str(error),)
    return cited, ()


def _level(record: GateRecord) -> float:
    return nominal(record.section.looks, record.section.error)


def _pressure(pairs: Iterable[PairMeasured]) -> dict[str, float]:
    """The largest reading of each kind."""
    found: dict[str, float] = {}
    for pair in pairs:
        for block in (pair.baseline, pair.candidate):
            for key, value in block.pressure.items():
                found[key] = max(found.get(key, 0.0), value)
    return dict(sorted(found.items()))
