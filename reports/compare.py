"""Two SUTs at the same step, block beside block: which is higher, and how sure that is.

Blocks pair what the machine did to both alike, so the ratio within each block is the figure and
its spread from block to block is the doubt.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reports.estimate import LEVEL, Estimate, Missing, Value, half_width


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much of a metric one SUT has of another's.

    Attributes:
        ratio: this over other, geometric mean over the blocks both have.
        word: ``higher``, ``lower`` or ``cannot tell``.
    """

    ratio: Estimate
    word: Literal["higher", "lower", "cannot tell"]


def compare(
    this: Mapping[int, Value], other: Mapping[int, Value], level: float = LEVEL
) -> Comparison:
    """Compare a metric of two SUTs at one step.

    Args:
        this: block -> value, of trusted trials only.
        other: likewise, of the SUT compared with.
        level: two-sided confidence of the ratio's interval; raise it where several
            comparisons share one sentence.
    """
    ratio = _ratio(this, other, level)
    if ratio.low is None or ratio.high is None:
        return Comparison(ratio, "cannot tell")
    if ratio.low > 1:
        return Comparison(ratio, "higher")
    return Comparison(ratio, "lower" if ratio.high < 1 else "cannot tell")


def _ratio(this: Mapping[int, Value], other: Mapping[int, Value], level: float) -> Estimate:
    pairs = [(this[block], other[block]) for block in sorted(this.keys() & other.keys())]
    if not pairs:
        return Estimate(None, None, None, 0, "no block in which both trials are trusted")
    values = [value for pair in pairs for value in pair]
    missing = [value for value in values if isinstance(value, Missing)]
    if missing:
        return Estimate(None, None, None, len(pairs), missing[0].why)
    known = np.asarray(pairs, dtype=np.float64)
    if not np.all(known > 0):
        return Estimate(None, None, None, len(pairs), "a value is zero: no ratio")
    logs = np.log(known[:, 0] / known[:, 1])
    point = float(np.mean(logs))
    if len(pairs) == 1:
        return Estimate(math.exp(point), None, None, 1, "one pair: no interval")
    half = half_width(logs, level)
    return Estimate(math.exp(point), math.exp(point - half), math.exp(point + half), len(pairs))
