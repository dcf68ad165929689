"""Words for verdicts, effects and bounds, the same on the page, in Markdown and in a terminal."""

from collections import Counter
from collections.abc import Mapping

from reports.claims.record import Claims, JudgedClaim, JudgedHypothesis
from reports.claims.rule import Word
from reports.estimate import LEVEL
from reports.wording import DASH, TIMES, figure, interval, listed, number, plural

MARKS: Mapping[Word, str] = {
    "supported": "\N{CHECK MARK}",
    "refuted": "\N{BALLOT X}",
    "inconclusive": "?",
    "not tested": "\N{WHITE CIRCLE}",
}
"""A verdict is told by mark and word; colour only repeats it."""

WORDS: tuple[Word, ...] = tuple(MARKS)


def effect(hypothesis: JudgedHypothesis) -> str:
    """What was found, in one line: a ratio or a figure, its interval and n."""
    found = hypothesis.effect
    if found is None or found.point is None:
        return DASH
    if hypothesis.way == "absolute":
        return figure(found.estimate, hypothesis.unit)
    ratio = f"{TIMES} {number(found.point)}"
    if hypothesis.way == "exact":
        return f"{ratio} (exact)"
    ends = interval(found.estimate, "")
    return f"{ratio} ({ends}, {counted(hypothesis)})" if ends else f"{ratio} ({found.note})"


def counted(hypothesis: JudgedHypothesis) -> str:
    """``n = 4``, of two runs ``n = 4 and 3``."""
    n = hypothesis.effect.n if hypothesis.effect else 0
    other = "" if hypothesis.n_other is None else f" and {hypothesis.n_other}"
    return f"n = {n}{other}"


def claimed(hypothesis: JudgedHypothesis) -> str:
    """Where the claim says that it lies."""
    at = hypothesis.bound
    if hypothesis.value is None:
        return f"{hypothesis.side} {TIMES} {at:g}"
    figure = f"{at * 100:g} %" if hypothesis.unit == "share" else f"{at:g} {hypothesis.unit}"
    return f"{hypothesis.side} {figure}"


def compared(hypothesis: JudgedHypothesis) -> str:
    """What is compared, where, and with what."""
    at = f"deployment {hypothesis.at}" if hypothesis.scenario_is_effort else hypothesis.at
    whole = f"{hypothesis.metric_name} of {hypothesis.sut} at {at}"
    return f"{whole}, against {hypothesis.against}" if hypothesis.against else whole


def way(hypothesis: JudgedHypothesis) -> str:
    """How the interval was made."""
    match hypothesis.way:
        case "paired":
            return (
                "paired: within each repeat"
                if hypothesis.scenario_is_effort
                else "paired: within each block"
            )
        case "unpaired":
            return "two runs, not paired: Welch's t on logarithms"
        case "exact":
            return "counted: the same every time"
        case "absolute":
            return "by itself, over the blocks"
        case None:
            return ""


def standing(hypothesis: JudgedHypothesis) -> str:
    """The verdict, and what is in its way where there is none."""
    return f"{hypothesis.word}: {hypothesis.why}" if hypothesis.why else hypothesis.word


def needs(hypothesis: JudgedHypothesis) -> str:
    """What it takes to test it, and whether this machine can."""
    if not hypothesis.needs:
        return ""
    commands = listed(list(hypothesis.needs))
    if hypothesis.here:
        return f"To test it: {commands}."
    return f"To test it: {commands}; not on this machine: {hypothesis.why}."


def tally(claims: Claims) -> str:
    """How many claims bear which word."""
    found = Counter(claim.word for claim in claims.claims)
    parts = [f"{found[word]} {word}" for word in WORDS if found[word]]
    return f"{plural(len(claims.claims), 'claim')}: {listed(parts)}."


def chance(claims: Claims) -> str:
    """How many hypotheses were judged, and how many wrong words chance would give."""
    judged = len(claims.judged)
    if not judged:
        return "Nothing was judged, so nothing was judged wrongly."
    missed = sum((1 - claim.level) * _judged(claim) for claim in claims.claims)
    counted_words = "1 hypothesis was" if judged == 1 else f"{judged} hypotheses were"
    return (
        f"{counted_words} judged. The intervals of one claim hold together with {LEVEL * 100:g} %, "
        f"so that of all of them chance makes {missed:.2g} miss the truth on average, and at most "
        f"half of those, {missed / 2:.2g}, into a wrong word."
    )


def _judged(claim: JudgedClaim) -> int:
    """Hypotheses whose word rests on an interval; counts have no chance in them."""
    return sum(h.word != "not tested" and h.way != "exact" for h in claim.hypotheses)


def level(claim: JudgedClaim) -> str:
    """``97.5 %``."""
    return f"{claim.level * 100:.4g} %"
