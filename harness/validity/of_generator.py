"""Doubts about the load generator: it did not ask what was planned, or not when."""

import numpy as np

from harness.validity.check import Check
from harness.validity.evidence import Evidence
from workloads.sample import Outcome

MOST_LAG_S = 0.005
MOST_MOVED = 0.01
MOST_MOVED_S = 0.001
LEAST_SENT = 0.98
MOST_LOOP_LAG_S = 0.01
MOST_WAIT = 0.1
MOST_CORES = 0.8


def _schedule_lag(evidence: Evidence) -> str | None:
    sent = evidence.steady["sent_ns"] > 0
    lags_ns = (evidence.steady["sent_ns"] - evidence.steady["intended_ns"])[sent]
    if not len(lags_ns):
        return None
    # An order statistic, so that it can be read off few samples: no interpolation.
    lag_s = np.sort(lags_ns)[int(np.ceil(0.95 * len(lags_ns))) - 1] / 1e9
    if lag_s > MOST_LAG_S:
        return f"p95 of the lag is {lag_s * 1e3:.2f} ms"
    worst_s = evidence.generator.get("schedule_lag_p95_worst_ns", 0.0) / 1e9
    if worst_s > MOST_LAG_S:
        return f"p95 of the worst load worker's lag is {worst_s * 1e3:.2f} ms"
    return _moved(evidence)


def _moved(evidence: Evidence) -> str | None:
    """What the published percentiles owe to late sends: a short stop moves the highest alone."""
    good, carried = evidence.good, evidence.carried
    if not carried:
        return None
    seen = np.percentile(good["received_ns"] - good["intended_ns"], carried) / 1e6
    prompt = np.percentile(good["received_ns"] - good["sent_ns"], carried) / 1e6
    for percentile, seen_ms, prompt_ms in zip(carried, seen, prompt, strict=True):
        if seen_ms - prompt_ms > max(MOST_MOVED * prompt_ms, MOST_MOVED_S * 1e3):
            return f"p{percentile:g} is {seen_ms:.1f} ms, and {prompt_ms:.1f} ms from the sends"
    return None


def _sent_below_offered(evidence: Evidence) -> str | None:
    """By the clock: a request sent after the steady state has not been offered in it."""
    if evidence.closed:
        return None
    sent_ns = evidence.steady["sent_ns"]
    in_time = int(((sent_ns > 0) & (sent_ns < evidence.phases.end_ns)).sum())
    wanted = evidence.planned - evidence.count(Outcome.DROPPED)
    if in_time >= LEAST_SENT * wanted - 1:
        return None
    return f"{in_time} of {wanted} planned requests were sent in time"


def _generator_starved(evidence: Evidence) -> str | None:
    """By how late it wakes. Its share of a core tells only of its own work, not of waiting."""
    loop_lag_s = evidence.generator.get("loop_lag_p99_ns", 0.0) / 1e9
    waited = evidence.pressure.get("generator_wait_share", 0.0)
    cores = evidence.generator.get("cores", 0.0)
    seen = (
        (loop_lag_s > MOST_LOOP_LAG_S, f"p99 of the loop's lag is {loop_lag_s * 1e3:.1f} ms"),
        (waited > MOST_WAIT, f"ready and not running {waited:.0%} of the time"),
        (cores > MOST_CORES, f"{cores:.2f} of a core busy"),
    )
    return ", ".join(words for found, words in seen if found) or None


def _clocks_apart(evidence: Evidence) -> str | None:
    error_s = evidence.generator.get("clock_error_ns", 0.0) / 1e9
    if error_s <= MOST_LAG_S:
        return None
    return f"a remote load worker's clock is known to {error_s * 1e3:.1f} ms only, drift included"


def _dropped(evidence: Evidence) -> str | None:
    if evidence.closed:  # no cap is met: a client has one request at a time
        return None
    dropped = evidence.count(Outcome.DROPPED)
    return f"{dropped} requests were never sent" if dropped else None


CHECKS = (
    Check(
        "schedule_lag",
        f"95 % of each load worker's requests sent within {MOST_LAG_S * 1e3:g} ms of the plan, "
        f"and lag moves no published percentile by more than both {MOST_MOVED:.0%} and "
        f"{MOST_MOVED_S * 1e3:g} ms",
        "give the generator a quieter core, or offer less",
        _schedule_lag,
    ),
    Check(
        "sent_below_offered",
        f"{LEAST_SENT:.0%} of the planned requests sent within the steady state",
        "the generator did not keep up: more load workers on more cores, or a lower rate",
        _sent_below_offered,
    ),
    Check(
        "generator_starved",
        f"in the worst load worker: 99 % of its loop's wake-ups within "
        f"{MOST_LOOP_LAG_S * 1e3:g} ms, ready and not running at most {MOST_WAIT:.0%} of the "
        f"time, at most {MOST_CORES:g} of a core busy",
        "end what else runs on the generator's cores; else more load workers on more cores, or "
        "a lower rate",
        _generator_starved,
    ),
    Check(
        "clocks_apart",
        f"each remote load worker's clock known to {MOST_LAG_S * 1e3:g} ms, drift included",
        "run load workers on a nearer network, or let an NTP daemon slew all machines' clocks",
        _clocks_apart,
    ),
    Check(
        "dropped",
        "no request dropped by the generator",
        "raise load.max_in_flight or the number of load workers, or lower the rate",
        _dropped,
    ),
)
