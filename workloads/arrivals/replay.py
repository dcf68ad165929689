"""Arrivals as they were recorded, stretched to the offered rate."""

from fractions import Fraction
from itertools import count

import numpy as np
import numpy.typing as npt

from workloads.arrivals.exact import NS
from workloads.arrivals.parameter import WorkloadError


def recorded_rate(recorded_ns: npt.NDArray[np.int64]) -> Fraction:
    """Mean rate of a recording, exactly: gaps over the time they span, per second."""
    return Fraction(len(recorded_ns) - 1, int(recorded_ns[-1])) * NS


def replay(
    rate_rps: float,
    duration_s: float,
    _seed: int,
    *,
    recorded_ns: npt.NDArray[np.int64],
    repeat: float,
) -> npt.NDArray[np.int64]:
    """Recorded arrivals with time scaled so that their mean rate is ``rate_rps``.

    Offset ``i`` is ``recorded_ns[i] * recorded_rate / rate``. A recording of n arrivals lasts
    ``n / rate``: a mean gap after the last one it begins again, where ``repeat`` is 1.

    Args:
        rate_rps: the mean rate wanted.
        duration_s: how much of the recording is played, from its start.
        recorded_ns: ``int64[n]``, ascending from 0, the last above 0.
        repeat: 1 begins again at the end, 0 does not.

    Raises:
        WorkloadError: the recording is too short and may not be repeated.
    """
    stretch = recorded_rate(recorded_ns) / Fraction(rate_rps)
    lasts_ns = len(recorded_ns) * NS / Fraction(rate_rps)
    end_ns = Fraction(duration_s) * NS
    if not repeat and lasts_ns + 1 < end_ns:
        raise WorkloadError(
            f"the trace's {len(recorded_ns)} arrivals last {float(lasts_ns / NS):.6g} s at "
            f"{rate_rps:.6g} rps, and load.warm_up_s + load.steady_s = {duration_s:g} s; shorten "
            "them to at most that, offer a lower rate, or set load.shape = { repeat = 1 }"
        )
    recorded = recorded_ns.tolist()
    offsets: list[int] = []
    for again in count() if repeat else (0,):
        start_ns = again * lasts_ns
        if start_ns >= end_ns:
            break
        for time_ns in recorded:
            offset_ns = int(start_ns + time_ns * stretch)
            if offset_ns >= end_ns:
                break
            offsets.append(offset_ns)
    return np.array(offsets, dtype=np.int64)
