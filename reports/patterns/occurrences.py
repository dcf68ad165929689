"""What happened while load was played, trial by trial: events, versions, choices."""

from harness.record import Step, TrialPlace
from reports.estimate import Missing, Value
from reports.patterns.around import Around, Seen
from reports.results import Results
from reports.tables import Shown, Table, offered, swatch
from reports.wording import DASH, inside, number


def events(results: Results, step: Step) -> Table | None:
    """What was done while load was played, and what requests saw about it, trial by trial."""
    rows = []
    for cell in results.at(step.index):
        for trial in cell.trusted:
            facts, place = trial.patterns, trial.record.place
            rows += [
                [*_trial(results, place), _what(one), *_when(one), *_seen(one.during)]
                for one in facts.events
            ]
            if facts.otherwise is not None:
                rest = Shown("no event", tone="muted")
                row = [*_trial(results, place), rest, Shown(""), Shown(""), Shown("")]
                rows.append([*row, *_seen(facts.otherwise)])
    head = [
        Shown("SUT"),
        Shown("Block"),
        Shown("Event", tone="text"),
        Shown("Sent", "s"),
        Shown("Took", "s"),
        Shown("Status"),
        *_SEEN,
    ]
    note = "Requests planned from an event's send until a second after its answer."
    caption = f"Events, {inside(offered(step))}"
    return Table(caption, head, rows, note, wide=True) if rows else None


def segments(results: Results, step: Step) -> Table | None:
    """What requests saw and cost between events, trial by trial."""
    told = [
        (trial.record.place, one)
        for cell in results.at(step.index)
        for trial in cell.trusted
        for one in trial.patterns.segments
    ]
    measures = sorted({measure for _, one in told for measure in one.scores})
    rows = [
        [
            *_trial(results, place),
            Shown(one.after, f"{number(one.from_s)} to {number(one.to_s)} s", tone="text"),
            *_seen(one.seen),
            _value(one.cpu_ms),
            *(_number(one.scores.get(measure)) for measure in measures),
        ]
        for place, one in told
    ]
    head = [Shown("SUT"), Shown("Block"), Shown("After", tone="text"), *_SEEN]
    head += [Shown("CPU", "ms per answer"), *(Shown(name, "mean score") for name in measures)]
    caption = f"Between events, {inside(offered(step))}"
    return Table(caption, head, rows, wide=True) if rows else None


def regret(results: Results, step: Step) -> Table | None:
    """What choosing cost against the best fixed choice, trial by trial."""
    rows = [
        [
            *_trial(results, trial.record.place),
            Shown(one.graph, tone="text"),
            Shown(one.best, tone="text"),
            Shown(str(one.answers)),
            *map(_number, (one.own, one.fixed, one.total, one.later)),
        ]
        for cell in results.at(step.index)
        for trial in cell.trusted
        for one in trial.patterns.regrets
    ]
    head = [Shown("SUT"), Shown("Block"), Shown("Graph", tone="text")]
    head += [Shown("Best fixed choice", tone="text"), Shown("Answers")]
    head += [Shown("Own", "mean reward"), Shown("Its", "mean reward")]
    head += [Shown("Regret", "sum of rewards"), Shown("Later half", "sum of rewards")]
    note = (
        "What the best fixed choice would have earned on the same payloads, less what was earned; "
        "below 0, choosing did better than any fixed choice."
    )
    caption = f"Regret, {inside(offered(step))}"
    return Table(caption, head, rows, note, wide=True) if rows else None


_SEEN = (
    Shown("Requests"),
    Shown("Errors"),
    Shown("p50", "ms"),
    Shown("p99", "ms"),
    Shown("Worst", "ms"),
)


def _what(one: Around) -> Shown:
    event = one.event
    body = ", ".join(f"{key} {value}" for key, value in event.body.items())
    name = f"{event.action} ends" if event.ends else event.action
    return Shown(f"{event.to}: {name}", event.error or body, tone="bad" if event.error else "text")


def _when(one: Around) -> list[Shown]:
    return [
        _number(one.at_s),
        _number(one.took_s),
        Shown(DASH, tone="muted") if one.event.status is None else Shown(str(one.event.status)),
    ]


def _seen(seen: Seen) -> list[Shown]:
    times = (seen.p50_ms, seen.p99_ms, seen.worst_ms)
    errors = Shown(str(seen.errors), tone="bad" if seen.errors else "")
    return [Shown(str(seen.requests)), errors, *map(_value, times)]


def versions(results: Results, step: Step) -> Table | None:
    """How new versions reached the replicas, trial by trial."""
    rows = [
        [
            *_trial(results, trial.record.place),
            Shown(one.of, tone="text"),
            Shown(str(one.versions), "" if one.published else "since first arrival"),
            Shown(str(one.replicas)),
            *map(_number, (one.first_s, one.last_s, one.worst_s, one.mixed_s)),
            Shown(str(one.late_answers)),
        ]
        for cell in results.at(step.index)
        for trial in cell.trusted
        for one in trial.patterns.spreads
    ]
    head = [
        Shown("SUT"),
        Shown("Block"),
        Shown("Of", tone="text"),
        Shown("Versions"),
        Shown("Replicas"),
        Shown("To the first", "s"),
        Shown("To the last", "s"),
        Shown("At worst", "s"),
        Shown("Mixed for", "s"),
        Shown("Late answers"),
    ]
    note = (
        "From a version's publication to the first and to the last replica that took it: medians "
        "over versions. Mixed: answers of two versions came in turns. Late answers came from an "
        "earlier version after the first answer of a later one."
    )
    caption = f"Versions on their way, {inside(offered(step))}"
    return Table(caption, head, rows, note, wide=True) if rows else None


def chosen(results: Results, step: Step) -> Table | None:
    """Which model answered how often, and how good its answers were, trial by trial."""
    measures = sorted(
        {
            measure
            for cell in results.at(step.index)
            for trial in cell.trusted
            for one in trial.patterns.choices
            for measure in one.scores
        }
    )
    rows = []
    for cell in results.at(step.index):
        for trial in cell.trusted:
            for one in trial.patterns.choices:
                figures = [_number(one.scores.get(measure)) for measure in measures]
                rows.append(
                    [
                        *_trial(results, trial.record.place),
                        Shown(one.graph, tone="text"),
                        Shown(one.model, tone="text"),
                        Shown(f"{number(one.share * 100)} %", f"{one.n} answers"),
                        *figures,
                    ]
                )
    head = [Shown("SUT"), Shown("Block"), Shown("Graph", tone="text"), Shown("Model", tone="text")]
    head += [Shown("Answered"), *(Shown(measure, "mean score") for measure in measures)]
    caption = f"Which model answered, {inside(offered(step))}"
    return Table(caption, head, rows, wide=True) if rows else None


def _trial(results: Results, place: TrialPlace) -> tuple[Shown, Shown]:
    return Shown(place.sut, swatch=swatch(results, place.sut)), Shown(str(place.block))


def _number(value: float | None) -> Shown:
    return Shown(DASH, tone="muted") if value is None else Shown(number(value))


def _value(value: Value) -> Shown:
    if isinstance(value, Missing):
        return Shown(DASH, value.why, tone="muted")
    return Shown(number(value))
