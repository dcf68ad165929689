"""Effort in tables: a deployment each, and what growth costs a model."""

from scipy import stats

from reports.effort.found import FIGURES, Figure, Found
from reports.estimate import Estimate
from reports.tables import Shown, Table, shown
from reports.wording import DASH, number

_EXACT = {"models", "processes", "ports", "hops", "settings"}
"""The same every time: an interval would only be noise on the page."""


def deployments(found: Found) -> list[Table]:
    """A table a deployment, a row a SUT."""
    return [_deployment(found, name) for name in found.record.deployments]


def _deployment(found: Found, name: str) -> Table:
    head = [Shown("SUT"), *(Shown(figure.name, figure.unit) for figure in FIGURES)]
    head.insert(1, Shown("Wiring", "lines of code"))
    rows = []
    for sut in found.record.suts:
        cells = [_cell(found.figure(sut, name, figure), figure) for figure in FIGURES]
        lines = Shown(str(found.record.code_lines[sut]))
        rows.append([Shown(sut, swatch=swatch(found, sut)), lines, *cells])
    axis = found.record.axis
    return Table(f"{name} {axis}".strip().capitalize(), head, rows, wide=True)


def _cell(estimate: Estimate | None, figure: Figure) -> Shown:
    if estimate is None or estimate.point is None:
        return Shown(DASH, tone="muted")
    if figure.key in _EXACT:
        return Shown(number(estimate.point))
    return shown(estimate, figure.unit)


def swatch(found: Found, sut: str) -> str:
    """A SUT's colour."""
    return f"--sut-{found.record.suts.index(sut) % 8}"


def per_model(found: Found) -> Table | None:
    """What each further model adds, by least squares over the deployments; None without an axis."""
    if not found.record.axis:
        return None
    figures = [figure for figure in FIGURES if figure.key not in {"models", "change_s"}]
    rows = []
    for sut in found.record.suts:
        slopes = [_slope(found, sut, figure) for figure in figures]
        rows.append([Shown(sut, swatch=swatch(found, sut)), *slopes])
    head = [Shown("SUT"), *(Shown(figure.name, figure.unit) for figure in figures)]
    note = (
        "The slope of a straight line through all repeats; whether it is straight, see the chart."
    )
    return Table("Each further model adds", head, rows, note, wide=True)


def _slope(found: Found, sut: str, figure: Figure) -> Shown:
    pairs = [
        (float(row.models), float(value) * figure.scale)
        for name in found.record.deployments
        for row in found.rows(sut, name)
        if (value := getattr(row, figure.key)) is not None
    ]
    if len({models for models, _ in pairs}) < 2:  # noqa: PLR2004 - a line needs two places
        return Shown(DASH, tone="muted")
    slope = float(stats.linregress(*zip(*pairs, strict=True)).slope)
    return Shown(number(round(slope, 9)))


def failures(found: Found) -> Table | None:
    """What could not be measured, and why."""
    rows = [
        [Shown(row.sut), Shown(row.deployment), Shown(row.error or "", tone="text")]
        for row in found.errors()
    ]
    head = [Shown("SUT"), Shown("Deployment"), Shown("Why", tone="text")]
    return Table("Could not be measured", head, rows) if rows else None


def meanings() -> Table:
    """How each figure is measured."""
    rows = [[Shown(figure.name), Shown(figure.meaning, tone="text")] for figure in FIGURES]
    wiring = "lines of the architecture's own package with code on them; shared rooms are nobody's"
    rows.insert(0, [Shown("Wiring"), Shown(wiring, tone="text")])
    return Table("What each figure means", [Shown("Figure"), Shown("Meaning", tone="text")], rows)
