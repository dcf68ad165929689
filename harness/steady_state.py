"""Whether a trial was in steady state: no trend in its response times, none in its backlog.

Scatter is no trend and constancy is no steadiness, so no rule about scatter is used: a coefficient
of variation accepts any drift that is slow. What is tested is order: Mann-Kendall over bins of the
steady state, its variance corrected for autocorrelation (Hamed & Rao 1998, Journal of Hydrology
204), and in addition how large the drift is (Sen 1968), since what is too small to matter is found
in any series that is long enough. A second test looks at the beginning, where a warm-up that was
too short shows. Why these and how they do: decision 9.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

BINS = 16
LEAST_REQUESTS = 10 * BINS
"""Below it nothing is tested: the means of bins would be noise."""

MOST_CHANCE = 0.005
"""Of finding a trend of this size or order in a steady series; two-sided."""

HEAD = 6
"""Bins at the beginning that are held against the rest."""

MOST_ERRORS = 4.0
"""Standard errors of the rest, beyond which the head is not of it."""

LEAST_DRIFT = 0.05
"""Of the level, over the whole steady state."""

LEAST_DRIFT_S = 0.0005
"""About what this instrument resolves; below it machines wander."""

LEAST_GROWTH = 0.05
"""Of the requests of the steady state, that the backlog grows by."""

Floats = npt.NDArray[np.float64]
Clock = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The requests of a trial, warm-up included, and the steady state within it.

    Attributes:
        span_ns: start and end of the steady state.
        intended_ns: ``int64[n]``.
        sent_ns: ``int64[n]``; 0 for what was never sent.
        ended_ns: ``int64[n]``: when an answer was whole or the attempt had failed; 0 for what was
            never answered.
        ok: ``bool[n]``: answered well.
    """

    span_ns: tuple[int, int]
    intended_ns: Clock
    sent_ns: Clock
    ended_ns: Clock
    ok: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Trend:
    """A series of bins against its order.

    Attributes:
        change: Sen's slope times the number of bins: what the series gains over the window.
        chance: of an order as marked as this in a series without a trend.
    """

    change: float
    chance: float

    @property
    def marked(self) -> bool:
        """Beyond noise."""
        return self.chance < MOST_CHANCE


def unsteady(window: Window) -> str | None:
    """What drifted through the steady state, in words; None where nothing did or none can tell."""
    bin_levels = levels(window)
    return _drifting(bin_levels) or _settling(bin_levels) or _backing_up(window)


