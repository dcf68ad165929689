"""How far each SUT follows the offered rate, and where it gives out."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from harness.record import Step
from reports.estimate import Missing, Value
from reports.results import Cell, Results
from reports.slo import Slo

FOLLOWS = 0.97
"""Share of the offered rate that throughput must reach; in-flight requests at both edges of the
steady state and the chance of the arrivals leave it a little off 1."""

State: TypeAlias = Literal["held", "late", "saturated", "mixed", "closed", "unknown"]

STATES: dict[State, str] = {
    "held": "the SLO was kept in every trusted block",
    "late": "throughput followed the offered rate, the SLO was not kept",
    "saturated": f"throughput below {FOLLOWS:.0%} of the offered rate in every trusted block",
    "mixed": "blocks disagree",
    "closed": "closed loop: no rate is offered that could be followed or not",
    "unknown": "no trusted trial that offered anything",
}


def state(results: Results, cell: Cell) -> State:
    """What became of one SUT at one step, by its trusted blocks."""
    if cell.step.concurrency is not None:
        return "closed"
    found = {_block_state(results, cell, block) for block in cell.by_block("throughput_rps")}
    if not found:
        return "unknown"
    return found.pop() if len(found) == 1 else "mixed"


def _block_state(results: Results, cell: Cell, block: int) -> State:
    return trial_state({key: cell.by_block(key)[block] for key in _READ}, results.slo)


def trial_state(values: Mapping[str, Value], slo: Slo | None) -> State:
    """What became of one open-loop trial."""
    known = {key: v for key, v in values.items() if not isinstance(v, Missing)}
    if not known["offered_rps"]:
        return "unknown"
    if known["throughput_rps"] < FOLLOWS * known["offered_rps"]:
        return "saturated"
    if slo is None:
        return "held"
    return "held" if slo.kept(known["slo_share"], known["error_share"]) else "late"


_READ = ("throughput_rps", "offered_rps", "slo_share", "error_share")


def steps_by_rate(results: Results) -> list[Step]:
    """Open-loop steps, lowest offered rate first; then closed-loop steps, fewest clients first."""
    return [*open_steps(results), *_closed_steps(results)]


def open_steps(results: Results) -> list[Step]:
    """The steps that offer a rate, lowest first."""
    found = [step for step in results.record.steps if step.concurrency is None]
    return sorted(found, key=lambda step: step.offered_rps)


def _closed_steps(results: Results) -> list[Step]:
    found = [step for step in results.record.steps if step.concurrency is not None]
    return sorted(found, key=lambda step: step.concurrency or 0)


def top_step(results: Results, sut: str) -> Step | None:
    """The highest offered rate a SUT held with every lower one held too."""
    top = None
    for step in open_steps(results):
        if state(results, results.cell(sut, step.index)) != "held":
            break
        top = step
    return top


def common_step(results: Results) -> Step | None:
    """Where SUTs are compared: the highest step at which all that were measured held.

    Beyond it, a SUT that sheds load would be compared at work it did not do. Where there is no
    such step, the lowest one measured. Closed-loop steps count only where there is no other.
    """
    measured = [s for s in _compared(results) if any(c.trusted for c in results.at(s.index))]
    alike = [step for step in measured if _states(results, step) <= {"held", "closed"}]
    return next(iter(alike[-1:] or measured), None)


def overload_step(results: Results) -> Step | None:
    """The highest step at which every measured SUT was saturated: where peak rates are read.

    In a closed loop, the one with the most clients.
    """
    for step in reversed(_compared(results)):
        if _states(results, step) in ({"saturated"}, {"closed"}):
            return step
    return None


def compared_steps(results: Results) -> list[Step]:
    """The steps at which the answer compares SUTs, and where they are all asked too much."""
    found = (common_step(results), overload_step(results))
    return [step for step in steps_by_rate(results) if step in found]


def _compared(results: Results) -> list[Step]:
    return open_steps(results) or _closed_steps(results)


def _states(results: Results, step: Step) -> set[State]:
    return {state(results, cell) for cell in results.at(step.index)} - {"unknown"}
