"""How far each SUT follows the offered rate, and where it gives out."""

from typing import Literal, TypeAlias

from harness.record import Step
from reports.estimate import Missing
from reports.results import Cell, Results

FOLLOWS = 0.97
"""Share of the offered rate that throughput must reach; in-flight requests at both edges of the
steady state and the chance of the arrivals leave it a little off 1."""

State: TypeAlias = Literal["held", "late", "saturated", "mixed", "unknown"]

STATES: dict[State, str] = {
    "held": "the SLO was kept in every trusted block",
    "late": "throughput followed the offered rate, the SLO was not kept",
    "saturated": f"throughput below {FOLLOWS:.0%} of the offered rate in every trusted block",
    "mixed": "blocks disagree",
    "unknown": "no trusted trial that offered anything",
}


def state(results: Results, cell: Cell) -> State:
    """What became of one SUT at one step, by its trusted blocks."""
    found = {_block_state(results, cell, block) for block in cell.by_block("throughput_rps")}
    if not found:
        return "unknown"
    return found.pop() if len(found) == 1 else "mixed"


def _block_state(results: Results, cell: Cell, block: int) -> State:
    value = {key: cell.by_block(key)[block] for key in _READ}
    known = {key: v for key, v in value.items() if not isinstance(v, Missing)}
    if not known["offered_rps"]:
        return "unknown"
    if known["throughput_rps"] < FOLLOWS * known["offered_rps"]:
        return "saturated"
    if results.slo is None:
        return "held"
    kept = results.slo.kept(known["slo_share"], known["error_share"])
    return "held" if kept else "late"


_READ = ("throughput_rps", "offered_rps", "slo_share", "error_share")


def steps_by_rate(results: Results) -> list[Step]:
    """The steps, lowest offered rate first."""
    return sorted(results.record.steps, key=lambda step: step.offered_rps)


def top_step(results: Results, sut: str) -> Step | None:
    """The highest step a SUT held with every lower one held too."""
    top = None
    for step in steps_by_rate(results):
        if state(results, results.cell(sut, step.index)) != "held":
            break
        top = step
    return top


def common_step(results: Results) -> Step | None:
    """Where SUTs are compared: the highest step at which all that were measured held.

    Beyond it, a SUT that sheds load would be compared at work it did not do. Where there is no
    such step, the lowest one measured.
    """
    measured = [s for s in steps_by_rate(results) if any(c.trusted for c in results.at(s.index))]
    alike = [
        step
        for step in measured
        if {state(results, cell) for cell in results.at(step.index)} <= {"held", "unknown"}
    ]
    return next(iter(alike[-1:] or measured), None)


def overload_step(results: Results) -> Step | None:
    """The highest step at which every measured SUT was saturated: where peak rates are read."""
    for step in reversed(steps_by_rate(results)):
        states = {state(results, cell) for cell in results.at(step.index)} - {"unknown"}
        if states == {"saturated"}:
            return step
    return None
