"""Pass, regression or inconclusive: for each metric, and for the gate.

The two claims exclude each other: "no worse than the margin" and "worse at all" are false at
different truths, so each has the whole chance of error. Passing needs every metric, so it takes no
correction; a regression needs one, so its chance is shared by Holm. Noise moves a ruling to
inconclusive, never to pass or regression (MEASUREMENT rule 16).

A small worsening that is certain, but surely below the margin, passes, and its sentence says so.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from reports.gate.contrast import Contrast
from reports.gate.holm import Holm, holm
from reports.gate.power import Scale, detectable, pairs_needed
from reports.gate.verdict import Word


@dataclass(frozen=True, slots=True)
class Ruling:
    """One metric judged at one look.

    Attributes:
        word: the ruling.
        low / high: one-sided bounds at the look's level.
        holm_low: the bound that decides on regression; ``low`` where the metric is informational.
        holm: its place among the gating metrics; None where it is informational.
        detectable: the smallest true ratio (or difference) that would be called a regression
            with probability .8 by so many pairs, were it the only one; None without a spread.
        needed: pairs that would settle it at its margin; None where 10,000 would not.
    """

    word: Word
    low: float
    high: float
    holm_low: float
    holm: Holm | None
    detectable: float | None
    needed: int | None


def rule(
    contrasts: Mapping[str, Contrast],
    margins: Mapping[str, float],
    level: float,
    gating: Collection[str],
    *,
    share: Callable[[int], float] | None = None,
) -> dict[str, Ruling]:
    """Judge every metric that has a contrast.

    Args:
        contrasts: by metric. A gating metric without one still takes its share of the error: what
            a look cannot tell must not make the others easier to fail.
        margins: by metric: .1 is a ratio of 1.1, or a difference of .1.
        level: one-sided, of this look (``looks.nominal``).
        gating: metrics that may fail the gate. The others are judged at ``level``, each alone.
        share: how many metrics are left -> the level of each, for Holm's steps; absent: ``level``
            over their number. Over several looks give ``partial(nominal, looks, error)``, or
            the chance of a false regression is up to a fifth above the error.
    """
    chances = {key: contrasts[key].p if key in contrasts else 1.0 for key in gating}
    places = holm(chances, level, share)
    strictest = min((place.level for place in places.values()), default=level)
    return {
        key: _ruling(contrast, margins[key], level, places.get(key), strictest)
        for key, contrast in contrasts.items()
    }


def outcome(words: Iterable[Word]) -> Word:
    """The gate's word from its gating metrics': one regression fails it, all passes pass it."""
    found = set(words)
    if "regression" in found:
        return "regression"
    return "pass" if found == {"pass"} else "inconclusive"


def agreement(
    rulings: Mapping[str, Ruling],
    robust: Mapping[str, Contrast],
    margins: Mapping[str, float],
    level: float,
    gating: Collection[str],
    *,
    share: Callable[[int], float] | None = None,
) -> dict[str, bool]:
    """Whether the sign-flip contrasts (``robust.robust``) come to the same word, by metric."""
    other = rule(robust, margins, level, gating, share=share)
    return {key: other[key].word == rulings[key].word for key in robust}


def _ruling(
    contrast: Contrast, margin: float, level: float, place: Holm | None, strictest: float
) -> Ruling:
    low, high = contrast.low(level), contrast.high(level)
    worse = place.rejected if place else low > contrast.none
    strict = strictest if place else level
    scale = scale_of(contrast)
    return Ruling(
        _word(passes=high < contrast.none + margin, worse=worse),
        low,
        high,
        contrast.low(place.level) if place else low,
        place,
        detectable(contrast.n, contrast.spread, strict, scale=scale),
        pairs_needed(contrast.spread, margin, strict, scale=scale),
    )


def _word(*, passes: bool, worse: bool) -> Word:
    if passes:
        return "pass"
    return "regression" if worse else "inconclusive"


def scale_of(contrast: Contrast) -> Scale:
    """Whether it is a ratio (no change is 1) or a difference (no change is 0)."""
    return "ratio" if contrast.none == 1 else "difference"
