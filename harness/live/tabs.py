"""The tabs that a web session adds to Locust's: what is known, as tables of words and numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan

from harness.capacity.verdict import Objective
from harness.drive import Counts
from harness.live.objective import state, within
from harness.usage import GENERATOR
from harness.validity.of_generator import MOST_CORES, MOST_LAG_S
from workloads.panels import Panel

_MB = 1e6


@dataclass(frozen=True, slots=True)
class Used:
    """What one component used of late.

    Attributes:
        cores: over the last seconds; None before there are two readings.
        pss_bytes: as last read; None where it has not been read yet.
    """

    component: str
    processes: int
    cores: float | None
    pss_bytes: float | None


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt that has ended, in words.

    Attributes:
        asked: what was asked.
        came: what was seen, or why it failed.
        objective: whether it was kept.
    """

    asked: str
    came: str
    objective: str


@dataclass(frozen=True, slots=True)
class Health:
    """The load generator about itself, all workers together.

    Attributes:
        lag_p99_ms: the worst worker's schedule lag of late; not a number where nothing was sent.
        in_flight: sent and not yet answered.
        dropped: since the attempt's start.
    """

    lag_p99_ms: float = float("nan")
    in_flight: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Playing:
    """The attempt that is played, or was played last.

    Attributes:
        asked: what was asked, in words; empty before the first.
    """

    asked: str = ""
    counts: Counts = field(default_factory=Counts)
    health: Health = Health()


def nothing_yet(objective: Objective) -> tuple[Panel, ...]:
    """Every tab before anything is known: the page asks once, as it opens, which there are."""
    return (components((), None), generator((), Playing()), slo(objective, Playing()), attempts(()))


def components(used: Sequence[Used], inside: float | None) -> Panel:
    """CPU, memory and processes of each component, and how many requests the SUT holds.

    Args:
        used: of each component, the generator too, which is left out.
        inside: as the SUT tells; it tells it for all of itself.
    """
    sut = [one for one in used if one.component != GENERATOR]
    rows = [_used(one) for one in sut]
    whole = Used(
        "all together",
        sum(one.processes for one in sut),
        _added([one.cores for one in sut]),
        _added([one.pss_bytes for one in sut]),
    )
    return Panel(
        "components",
        "Components",
        {
            "component": "Component",
            "cores": "CPU (cores)",
            "pss_mb": "Memory (PSS, MB)",
            "processes": "Processes",
            "inside": "Requests inside (admitted, not yet answered; its own /metrics)",
        },
        ({**_used(whole), "inside": _number(inside, 0)}, *rows),
    )


def generator(used: Sequence[Used], playing: Playing) -> Panel:
    """Whether the load generator can be trusted so far: lag, drops, and its own CPU."""
    of_all = _added([one.cores for one in used if one.component == GENERATOR])
    health = playing.health
    rows = (
        (
            "Schedule lag, p99 (ms)",
            _number(health.lag_p99_ms, 2),
            f"p95 up to {MOST_LAG_S * 1e3:g}",
        ),
        ("Requests dropped", _number(health.dropped, 0), "none"),
        ("Requests in flight", _number(health.in_flight, 0), ""),
        (
            "CPU, page included (cores)",
            _number(of_all, 2),
            f"{MOST_CORES:g} of a core a worker",
        ),
    )
    return Panel(
        "generator",
        "Generator",
        {"figure": "Of the load generator", "now": "Now", "trusted": "Trusted with"},
        tuple({"figure": name, "now": now, "trusted": limit} for name, now, limit in rows),
    )


def slo(objective: Objective, playing: Playing) -> Panel:
    """Whether the attempt keeps the objective so far."""
    counts = playing.counts
    share = within(counts)
    row: Mapping[str, str | float | None] = {
        "attempt": playing.asked or "none yet",
        "objective": objective.words,
        "within": _number(None if share is None else share * 100, 2),
        "missed": counts.missed,
        "ended": counts.ended,
        "needed": objective.needed(counts.missed),
        "state": state(objective, counts) if playing.asked else "too early to tell",
    }
    return Panel(
        "objective",
        "Objective",
        {
            "attempt": "Attempt",
            "objective": "Objective",
            "within": "Within it so far (%)",
            "missed": "Missed",
            "ended": "Ended, after warm-up",
            "needed": "Needed for so few misses",
            "state": "State",
        },
        (dict(row),),
    )


def attempts(ended: Sequence[Ended]) -> Panel:
    """Every attempt that has ended, from its recorded samples; the last one first."""
    rows: list[dict[str, str | float | None]] = [
        {"number": number, "asked": one.asked, "came": one.came, "objective": one.objective}
        for number, one in enumerate(ended, 1)
    ]
    return Panel(
        "attempts",
        "Attempts",
        {
            "number": "Attempt",
            "asked": "Asked",
            "came": "From its recorded samples",
            "objective": "Objective",
        },
        tuple(reversed(rows)),
    )


def _used(one: Used) -> dict[str, str | float | None]:
    return {
        "component": one.component,
        "cores": _number(one.cores, 2),
        "pss_mb": _number(None if one.pss_bytes is None else one.pss_bytes / _MB, 1),
        "processes": one.processes,
        "inside": None,
    }


def _number(value: float | None, digits: int) -> float | None:
    if value is None or isnan(value):
        return None
    return round(value, digits) if digits else int(value)


def _added(values: Sequence[float | None]) -> float | None:
    """The sum; None where something of it is not known."""
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
