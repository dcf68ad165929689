"""Doubts about the steady state: too short, too uniform in its ups and downs, or not steady."""

import numpy as np
import numpy.typing as npt

from harness.steady_state import LEAST_DRIFT, LEAST_DRIFT_S, levels, wandering
from harness.validity.check import Check
from harness.validity.evidence import LEAST_BEYOND, Evidence, samples_needed
from workloads.sample import Outcome

LEAST_EFFECTIVE = 10
_TIMES = 5
_MOST_LOOKED_AT = 1 << 16


def _too_few_samples(evidence: Evidence) -> str | None:
    good, needed = evidence.count(Outcome.OK), samples_needed(evidence.percentile)
    return f"{good} good answers" if good < needed else None


def _few_effective_samples(evidence: Evidence) -> str | None:
    """Of what a trend does not already explain, and only where response times wander at all.

    Nor of a SUT that was full throughout: its response times are its queue's length over its
    throughput, one excursion by design, and what such a trial is played for is the throughput.
    """
    if not evidence.stationary or evidence.unsteady or _too_few_samples(evidence):
        return None
    if evidence.shed_throughout:
        return None
    if not wandering(levels(evidence.window)):
        return None
    response_ns = evidence.good["received_ns"] - evidence.good["intended_ns"]
    effective = effective_samples(response_ns)
    if effective >= LEAST_EFFECTIVE:
        return None
    return f"{len(response_ns)} good answers count as {effective:.1f}"


def effective_samples(response_ns: npt.NDArray[np.int64]) -> float:
    """How many independent response times say as much about the median as these.

    ``n / tau`` with the integrated autocorrelation time ``tau = 1 + 2 * sum of r_k`` of whether
    each lies above the median, summed up to the first lag of at least ``5 tau`` (Sokal 1997,
    Monte Carlo Methods in Statistical Mechanics, section 3).

    Args:
        response_ns: ``int64[n]``, in order. Of more than 131,072 every k-th is looked at, so that
            the answer is a lower bound.
    """
    response_ns = response_ns[:: max(1, len(response_ns) // _MOST_LOOKED_AT)]
    count = len(response_ns)
    above = (response_ns > np.median(response_ns)).astype(np.float64) if count else np.empty(0)
    above -= above.mean() if count else 0.0
    if not above.any():
        return float(count)
    power = np.abs(np.fft.rfft(above, 2 * count)) ** 2
    correlations = np.fft.irfft(power)[:count]
    times = 2 * np.cumsum(correlations / correlations[0]) - 1
    enough = np.flatnonzero(np.arange(count) >= _TIMES * times)
    time = times[enough[0]] if len(enough) else times[-1]
    return count / max(1.0, float(time))


def _no_steady_state(evidence: Evidence) -> str | None:
    return evidence.unsteady


def _ended_early(evidence: Evidence) -> str | None:
    return evidence.ended_early


CHECKS = (
    Check(
        "too_few_samples",
        f"{LEAST_BEYOND} good answers beyond the objective's percentile",
        "lengthen load.steady_s or name a lower slo.percentile",
        _too_few_samples,
    ),
    Check(
        "few_effective_samples",
        f"response times, as correlated as they are, worth {LEAST_EFFECTIVE} independent ones, "
        "unless the SUT was full and shed load in every quarter",
        "lengthen load.steady_s",
        _few_effective_samples,
    ),
    Check(
        "no_steady_state",
        f"no trend in response times beyond chance, {LEAST_DRIFT:.0%} and "
        f"{LEAST_DRIFT_S * 1e3:g} ms, and no growing backlog",
        "lengthen load.warm_up_s; where it rises all the same, the SUT cannot carry this rate",
        _no_steady_state,
    ),
    Check(
        "ended_early",
        "load played to the plan's end",
        "read what was seen, mend it, and play the trial again",
        _ended_early,
    ),
)
