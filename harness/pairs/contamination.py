"""Which blocks are played again: those that others disturbed, whatever came of it.

A rule that looked at response times would throw away the slow blocks, of both sides or, worse, of
one, and find that nothing is slow. So only two things are asked here, and neither is the SUT's
doing: what the host gave to others, and whether the generator sent when it should. The limits are
those by which a trial is refused (``harness.validity``); of its reasons these are left out:

- whatever the SUT answered, and when: errors, wrong answers, too few samples, no steady state,
  what late sends make of a percentile (the second half of ``schedule_lag``);
- arrivals dropped at the cap of requests in flight, which a slow SUT fills;
- a component that died, memory over the budget: evidence, and not to be played away.

Two limits a SUT can reach by itself: a CPU quota of the control group that it lives in, and memory
of the whole machine. Such a gate ends unfit rather than pass: more than a third of its pairs would
have to be played again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.record import TrialRecord
from harness.validity import of_generator, of_host

Readings = Mapping[str, float]
_NS = 1e9


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: a reading that must not be above a limit.

    Attributes:
        key: its name where it is recorded; what a machine does not tell is not held against it.
        words: what is seen, to be formatted with ``seen`` and ``most``.
        scale: recorded units in one of the limit's.
        a_core: whether the limit is for each of the SUT's cores.
    """

    key: str
    words: str
    most: float
    scale: float = 1.0
    a_core: bool = False

    def beyond(self, readings: Readings, sut_cores: int) -> str | None:
        """What was seen, in words, where it is too much."""
        seen = readings.get(self.key, 0.0) / self.scale
        most = self.most * sut_cores if self.a_core else self.most
        return self.words.format(seen=seen, most=most) if seen > most else None


HOST = (
    Limit(
        "outside_sut_cores",
        "others used {seen:.3f} of the SUT's cores (at most {most:g})",
        of_host.MOST_OUTSIDE_CORES,
        a_core=True,
    ),
    Limit(
        "memory_stall_share",
        "memory stalled {seen:.1%} of the time (at most {most:.0%})",
        of_host.MOST_MEMORY_STALL,
    ),
    Limit(
        "stolen_cores",
        "the hypervisor took {seen:.3f} of a core (at most {most:g})",
        of_host.MOST_STOLEN_CORES,
    ),
    Limit(
        "throttled_share",
        "a CPU quota held it back {seen:.1%} of the time (at most {most:.0%})",
        of_host.MOST_THROTTLED,
    ),
    Limit("thermal_throttles", "heat slowed a core {seen:.0f} times (never is fine)", 0.0),
    Limit(
        "generator_wait_share",
        "the generator was ready and did not run {seen:.0%} of the time (at most {most:.0%})",
        of_generator.MOST_WAIT,
    ),
)
"""Of ``TrialRecord.pressure``."""

GENERATOR = (
    Limit(
        "schedule_lag_p95_worst_ns",
        "p95 of the worst load worker's lag is {seen:.4f} s (at most {most:g} s)",
        of_generator.MOST_LAG_S,
        scale=_NS,
    ),
    Limit(
        "loop_lag_p99_ns",
        "p99 of the generator's loop lag is {seen:.4f} s (at most {most:g} s)",
        of_generator.MOST_LOOP_LAG_S,
        scale=_NS,
    ),
    Limit(
        "cores",
        "the generator kept {seen:.2f} of a core busy (at most {most:g})",
        of_generator.MOST_CORES,
    ),
    Limit(
        "clock_error_ns",
        "a remote load worker's clock is known to {seen:.4f} s only (at most {most:g} s)",
        of_generator.MOST_LAG_S,
        scale=_NS,
    ),
)
"""Of ``TrialRecord.generator``."""


def contaminated(trial: TrialRecord, sut_cores: int) -> tuple[str, ...]:
    """Why a block does not count, a reason a row, in words with figures; empty if it counts.

    A block that could not be played at all counts: what that means is not decided here.

    Args:
        trial: as recorded; its answers, outcomes and reasons are not looked at.
        sut_cores: how many cores the SUT has.
    """
    rows: tuple[tuple[tuple[Limit, ...], Readings], ...] = (
        (HOST, trial.pressure),
        (GENERATOR, trial.generator),
    )
    seen = [limit.beyond(readings, sut_cores) for limits, readings in rows for limit in limits]
    seen += [check(trial) for check in _OTHERS]
    return tuple(words for words in seen if words)


def _sent_below_offered(trial: TrialRecord) -> str | None:
    """By the generator's own count; what it dropped at its cap may be the SUT's doing."""
    said = trial.generator
    if trial.concurrency is not None or "planned" not in said:
        return None
    wanted = said["planned"] - said.get("dropped", 0.0)
    sent = said.get("sent", wanted)
    if sent >= of_generator.LEAST_SENT * wanted - 1:
        return None
    least = of_generator.LEAST_SENT
    return f"the generator sent {sent:.0f} of {wanted:.0f} requests (at least {least:.0%})"


_OTHERS: tuple[Callable[[TrialRecord], str | None], ...] = (_sent_below_offered,)
