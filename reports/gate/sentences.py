"""A ruling in one plain sentence, numbers in percent (differences of shares in points)."""

import math
from collections.abc import Mapping

from reports.gate.contrast import Contrast
from reports.gate.rule import Ruling, scale_of
from reports.wording import MINUS

_FIGURES = 2
_MOST_FIGURES = 6
_UNITS: Mapping[str, str] = {"ratio": "%", "difference": "points"}


def says(contrast: Contrast, ruling: Ruling, margin: float) -> str:
    """The sentence. A plus is worse, whichever way the metric is better.

    Args:
        contrast: what was judged.
        ruling: how.
        margin: .1 is a ratio of 1.1, or a difference of .1.
    """
    unit = _UNITS[scale_of(contrast)]
    none = contrast.none
    much = change(margin, unit)
    low, high = ruling.low - none, ruling.high - none
    if ruling.word == "pass":
        words = f"not worse by {much[1:]} or more: at most {change(high, unit, margin)}"
        return f"{words}; small, but real: at least {change(low, unit)}" if low > 0 else words
    if ruling.word == "regression":
        least = change(ruling.holm_low - none, unit)
        return f"{change(contrast.estimate - none, unit)} (at least {least}), more than chance"
    words = f"between {change(low, unit)} and {change(high, unit)}: cannot rule out {much}"
    return f"{words}; {_more(contrast, ruling)}"


def _more(contrast: Contrast, ruling: Ruling) -> str:
    if contrast.spread == 0:
        return "more requests in each block would settle it"
    if ruling.needed is None:
        return "no number of pairs that one could play would settle it"
    if ruling.needed <= contrast.n:
        return "the truth may lie between no change and the margin, where more pairs tell little"
    return f"about {ruling.needed:,} pairs would settle it"


def change(value: float, unit: str, apart: float | None = None) -> str:
    """A signed change with two figures, or as many as tell it from ``apart``.

    Args:
        value: .1 is +10 % (or +10 points).
        unit: as it is written.
        apart: must not read the same: a bound below its margin says it is below.
    """
    if math.isinf(value):
        return f"{_sign(value)}any number of {unit}"
    for figures in range(_FIGURES, _MOST_FIGURES):
        text = _figures(value * 100, figures)
        if apart is None or value == apart or text != _figures(apart * 100, figures):
            return f"{text} {unit}"
    return f"{_figures(value * 100, _MOST_FIGURES)} {unit}"


def _figures(value: float, figures: int) -> str:
    if abs(value) < 1e-6:  # noqa: PLR2004 - of a percent: what rounding leaves of nothing
        return "+0"
    digits = max(0, figures - 1 - math.floor(math.log10(abs(value))))
    text = f"{abs(value):,.{digits}f}"
    return _sign(value) + (text.rstrip("0").rstrip(".") if "." in text else text)


def _sign(value: float) -> str:
    return MINUS if value < 0 else "+"