def levels(window: Window) -> Floats:
    """Geometric means of the response times of each bin (s), by intended start; NaN where empty.

    A request that did not end well counts as twice the slowest that did: worse than any, so that a
    growing share of such is a drift too. Empty where fewer than :data:`LEAST_REQUESTS` were due.
    """
    start_ns, end_ns = window.span_ns
    inside = (window.intended_ns >= start_ns) & (window.intended_ns < end_ns)
    ok = window.ok[inside]
    if len(ok) < LEAST_REQUESTS or not ok.any():
        return np.empty(0)
    intended_ns = window.intended_ns[inside]
    response_s = (window.ended_ns[inside] - intended_ns) / 1e9
    response_s[~ok] = 2 * response_s[ok].max()
    bins = ((intended_ns - start_ns) * BINS // (end_ns - start_ns)).astype(np.int64)
    counts = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, np.log(np.maximum(response_s, 1e-9)), minlength=BINS)
    means = np.full(BINS, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    geometric: Floats = np.exp(means)
    return geometric


def wandering(bin_levels: Floats) -> bool:
    """Whether levels differ at all by more than what is too small to matter."""
    if not len(bin_levels):
        return False
    low, high = float(np.nanmin(bin_levels)), float(np.nanmax(bin_levels))
    return high - low > max(LEAST_DRIFT * low, LEAST_DRIFT_S)


def _drifting(bin_levels: Floats) -> str | None:
    if not len(bin_levels):
        return None
    logs = np.log(bin_levels)
    trend = mann_kendall(logs)
    if not (trend.marked and _matters(logs, abs(trend.change))):
        return None
    gained = np.exp(trend.change) - 1
    way = "rose" if gained > 0 else "fell"
    return f"response times {way} by {abs(gained):.0%} through the steady state"


def _settling(bin_levels: Floats) -> str | None:
    """Whether it began above what it settled at, too briefly for a trend of the whole.

    The head speaks by the third lowest of its bins, so that a freeze in it says nothing.
    """
    logs = np.log(bin_levels[np.isfinite(bin_levels)])
    if len(logs) < BINS:
        return None
    above = float(np.sort(logs[:HEAD])[2] - logs[HEAD:].mean())
    if not (above > MOST_ERRORS * _standard_error(logs[HEAD:]) and _matters(logs, above)):
        return None
    return f"response times began {np.exp(above) - 1:.0%} above what they settled at"


def _matters(logs: Floats, change: float) -> bool:
    factor = float(np.exp(change) - 1)
    return factor > LEAST_DRIFT and factor * float(np.exp(np.nanmean(logs))) > LEAST_DRIFT_S


def _standard_error(logs: Floats) -> float:
    """Of the mean of autocorrelated bins, and of the one bin held against it.

    ``r``, the lag-1 autocorrelation, is biased by about ``-1/n``; ``(1 + r) / (1 - r)`` as in
    AR(1).
    """
    count, rest = len(logs), logs - logs.mean()
    power = float(rest @ rest)
    lag = float(np.clip(rest[1:] @ rest[:-1] / power + 1 / count, 0.0, 0.9)) if power else 0.0
    return float((power / (count - 1) * (1 / count + 1 / HEAD) * (1 + lag) / (1 - lag)) ** 0.5)


def _backing_up(window: Window) -> str | None:
    """Whether more came in than went out, which response times of answered requests may hide."""
    start_ns, end_ns = window.span_ns
    due = int(((window.intended_ns >= start_ns) & (window.intended_ns < end_ns)).sum())
    if due < LEAST_REQUESTS:
        return None
    trend = mann_kendall(in_flight(window))
    if not (trend.marked and trend.change > LEAST_GROWTH * due):
        return None
    return f"{trend.change:.0f} more requests in flight at the end than at its start, of {due}"


def in_flight(window: Window) -> Floats:
    """``float64[BINS]``: requests in flight, averaged over each bin's time.

    Those sent before the steady state count from its first instant, those never answered to its
    last.
    """
    sent = window.sent_ns > 0
    edges_ns = np.linspace(*window.span_ns, BINS + 1)
    ended_ns = window.ended_ns[sent & (window.ended_ns > 0)]
    waited = _elapsed(window.sent_ns[sent], edges_ns) - _elapsed(ended_ns, edges_ns)
    return np.diff(waited) / np.diff(edges_ns)


def _elapsed(events_ns: Clock, edges_ns: Floats) -> Floats:
    """``sum(edge - event)`` over the events before each edge."""
    ordered = np.sort(events_ns - int(edges_ns[0])).astype(np.float64)
    past = np.concatenate(([0.0], np.cumsum(ordered)))
    edges = edges_ns - edges_ns[0]
    before = np.searchsorted(ordered, edges)
    elapsed: Floats = before * edges - past[before]
    return elapsed


def mann_kendall(series: Floats) -> Trend:
    """Mann-Kendall's test of a series against its order, corrected for autocorrelation.

    Hamed & Rao (1998): the variance of S times ``1 + 2 / (n (n-1) (n-2)) * sum over lags k of
    (n-k) (n-k-1) (n-k-2) r_k``, with ``r_k`` the autocorrelation of the ranks after Sen's slope is
    taken off, where it is beyond 1.96 / sqrt(n); never below the uncorrected variance.

    Args:
        series: evenly spaced; NaN are left out. Fewer than 8 values have no trend.
    """
    place = np.flatnonzero(np.isfinite(series))
    values, n = series[place], len(place)
    if n < BINS // 2:
        return Trend(0.0, 1.0)
    first, second = np.triu_indices(n, 1)
    steps = values[second] - values[first]
    slope = float(np.median(steps / (place[second] - place[first])))
    score = float(np.sign(steps).sum())
    variance = n * (n - 1) * (2 * n + 5) / 18 * _inflation(_ranks(values - slope * place))
    distance = max(abs(score) - 1, 0.0) / variance**0.5
    return Trend(slope * len(series), 2 * (1 - NormalDist().cdf(distance)))


def _inflation(ranks: Floats) -> float:
    n = len(ranks)
    centred = ranks - ranks.mean()
    power = float(centred @ centred)
    if not power:
        return 1.0
    lags = np.arange(1, n - 2)
    correlations = np.array([centred[:-lag] @ centred[lag:] for lag in lags]) / power
    correlations[np.abs(correlations) < 1.96 / n**0.5] = 0.0  # 95 % of a normal's
    weights = (n - lags) * (n - lags - 1) * (n - lags - 2)
    return max(1.0, float(1 + 2 * (weights @ correlations) / (n * (n - 1) * (n - 2))))


def _ranks(values: Floats) -> Floats:
    """Ranks from 0; equal values share their mean rank."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Floats = ends - (counts + 1) / 2
    return means[where]
