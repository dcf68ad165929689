"""A gate's pairs judged, look after look: the rows of its verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.pairs.section import GateSection
from reports.estimate import Missing
from reports.gate.contrast import Contrast
from reports.gate.difference import Difference, difference
from reports.gate.effect import Effect, effect
from reports.gate.looks import nominal
from reports.gate.measured import PairMeasured, numbers
from reports.gate.metrics import ANSWERS, ERRORS, GATE_METRICS, GateMetric
from reports.gate.robust import SignFlips, robust
from reports.gate.rule import Ruling, agreement, outcome, rule, scale_of
from reports.gate.sentences import says
from reports.gate.verdict import Look, PairValues, Robust, Row, Word

Pairs: TypeAlias = Sequence[PairMeasured]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a gate has come to.

    Attributes:
        looks: those taken so far, in order.
        rows: at the last of them, or over all pairs where there has been none.
        ended: whether no more pairs are to be played.
    """

    looks: tuple[Look, ...]
    rows: tuple[Row, ...]
    ended: bool


def judged(pairs: Pairs, section: GateSection) -> Judged:
    """Take every look that is due after these pairs, in order, up to the one that ends the gate.

    The same pairs always come to the same end, whether they are judged while they are played or
    years later.
    """
    looks: list[Look] = []
    rows: tuple[Row, ...] = ()
    for due in section.looks:
        if due > len(pairs):
            break
        rows = judge(pairs[:due], section)
        words = {row.key: row.word for row in rows if row.gating}
        found = outcome(words.values())
        looks.append(Look(pairs=due, outcome=found, words=words))
        if found != "inconclusive" or due == section.looks[-1]:
            return Judged(tuple(looks), rows, ended=True)
    return Judged(tuple(looks), rows, ended=False)


def judge(pairs: Pairs, section: GateSection) -> tuple[Row, ...]:
    """Every metric over these pairs, as at one look."""
    level = nominal(section.looks, section.error)
    found = {metric.key: _contrast(metric, pairs) for metric in GATE_METRICS}
    contrasts = {key: one for key, one in found.items() if not isinstance(one, Missing)}
    absent = {key: one.why for key, one in found.items() if isinstance(one, Missing)}
    why_not = {m.key: why for m in GATE_METRICS if (why := _why_not(m, section, pairs))}
    gating = [m.key for m in GATE_METRICS if m.key not in why_not and m.key != ANSWERS]
    margins = {m.key: _margin(m, section, pairs) for m in GATE_METRICS}

    def share(left: int) -> float:
        return nominal(section.looks, section.error, left * section.family)

    rulings = rule(contrasts, margins, level, gating, share=share)
    flips = {key: robust(_changes(one), scale_of(one)) for key, one in contrasts.items()}
    agrees = agreement(rulings, flips, margins, level, gating, share=share)
    rows = []
    for metric in GATE_METRICS:
        key = metric.key
        row = _blank(metric, pairs, section, margins[key], why_not.get(key, ""))
        if key == ANSWERS:
            rows.append(row.model_copy(update=_answers(pairs)))
        elif key in absent:
            rows.append(row.model_copy(update={"says": absent[key]}))
        else:
            ruled = _ruled(contrasts[key], rulings[key], margins[key])
            spoken = _robust(flips[key], _level_of(rulings[key], level), agrees=agrees[key])
            rows.append(row.model_copy(update={**ruled, "robust": spoken}))
    return tuple(rows)


def _contrast(metric: GateMetric, pairs: Pairs) -> Effect | Difference | Missing:
    if metric.key == ANSWERS:
        return Missing("judged by counting alone")
    if metric.key == ERRORS:
        return difference(
            [(pair.baseline.failed, pair.baseline.planned) for pair in pairs],
            [(pair.candidate.failed, pair.candidate.planned) for pair in pairs],
        )
    sides = numbers(pairs, "baseline", metric.key), numbers(pairs, "candidate", metric.key)
    for name, values in zip(("baseline", "candidate"), sides, strict=True):
        if isinstance(values, Missing):
            return Missing(f"the {name} gives none: {values.why}")
        if not all(value > 0 for value in values):
            return Missing(f"the {name} has a block in which it is 0, and 0 has no ratio")
    baseline, candidate = (values for values in sides if not isinstance(values, Missing))
    return effect(baseline, candidate, metric.better)


def _changes(contrast: Effect | Difference) -> tuple[float, ...]:
    """One a pair, on the scale where pairs are compared."""
    return contrast.logs.changes if isinstance(contrast, Effect) else contrast.shares.changes


