"""One trial's pattern facts, and their estimates over a SUT's trusted trials."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.record import TrialRecord
from harness.run_directory import RunDirectory
from reports.estimate import Estimate, Missing, Value, over_blocks, within
from reports.frames import Run, TrialFrames
from reports.patterns.answers import read_answers
from reports.patterns.around import Around, Seen, around
from reports.patterns.choices import Choice, choices
from reports.patterns.graphs import graphs_of
from reports.patterns.learning import Course, courses
from reports.patterns.regret import Regret, regrets
from reports.patterns.segments import Segment, segments
from reports.patterns.timings import GraphTimings, graph_timings
from reports.patterns.versions import Spread, spreads
from reports.requests import STEADY, read_headers
from workloads.plan import read_plan

_INFINITY = float("inf")
_ABSENT = Missing("not measured in every block")


@dataclass(frozen=True, slots=True)
class PatternFacts:
    """What one trial tells of its graphs.

    Attributes:
        timings: graph -> its nodes' times.
        quality: graph -> measure -> mean score.
        scored: graph -> answers that were scored.
        events: what was done while load was played, with the requests about it.
        otherwise: requests that no event touches; None without events.
        spreads: versions on their way to the replicas.
        segments: the steady state between events.
        choices: models that answered.
        courses: quality as time went by.
        regrets: of graphs that choose, against the best fixed choice.
    """

    timings: Mapping[str, GraphTimings] = field(default_factory=dict)
    quality: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    scored: Mapping[str, int] = field(default_factory=dict)
    events: Sequence[Around] = ()
    otherwise: Seen | None = None
    segments: Sequence[Segment] = ()
    spreads: Sequence[Spread] = ()
    choices: Sequence[Choice] = ()
    courses: Sequence[Course] = ()
    regrets: Sequence[Regret] = ()


NO_FACTS = PatternFacts()


def pattern_facts(run: Run, trial: TrialFrames) -> PatternFacts:
    """Read what one trial tells of its graphs."""
    record = trial.record
    folder = RunDirectory(run.directory)
    place = folder.trial(record.place)
    files = sorted(place.glob("samples-*.parquet"))
    path = folder.plan_of(record.place)
    if not path.is_file():
        return PatternFacts()
    plan = read_plan(path)
    counted = int(((trial.samples["phase"] == STEADY) & trial.samples["ok"]).sum())
    headers = read_headers(files, trial.phases, counted)
    answers = read_answers(files, plan)
    events, otherwise = around(trial, record.events) if record.events else ([], None)
    return PatternFacts(
        graph_timings(headers, plan, graphs_of(record.info or {})),
        {
            graph: {measure: found.mean for measure, found in measures.items()}
            for graph, measures in record.quality.items()
        },
        {graph: max(m.n for m in measures.values()) for graph, measures in record.quality.items()},
        events,
        otherwise,
        segments(trial, record.events, plan, place / "scores.parquet"),
        spreads(answers, record.events),
        choices(answers, place / "scores.parquet"),
        courses(place / "scores.parquet", plan, trial.phases),
        regrets(place / "scores.parquet", plan, _varying(record)),
    )


def _varying(record: TrialRecord) -> frozenset[str]:
    checked = record.verification
    return frozenset(checked.not_compared) if checked else frozenset()


def over_trials(
    facts: Sequence[PatternFacts], read: Callable[[PatternFacts], Value | None]
) -> Estimate | None:
    """An estimate over trials; None where none of them has it."""
    values = [read(one) for one in facts]
    if all(value is None or isinstance(value, Missing) for value in values):
        return None
    told: list[Value] = [_ABSENT if value is None else value for value in values]
    return within(over_blocks(told, "linear"), 0, _INFINITY)
