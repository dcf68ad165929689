"""The history page's tables: a row a stored run."""

from collections.abc import Iterable, Sequence

from reports.stored.comparable import LEAST, named
from reports.stored.history import Course, Point, standing
from reports.stored.limits import LEVEL
from reports.stored.record import StoredRun
from reports.stored.store import Skipped
from reports.tables import Shown, Table, Tone
from reports.wording import DASH, plain


def history_table(course: Course) -> Table:
    """Every value of a series, the newest first."""
    unit = "" if course.metric.unit == "share" else course.metric.unit
    head = [
        Shown("Run"),
        Shown("Revision", tone="text"),
        Shown(course.metric.name, unit),
        Shown("n", "blocks"),
        Shown(f"{LEVEL:.0%} limit", "of the runs before"),
        Shown("Beside the newest run", tone="text"),
    ]
    rows = [_row(course, point) for point in reversed(course.points)]
    caption = f"{course.metric.name} of {course.sut} at {course.step}"
    return Table(caption, head, rows, wide=True)


def _row(course: Course, point: Point) -> list[Shown]:
    unit, value = course.metric.unit, point.figure.value
    shown = Shown(DASH, point.figure.why, tone="muted")
    if value is not None:
        tone: Tone = "bad" if point.beyond else ""
        shown = Shown(plain(value, unit), "beyond its limit" if point.beyond else "", tone=tone)
    limit = point.limit
    bound = Shown(DASH, f"fewer than {LEAST}", tone="muted")
    if limit is not None:
        bound = Shown(plain(limit.bound(), unit), f"{limit.k} runs")
    return [when(point.run), revision(point.run), shown, Shown(str(point.figure.n)), bound,
            beside(point)]  # fmt: skip


def when(run: StoredRun) -> Shown:
    """A run as a row's name."""
    return Shown(f"{run.created:%Y-%m-%d %H:%M}", run.run_id)


def revision(run: StoredRun) -> Shown:
    """Its source."""
    changed = f"{run.changed_files} files changed" if run.changed_files else ""
    return Shown(run.revision[:12], changed, tone="text")


def beside(point: Point) -> Shown:
    """Whether it is comparable with the newest run."""
    if point.mark == "comparable":
        return Shown("comparable", tone="text")
    return Shown(point.mark, named(point.differences), tone="doubt")


def stored_runs(runs: Sequence[StoredRun]) -> Table:
    """What the store holds, the newest first."""
    rows = []
    for run in reversed(runs):
        mark, why = standing(run, runs[-1])
        series = sum(s.trusted > 0 for s in run.series)
        stand = Shown(mark, named(why), tone="text" if mark == "comparable" else "doubt")
        rows.append([when(run), Shown(run.name, tone="text"), revision(run), Shown(str(series)),
                     stand])  # fmt: skip
    head = [
        Shown("Run"),
        Shown("Scenario", tone="text"),
        Shown("Revision", tone="text"),
        Shown("Series", "SUT x step"),
        Shown("Beside the newest run", tone="text"),
    ]
    return Table("Stored runs", head, rows, wide=True)


def skipped_files(skipped: Iterable[Skipped]) -> Table | None:
    """Files of the store that were left out; None where none were."""
    rows = [[Shown(one.file), Shown(one.why, tone="text")] for one in skipped]
    head = [Shown("File"), Shown("Why", tone="text")]
    return Table("Left out", head, rows) if rows else None
