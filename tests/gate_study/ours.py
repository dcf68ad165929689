"""Our gate on pairs that are already played, in a fraction of a millisecond a look.

The statistics are the gate's own rooms. ``reports.gate.judge`` also writes what a page says, a
hundred times as long as the words take; ``judged_in_full`` asks it, and a test holds both together.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.pairs.section import GateSection
from reports.estimate import Missing
from reports.gate import verdict
from reports.gate.contrast import Contrast
from reports.gate.difference import difference
from reports.gate.effect import effect
from reports.gate.judge import judged
from reports.gate.looks import nominal
from reports.gate.measured import BlockValues, PairMeasured
from reports.gate.metrics import BY_KEY, ERRORS, GATE_METRICS, GateMetric
from reports.gate.rule import outcome, rule
from tests.gate_study.blocks import Block, Pair

Word: TypeAlias = Literal["pass", "regression", "inconclusive", "unfit"]

_ABSENT = Missing("not carried by this block")


@dataclass(frozen=True, slots=True)
class Said:
    """What a method made of a change.

    Attributes:
        by: metrics that it calls worse.
        pairs: played for it, redone ones included; 0 where it plays none.
    """

    word: Word
    by: tuple[str, ...] = ()
    pairs: int = 0


def gate(pairs: Sequence[Pair], section: GateSection) -> Said:
    """Take pairs as they were played, redo what is flagged, stop where a look settles it."""
    counted = [(number, pair) for number, pair in enumerate(pairs, 1) if not pair.flagged]
    for due in section.looks:
        if due > len(counted):
            break
        words = look([pair for _, pair in counted[:due]], section)
        if outcome(words.values()) != "inconclusive" or due == section.looks[-1]:
            return _ended(pairs[: counted[due - 1][0]], section, words)
    return _ended(pairs, section, {})


def judged_in_full(pairs: Sequence[Pair], section: GateSection) -> Said:
    """The same by ``reports.gate.judge``."""
    counted = [(number, pair) for number, pair in enumerate(pairs, 1) if not pair.flagged]
    found = judged([measured(*one) for one in counted], section)
    used = found.looks[-1].pairs if found.looks else 0
    words = {row.key: row.word for row in found.rows if row.gating}
    last = counted[used - 1][0] if found.ended else len(pairs)
    return _ended(pairs[:last], section, words if found.ended else {})


def _ended(pairs: Sequence[Pair], section: GateSection, words: Mapping[str, verdict.Word]) -> Said:
    unfit = _unfit(pairs, section)
    if unfit:
        return Said("unfit", (), unfit)
    worse = tuple(key for key, word in words.items() if word == "regression")
    return Said(outcome(words.values()), worse, len(pairs))


def look(pairs: Sequence[Pair], section: GateSection) -> dict[str, verdict.Word]:
    """Each gating metric's word after these pairs."""
    contrasts = {metric.key: _contrast(pairs, metric) for metric in _gating(pairs, section)}
    margins = {key: _margin(pairs, BY_KEY[key], section) for key in contrasts}

    def share(left: int) -> float:
        return nominal(section.looks, section.error, left * section.family)

    level = nominal(section.looks, section.error)
    rulings = rule(contrasts, margins, level, tuple(contrasts), share=share)
    return {key: ruling.word for key, ruling in rulings.items()}


def _gating(pairs: Sequence[Pair], section: GateSection) -> list[GateMetric]:
    carried = [m for m in GATE_METRICS if m.key == ERRORS or all(_carry(p, m.key) for p in pairs)]
    if section.only:
        return [metric for metric in carried if metric.key in section.only]
    return [m for m in carried if m.gating and m.key not in section.informational]


def _carry(pair: Pair, key: str) -> bool:
    return all(side.values.get(key, 0.0) > 0 for side in (pair.baseline, pair.candidate))


def _contrast(pairs: Sequence[Pair], metric: GateMetric) -> Contrast:
    sides = [[p.baseline for p in pairs], [p.candidate for p in pairs]]
    if metric.key == ERRORS:
        baseline, candidate = ([(b.failed, b.planned) for b in side] for side in sides)
        return difference(baseline, candidate)
    before, after = ([b.values[metric.key] for b in side] for side in sides)
    return effect(before, after, metric.better)


def _margin(pairs: Sequence[Pair], metric: GateMetric, section: GateSection) -> float:
    asked = section.margins.get(metric.key, metric.margin)
    if not metric.floor:
        return asked
    logs = [math.log(pair.baseline.values[metric.key]) for pair in pairs]
    return max(asked, metric.floor / math.exp(math.fsum(logs) / len(logs)))


def _unfit(pairs: Sequence[Pair], section: GateSection) -> int:
    """Pairs after which more than a third were redone, the first look's counted; 0 for never."""
    redone = 0
    for played, pair in enumerate(pairs, 1):
        redone += pair.flagged
        if 2 * redone > max(played - redone, section.looks[0]):
            return played
    return 0


def uncorrected(pairs: Sequence[Pair], section: GateSection) -> Said:
    """The same pairs, looks and t, each metric at each look with the whole error: an ablation."""
    for due in section.looks:
        if due > len(pairs):
            break
        seen = pairs[:due]
        metrics = _gating(seen, section)
        worse = tuple(m.key for m in metrics if _contrast(seen, m).p < section.error)
        if worse:
            return Said("regression", worse, due)
    return Said("pass", (), min(section.looks[-1], len(pairs)))


def measured(number: int, pair: Pair) -> PairMeasured:
    """A pair as the gate reads it from disk."""
    return PairMeasured(number, _block(pair.baseline), _block(pair.candidate))


def _block(block: Block) -> BlockValues:
    values = {metric.key: block.values.get(metric.key, _ABSENT) for metric in GATE_METRICS}
    return BlockValues(values, block.failed, block.planned, 0, 0, {})
