"""The requests of a closed loop: each client sends the next one a pause after the last answer."""

from math import isqrt

import numpy as np
import numpy.typing as npt

from workloads.arrivals import WorkloadError
from workloads.arrivals.exact import NS, WORD, exponential, integers

FASTEST_S = 0.0002
"""No client is planned to be answered faster."""

MOST_ROWS = 200_000
MOST_RPS = 5000
"""What all clients together are planned for: so many rows, or so many a second if that is more."""

_PAUSES = 4
"""Stream of words (``workloads.arrivals.exact.words``)."""


def rows_of(concurrency: int, think_time_s: float, duration_s: float) -> int:
    """How many requests are frozen: more than will be sent, and as many for each client.

    A client that pauses needs its mean number of pauses and eight standard deviations; one that
    does not, an answer every :data:`FASTEST_S`; bounded by :data:`MOST_ROWS` and :data:`MOST_RPS`.
    """
    each = int(duration_s / FASTEST_S) + 1
    if think_time_s:
        pauses = int(duration_s / think_time_s) + 1
        each = min(each, pauses + 8 * isqrt(pauses) + 16)
    most = max(MOST_ROWS, int(MOST_RPS * duration_s))
    return concurrency * max(1, min(each, most // concurrency))


def pauses(
    concurrency: int, think_time_s: float, duration_s: float, seed: int
) -> npt.NDArray[np.int64]:
    """The pause before each request, row ``i`` being of client ``i % concurrency``.

    Independent exponential pauses of mean ``think_time_s``, the first one too: clients then start
    as spread as they go on, not all at once. Without think time all are 0.

    Returns:
        ``int64[n]``: ns, not negative.

    Raises:
        WorkloadError: the numbers are none to draw with.
    """
    if concurrency < 1 or not 0 <= think_time_s < float("inf") or not duration_s > 0:
        raise WorkloadError(
            f"concurrency = {concurrency}, think_time_s = {think_time_s} and a duration of "
            f"{duration_s} s: give at least one client, a pause not below 0 and a time above 0"
        )
    count = rows_of(concurrency, think_time_s, duration_s)
    if not think_time_s:
        return np.zeros(count, dtype=np.int64)
    mean_ns = round(think_time_s * NS)
    source = integers(seed, _PAUSES)
    return np.array([exponential(source) * mean_ns // WORD for _ in range(count)], dtype=np.int64)
