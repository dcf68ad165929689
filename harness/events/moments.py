"""When each event is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.scenario import Scenario
from harness.surroundings import FAULTY_PARTS, EventSection


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing to do.

    Attributes:
        event: its number among the scenario's.
        ends: whether it is that event's ``until``.
        to / action: as the scenario writes them.
        body: what is sent; None asks the stub for its script in [backends], a part for no fault.
        after_ns: into the steady state.
    """

    event: int
    ends: bool
    to: str
    action: str
    body: Mapping[str, Any] | None
    after_ns: int


def moments_of(scenario: Scenario) -> tuple[Moment, ...]:
    """All that is due in one trial of a load step, in time; at one time as it is written."""
    steady_s = scenario.load.steady_s
    due = [m for i, event in enumerate(scenario.events) for m in _both(i, event, steady_s)]
    return tuple(sorted(due, key=lambda moment: moment.after_ns))


def _both(number: int, event: EventSection, steady_s: float) -> list[Moment]:
    """An event's begin, and its end where it has one."""

    def moment(after_s: float, body: Mapping[str, Any] | None, *, ends: bool) -> Moment:
        return Moment(number, ends, event.to, event.action, body, round(after_s * 1e9))

    found = [moment(event.after_s(steady_s), event.body, ends=False)]
    if event.until is not None:
        found.append(moment(event.until * steady_s, event.then, ends=True))
    return found


def undoing(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """What ends the faults of parts, whichever of these moments were played."""
    disturbed = {moment.to: moment for moment in moments if moment.to in FAULTY_PARTS}
    return tuple(replace(moment, ends=True, body=None) for moment in disturbed.values())
