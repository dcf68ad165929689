"""LoadGen's early stopping: how many samples a percentile needs, given how many missed its bound.

The question is one-sided: does at most the share ``1 - percentile`` of all requests miss? ``n``
requests of which ``t`` missed answer yes with confidence ``c`` where so few misses would be
unlikely if the share were just beyond: ``P(Binomial(n, 1 - percentile) <= t) <= 1 - c``.

Source: MLCommons LoadGen, ``early_stopping.cc::MinPassingQueriesFinder`` with tolerance 0, which
writes the same probability as the regularised incomplete beta function
``I_percentile(n - t, t + 1)``; and the appendix on early stopping of the MLPerf inference rules.
The binomial holds for independent requests. Those of a queue are not: see ``docs/capacity.md``.
"""

from functools import lru_cache

from scipy.special import betainc

NONE = -1
"""Not even a faultless trial would be enough."""


def _improbable(percentile: float, samples: int, misses: int, confidence: float) -> bool:
    """Whether so few misses would be improbable if too many requests missed."""
    too_few = betainc(samples - misses, misses + 1, percentile / 100)
    return bool(too_few <= 1 - confidence)


@lru_cache(maxsize=1024)
def needed(percentile: float, misses: int, confidence: float = 0.99) -> int:
    """The fewest samples, misses included, that carry the percentile in spite of the misses.

    Args:
        percentile: in percent, above 0 and below 100.
        misses: requests that missed the bound.
        confidence: above 0 and below 1.

    Returns:
        The fewest ``n`` above ``misses`` with
        ``P(Binomial(n, 1 - percentile / 100) <= misses) <= 1 - confidence``.
    """
    low, high = misses, 2 * (misses + 1)
    while not _improbable(percentile, high, misses, confidence):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _improbable(percentile, middle, misses, confidence):
            high = middle
        else:
            low = middle
    return high


def allowed(percentile: float, samples: int, confidence: float = 0.99) -> int:
    """The most misses with which so many samples still carry the percentile, or :data:`NONE`."""
    low, high = NONE, samples
    while high - low > 1:
        middle = (low + high) // 2
        if needed(percentile, middle, confidence) <= samples:
            low = middle
        else:
            high = middle
    return low


def refuted(percentile: float, samples: int, misses: int, confidence: float = 0.99) -> bool:
    """Whether so many misses would be improbable if the percentile held.

    The same question asked the other way round, for trials too short for :func:`needed`:
    ``P(Binomial(n, 1 - percentile / 100) >= misses) <= 1 - confidence``.
    """
    if misses == 0:
        return False
    so_many = betainc(misses, samples - misses + 1, 1 - percentile / 100)
    return bool(so_many <= 1 - confidence)
