"""The page of claims: offline, one file; a refuted claim stands as plainly as a supported one."""

from collections.abc import Mapping
from pathlib import Path

from reports.claims import phrases, tables
from reports.claims.forest import forests
from reports.claims.record import Claims
from reports.gate.phrases import parts as split
from reports.page import figure, packed_plotly, resource, templates

PAGE = "claims.html"


def write_page(path: Path, claims: Claims, links: Mapping[str, str]) -> None:
    """Write the page; a half-written file is never left under this name.

    Args:
        path: where it goes.
        claims: what to show.
        links: run -> where its page lies, relative to this one.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_suffix(".partial")
    partial.write_text(render(claims, links), encoding="utf-8")
    partial.replace(path)


def render(claims: Claims, links: Mapping[str, str] | None = None) -> str:
    """The whole page."""
    return (
        templates()
        .get_template("claims.html.j2")
        .render(
            record=claims,
            runs={run.run_id: run for run in claims.runs},
            links=links or {},
            phrases=phrases,
            tones=tables.TONES,
            parts=tables.parts,
            forests=forests,
            split=split,
            folded=[
                table
                for table in (
                    tables.apart(claims),
                    tables.passed_over(claims),
                    tables.environment(claims),
                )
                if table is not None
            ],
            style=resource("report.css"),
            script=resource("report.js"),
            plotly=packed_plotly(),
            figure=figure,
        )
    )