def _why_not(metric: GateMetric, section: GateSection, pairs: Pairs) -> str:
    """Why a metric may not fail this gate; empty where it may."""
    if section.only:
        return "" if metric.key in section.only else "gate.only does not name it"
    if metric.key in section.informational:
        return "gate.informational names it"
    if not metric.gating:
        return metric.why_not
    if metric.key in {ANSWERS, ERRORS}:
        return ""
    found = numbers(pairs, "baseline", metric.key)
    return f"the baseline gives none: {found.why}" if isinstance(found, Missing) else ""


def _margin(metric: GateMetric, section: GateSection, pairs: Pairs) -> float:
    """As asked, or wider where that would be less than the metric's floor."""
    asked = section.margins.get(metric.key, metric.margin)
    if not metric.floor:
        return asked
    usual = _usual(metric, pairs)
    return max(asked, metric.floor / usual) if usual else asked


def _usual(metric: GateMetric, pairs: Pairs) -> float | None:
    """Geometric mean of the baseline's blocks."""
    found = numbers(pairs, "baseline", metric.key)
    if isinstance(found, Missing) or not all(value > 0 for value in found):
        return None
    return math.exp(math.fsum(map(math.log, found)) / len(found))


def _blank(
    metric: GateMetric, pairs: Pairs, section: GateSection, margin: float, why_not: str
) -> Row:
    """A metric's row without a ruling."""
    asked = section.margins.get(metric.key, metric.margin)
    floor = f"a change below {metric.floor:g} {metric.unit} is never too much"
    return Row(
        key=metric.key,
        name=metric.name,
        unit=metric.unit,
        better=metric.better,
        kind=metric.kind,
        gating=not why_not,
        why_not=why_not,
        margin=margin,
        margin_note=floor if margin > asked else "",
        pairs=tuple(_pair_values(pair, metric.key) for pair in pairs),
        n=len(pairs),
        word="inconclusive",
        says="",
    )


def _pair_values(pair: PairMeasured, key: str) -> PairValues:
    both = []
    for block in (pair.baseline, pair.candidate):
        if key == ANSWERS:
            both.append(block.wrong / block.compared if block.compared else None)
        elif key == ERRORS:
            both.append(block.failed / block.planned if block.planned else None)
        else:
            value = block.values[key]
            both.append(None if isinstance(value, Missing) else value)
    return PairValues(block=pair.block, baseline=both[0], candidate=both[1])


def _ruled(contrast: Contrast, ruling: Ruling, margin: float) -> Mapping[str, object]:
    place = ruling.holm
    return {
        "estimate": contrast.estimate,
        "low": _finite(ruling.low),
        "high": _finite(ruling.high),
        "holm_low": _finite(ruling.holm_low),
        "p": contrast.p,
        "holm_rank": place.rank if place else None,
        "holm_level": place.level if place else None,
        "spread": contrast.spread,
        "detectable": ruling.detectable,
        "pairs_needed": ruling.needed,
        "word": ruling.word,
        "says": says(contrast, ruling, margin),
    }


def _finite(value: float) -> float | None:
    """JSON has no infinity; a bound that is one is none."""
    return value if math.isfinite(value) else None


def _level_of(ruling: Ruling, level: float) -> float:
    """The level that decided a ruling: a regression's is what Holm left it."""
    return ruling.holm.level if ruling.word == "regression" and ruling.holm else level


def _robust(flips: SignFlips, level: float, *, agrees: bool) -> Robust:
    could = float(2**-flips.n) < level
    return Robust(estimate=flips.estimate, p=flips.p, agrees=agrees if could else None)


def _answers(pairs: Pairs) -> Mapping[str, object]:
    """A fast wrong answer is no answer: any more of them than the baseline gives is too many."""
    wrong = {name: sum(pair.of(name).wrong for pair in pairs) for name in ("baseline", "candidate")}
    compared = sum(pair.candidate.compared for pair in pairs)
    word: Word = "regression" if wrong["candidate"] > wrong["baseline"] else "pass"
    if not compared:
        return {"gating": False, "word": "pass", "why_not": "no answer is compared", "says": ""}
    before = sum(pair.baseline.compared for pair in pairs)
    difference_of_shares = wrong["candidate"] / compared - wrong["baseline"] / max(before, 1)
    return {
        "estimate": difference_of_shares,
        "word": word,
        "says": f"{wrong['candidate']} of {compared} answers differ from the references, of the "
        f"baseline's {wrong['baseline']} of {before}",
    }
