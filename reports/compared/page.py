"""The page of two runs: one file, offline; what else moved stands before what the SUTs did."""

from reports.compared import phrases, tables
from reports.compared.forest import forests
from reports.compared.record import Compared
from reports.gate.phrases import parts
from reports.page import Section, figure, packed_plotly, resource, templates
from reports.tables import Table


def render(compared: Compared) -> str:
    """The whole page."""
    return (
        templates()
        .get_template("compared.html.j2")
        .render(
            compared=compared,
            sections=[section for section in _sections(compared) if section.filled],
            not_paired=phrases.NOT_PAIRED,
            parts=parts,
            style=resource("report.css"),
            script=resource("report.js"),
            plotly=packed_plotly(),
            figure=figure,
        )
    )


def _sections(compared: Compared) -> list[Section]:
    """The page after the answer, in reading order."""
    return [
        Section("differs", "What differs", tables=_present(tables.differing(compared))),
        Section(
            "controls",
            "What no change of a SUT moves",
            tables=_present(tables.controls(compared), tables.steps(compared)),
        ),
        *(_place(compared, step, number) for number, step in enumerate(compared.places)),
        Section("sides", "The runs", tables=[tables.sides(compared)]),
    ]


def _place(compared: Compared, step: str, number: int) -> Section:
    """One load step, or the capacities."""
    spoken, silent = tables.spoken(compared, step), tables.silent(compared, step)
    return Section(
        f"place-{number}",
        step[0].upper() + step[1:],
        forests(compared, step, number),
        tables=_present(spoken if compared.comparable else silent),
        folded=_present(silent) if compared.comparable else (),
    )


def _present(*found: Table | None) -> list[Table]:
    return [table for table in found if table is not None]
