"""A capacity search, played: probe after probe at a SUT that is up, each of them on disk."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from harness.bench import Bench, Progress
from harness.capacity.bracket import collapses
from harness.capacity.probe import Played, play_probe, played_before, section_of, too_slow
from harness.capacity.recovery import LIMIT_S, recovered
from harness.capacity.search import Ask, Found, Limits, given_up, next_move
from harness.rate import parse_rate
from harness.record import CapacityRecord, Probe, TrialRecord
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError
from harness.schedule import Turn
from harness.subject import Subject

Say: TypeAlias = Callable[[str], None]

_STUCK = (
    f"it did not answer within its objective again, one request at a time, for {LIMIT_S:g} s: "
    "read its components' logs"
)


def limits_of(scenario: Scenario, ceiling_rps: float | None) -> Limits:
    """Where a scenario's search may go, in requests per second.

    Raises:
        ScenarioError: a rate is a share of what is not known here, or they contradict each other.
    """
    section = section_of(scenario)
    found = []
    for key, written in (("start", section.start), ("most", section.most)):
        try:
            found.append(parse_rate(written).rps(ceiling_rps))
        except ValueError as error:
            raise ScenarioError(
                f"scenario {scenario.name!r}: capacity.{key} = {error}; "
                f"write it in requests per second, such as {key} = 50"
            ) from error
    start_rps, most_rps = found
    if start_rps > most_rps:
        raise ScenarioError(
            f"scenario {scenario.name!r}: capacity.start = {section.start!r} is {start_rps:g} "
            f"rps and capacity.most = {section.most!r} is {most_rps:g}: start below most"
        )
    return Limits(start_rps, most_rps, section.precision)


@dataclass(slots=True)
class _Search:
    """One SUT's search as far as it has come."""

    bench: Bench
    turn: Turn
    played: list[Played] = field(default_factory=list)

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(one.probe for one in self.played)

    def save(self, found: Found) -> None:
        """Write down how it ended."""
        record = CapacityRecord(
            block=self.turn.block,
            sut=self.turn.sut,
            probes=self.probes,
            low_rps=found.bracket.low_rps,
            high_rps=found.bracket.high_rps,
            capacity_rps=found.capacity_rps,
            confirmed_by=found.confirmed_by,
            cliff=self._cliff(found),
            end=found.why,
        )
        self.bench.directory.save_capacity(record)

    def _cliff(self, found: Found) -> bool:
        last = {one.probe.offered_rps: one.tally for one in self.played}
        low, high = found.bracket
        return low in last and high in last and collapses(last[low], last[high])


def find_capacity(
    subject: Subject, turn: Turn, progress: Progress, say: Say
) -> Iterator[TrialRecord]:
    """Search one SUT's capacity; yields each probe's trial, and saves a ``CapacityRecord``.

    Probes that an earlier sitting of the run recorded are not played again: the next move depends
    on nothing but the probes before it.

    Args:
        subject: the SUT, up.
        turn: its block and where its probes stand.
        progress: told what is being done, and which share of a probe is behind us.
        say: told each probe's rate, verdict and why, and how the search ended.

    Raises:
        OSError: what was measured cannot be written.
        ScenarioError: a rate is a share of what is not known.
    """
    bench = subject.bench
    limits = limits_of(bench.scenario, bench.ceiling_rps)
    search = _Search(bench, turn)
    while isinstance(move := _next(subject, limits, search.probes), Ask):
        place = turn.probe(len(search.played))
        before = played_before(bench, place, move)
        if before is None and not recovered(subject):
            move = given_up(search.probes, _STUCK)
            break
        search.played.append(before or play_probe(subject, place, move, progress))
        say(line(search.probes[-1]))
        if before is None:
            yield search.played[-1].record
    search.save(move)
    say(f"block {turn.block + 1}  {turn.sut}  capacity: {_in_words(move)}")


def not_searched(bench: Bench, turn: Turn, why: str, say: Say) -> None:
    """Write down that a search could not begin."""
    found = given_up((), why)
    _Search(bench, turn).save(found)
    say(f"block {turn.block + 1}  {turn.sut}  capacity: {_in_words(found)}")


def _next(subject: Subject, limits: Limits, probes: Sequence[Probe]) -> Ask | Found:
    """The search's own next move, unless the SUT or the rate does not allow it."""
    died = subject.running.exits()
    if died:
        at = f" at {probes[-1].offered_rps:g} rps" if probes else ""
        return given_up(probes, f"a component died{at}: {died[0]}; read its log, then search again")
    move = next_move(limits, probes)
    if isinstance(move, Found):
        return move
    scenario = subject.bench.scenario
    why = too_slow(scenario, move.offered_rps)
    return given_up(probes, why) if why else move


def line(probe: Probe) -> str:
    """A probe in one line."""
    place = probe.place
    return (
        f"block {place.block + 1}  {place.sut}  {probe.offered_rps:.4g} rps, {probe.role}: "
        f"{probe.verdict} ({probe.why})"
    )


def _in_words(found: Found) -> str:
    """What was found in one line."""
    if found.capacity_rps is None:
        return f"not found: {found.why}"
    high = "no failing rate" if found.bracket.high_rps is None else f"{found.bracket.high_rps:g}"
    return f"{found.capacity_rps:g} rps, below {high} ({found.why})"
