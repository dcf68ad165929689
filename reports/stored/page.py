"""The history page: offline, one file, a table under everything drawn."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from reports.charts.figure import Chart
from reports.page import figure, packed_plotly, resource, templates
from reports.stored import tables
from reports.stored.charts import history_chart
from reports.stored.comparable import LEAST, WINDOW
from reports.stored.history import Course, courses
from reports.stored.limits import LEVEL
from reports.stored.store import Store, StoreError
from reports.tables import Table

PAGE = Path("runs/trends.html")
"""Not in the store: it is large, and can be made again."""


@dataclass(frozen=True, slots=True)
class Part:
    """A SUT at a load step: its charts, each with its table."""

    title: str
    drawn: tuple[tuple[Chart, Table], ...]


def write_history(store: Store, out: Path | None = None) -> Path:
    """Write the page; returns its path.

    Raises:
        StoreError: the store is empty, or the page cannot be written.
    """
    if not store.runs:
        raise StoreError(f"{store.directory} holds no run that can be read; add one first")
    page = (out or PAGE).resolve()
    partial = page.with_suffix(".partial")
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(render(store))
        partial.rename(page)
    except OSError as error:
        raise StoreError(f"{page} cannot be written: {error.strerror}") from error
    return page


def render(store: Store) -> str:
    """The whole page."""
    return (
        templates()
        .get_template("trends.html.j2")
        .render(
            store=store,
            newest=store.runs[-1],
            parts=_parts(courses(store.runs)),
            skipped=tables.skipped_files(store.skipped),
            runs=tables.stored_runs(store.runs),
            least=LEAST,
            window=WINDOW,
            level=f"{LEVEL:.0%}",
            style=resource("report.css"),
            script=resource("report.js"),
            plotly=packed_plotly(),
            figure=figure,
        )
    )


def _parts(found: list[Course]) -> list[Part]:
    parts = []
    numbered = enumerate(found)
    for (sut, step), group in groupby(numbered, key=lambda one: (one[1].sut, one[1].step)):
        drawn = tuple((history_chart(c, n), tables.history_table(c)) for n, c in group)
        parts.append(Part(f"{sut} at {step}", drawn))
    return parts
