"""Ways to call a slowdown, each from the same evidence to a word: ours, and what others do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
from scipy import special, stats

from harness.pairs.section import GateSection
from reports.gate.metrics import GATE_METRICS
from tests.gate_study.blocks import Block, Evidence, Floats
from tests.gate_study.ours import Said, gate, uncorrected

Method: TypeAlias = Callable[[Evidence], Said | None]
"""None where the evidence does not hold what it wants."""

THRESHOLD = 1.10
LEVEL = 0.05
PAIRS = 12
"""Of each side, for methods that do not stop by themselves."""

_P95 = "response_p95_ms"
_TIGHT = 1e-6


def thresholded(baseline: Sequence[Block], candidate: Sequence[Block]) -> Said | None:
    """Mean p95 more than 10 % higher, of the blocks that carry one."""
    before, after = (
        [block.values[_P95] for block in side if _P95 in block.values]
        for side in (baseline, candidate)
    )
    if not before or not after:
        return None
    slower = float(np.mean(after)) > THRESHOLD * float(np.mean(before))
    return Said("regression", (_P95,)) if slower else Said("pass")


def rank_sum(baseline: Sequence[Block], candidate: Sequence[Block]) -> Said | None:
    """Mann-Whitney on all requests, as if they were independent: slower, one-sided p < .05."""
    if not baseline or not candidate:
        return None
    before, after = (
        np.concatenate([block.responses_ms for block in side]) for side in (baseline, candidate)
    )
    return Said("regression", ("requests",)) if rank_sum_p(before, after) < LEVEL else Said("pass")


def rank_sum_p(before: Floats, after: Floats) -> float:
    """By the normal approximation, which thousands of requests allow; ties count half."""
    order = np.sort(before)
    below = np.searchsorted(order, after, "left") + np.searchsorted(order, after, "right")
    n, m = len(before), len(after)
    deviation = np.sqrt(n * m * (n + m + 1) / 12)
    return float(special.ndtr(-(below.sum() / 2 - n * m / 2) / deviation))


def mean_t(baseline: Sequence[Block], candidate: Sequence[Block]) -> Said | None:
    """Student's two-sample t on each block's mean, two-sided p < .05 and slower: pyperf's test."""
    if not baseline or not candidate:
        return None
    before, after = ([b.responses_ms.mean() for b in side] for side in (baseline, candidate))
    found = stats.ttest_ind(after, before)
    slower = found.pvalue < LEVEL and found.statistic > 0
    return Said("regression", ("mean",)) if slower else Said("pass")


def interleaved(evidence: Evidence) -> tuple[list[Block], list[Block]]:
    """Both sides of the first pairs, whatever disturbed them: only our gate asks."""
    first = evidence.pairs[:PAIRS]
    return [pair.baseline for pair in first], [pair.candidate for pair in first]


def _stored(evidence: Evidence) -> tuple[Sequence[Block], Sequence[Block]]:
    return evidence.stored, evidence.in_a_row[1]


def _variant(name: str, section: GateSection, evidence: Evidence) -> Said | None:
    pairs = evidence.variants.get(name)
    return gate(pairs, section) if pairs else None


def _never_passing(section: GateSection, evidence: Evidence) -> Said | None:
    """With margins that nothing passes, so that it takes every look: the most it can be wrong."""
    if not evidence.variants:
        return None
    tight = {metric.key: _TIGHT for metric in GATE_METRICS}
    return gate(evidence.pairs, section.model_copy(update={"margins": tight}))


def _unflagged(section: GateSection, evidence: Evidence) -> Said:
    return gate([replace(pair, flagged=False) for pair in evidence.pairs], section)


def methods(section: GateSection = GateSection()) -> Mapping[str, Method]:  # noqa: B008 - frozen
    """Every method by its name in tables; the first is ours."""
    waiting = section.model_copy(update={"only": ("response_p50_ms", "response_p95_ms")})
    return {
        "this gate": lambda evidence: gate(evidence.pairs, section),
        "this gate, p50 and p95 only": lambda evidence: gate(evidence.pairs, waiting),
        "+10 % of stored p95": lambda evidence: thresholded(*_stored(evidence)),
        "+10 % of p95, A..A B..B": lambda evidence: thresholded(*evidence.in_a_row),
        "+10 % of p95, interleaved": lambda evidence: thresholded(*interleaved(evidence)),
        "Mann-Whitney, stored": lambda evidence: rank_sum(*_stored(evidence)),
        "Mann-Whitney, interleaved": lambda evidence: rank_sum(*interleaved(evidence)),
        "t on means, A..A B..B": lambda evidence: mean_t(*evidence.in_a_row),
        "this gate, no restart": partial(_variant, "no restart", section),
        "this gate, fixed order": partial(_variant, "fixed order", section),
        "this gate, margins of nothing": partial(_never_passing, section),
        "this gate, nothing redone": partial(_unflagged, section),
        "this gate, uncorrected": lambda evidence: uncorrected(evidence.pairs, section),
    }
