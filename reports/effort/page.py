"""The effort page: offline, one file, tables of everything drawn."""

from collections.abc import Iterable
from pathlib import Path

from reports.effort import tables
from reports.effort.charts import growth_charts
from reports.effort.found import Found, read_effort
from reports.page import figure, packed_plotly, resource, templates
from reports.tables import Table

PAGE = "report.html"


def write_effort(directory: Path, out: Path | None = None) -> Path:
    """Read what was measured and write its page; returns the page's path.

    Raises:
        NotARun: it cannot be read.
        OSError: the page cannot be written.
    """
    page = (out or directory / PAGE).resolve()
    partial = page.with_suffix(".partial")
    partial.write_text(render(read_effort(directory)))
    partial.rename(page)
    return page


def render(found: Found) -> str:
    """The whole page."""
    return (
        templates()
        .get_template("effort.html.j2")
        .render(
            record=found.record,
            charts=growth_charts(found),
            tables=_present(
                [tables.per_model(found), *tables.deployments(found), tables.failures(found)]
            ),
            folded=[tables.meanings()],
            style=resource("report.css"),
            script=resource("report.js"),
            plotly=packed_plotly(),
            figure=figure,
        )
    )


def _present(items: Iterable[Table | None]) -> list[Table]:
    return [item for item in items if item is not None]
