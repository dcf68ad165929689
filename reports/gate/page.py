"""The gate's page: one file, offline; every chart has its table."""

from collections.abc import Sequence
from pathlib import Path

from reports.gate import circumstances, phrases, tables
from reports.gate.charts import pair_chart
from reports.gate.forest import forest
from reports.gate.verdict import Verdict
from reports.page import Section, figure, packed_plotly, resource, templates
from reports.tables import Table

_TONES = {"pass": "good", "regression": "bad", "inconclusive": "doubt", "unfit": "doubt"}


def write_gate(path: Path, verdict: Verdict) -> None:
    """Write the page; a half-written file is never left under this name.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_suffix(".partial")
    partial.write_text(render(verdict))
    partial.rename(path)


def render(verdict: Verdict) -> str:
    """The whole page."""
    return (
        templates()
        .get_template("gate.html.j2")
        .render(
            verdict=verdict,
            title=phrases.TITLES[verdict.outcome],
            mark=phrases.MARKS[verdict.outcome],
            tone=_TONES[verdict.outcome],
            reasons=phrases.reasons(verdict),
            parts=phrases.parts,
            facts=phrases.facts(verdict),
            machine=circumstances.machine(verdict),
            codes=circumstances.endings(verdict),
            ending=phrases.ending(verdict),
            sections=[section for section in _sections(verdict) if section.filled],
            style=resource("report.css"),
            script=resource("report.js"),
            plotly=packed_plotly(),
            figure=figure,
        )
    )


def _sections(verdict: Verdict) -> list[Section]:
    """The page after the answer, in reading order."""
    every = forest(verdict)
    judged = [
        row
        for row in phrases.in_order(verdict)
        if any(phrases.oriented(row, pair) is not None for pair in row.pairs)
    ]
    drawn = [chart for row in judged if (chart := pair_chart(verdict, row)) is not None]
    return [
        Section(
            "found",
            "What was found",
            [] if every is None else [every],
            tables=_present(tables.rulings(verdict)),
        ),
        Section(
            "pairs",
            "Every pair",
            drawn,
            folded=[tables.pairs(verdict, row) for row in judged],
        ),
        Section("evidence", "What it rests on", tables=_present(tables.evidence(verdict))),
        Section("looks", "Look by look", tables=_present(tables.looks(verdict))),
        Section("redone", "Pairs played again", tables=_present(circumstances.redone(verdict))),
        Section(
            "sides",
            "What was compared, and where",
            tables=[circumstances.compared(verdict), *circumstances.surroundings(verdict)],
        ),
    ]


def _present(table: Table | None) -> Sequence[Table]:
    return [] if table is None else [table]
