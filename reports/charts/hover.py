"""What a chart says of a number one points at: the number, its unit, its interval and its n.

A trace that shows estimates carries ``customdata``, a row a point, and the names of its columns in
``meta``: the page's script makes each chart's table and CSV of them.
"""

from collections.abc import Sequence
from typing import Any

from reports.charts.figure import Trace, numbers
from reports.estimate import LEVEL, Estimate
from reports.wording import amount, interval, plural

COLUMNS = ("low", "high", "n")


def told(
    estimates: Sequence[Estimate], unit: str, before: str, scale: float = 1.0, of: str = "block"
) -> Trace:
    """The part of a trace that tells of its estimates, a point each.

    Args:
        estimates: in the trace's order, as measured.
        unit: of the estimates.
        before: a Plotly template of what stands above the number, for example ``%{y}``.
        scale: what estimates are multiplied by to be drawn, 100 where a share is drawn in percent.
        of: what n counts.
    """
    return {
        "customdata": [_row(estimate, scale) for estimate in estimates],
        "meta": {"columns": list(COLUMNS)},
        "hovertext": [said(estimate, unit, of) for estimate in estimates],
        "hovertemplate": f"{before}<br>%{{hovertext}}<extra></extra>",
    }


def said(estimate: Estimate, unit: str, of: str = "block") -> str:
    """An estimate in words, a line each: point and unit, interval, n."""
    if estimate.point is None:
        return estimate.note
    lines = [amount(estimate.point, unit)]
    ends = interval(estimate, unit)
    if ends:
        lines += [f"{LEVEL * 100:g} % interval {ends}", f"n = {plural(estimate.n, of)}"]
    elif estimate.note:
        lines.append(estimate.note)
    return "<br>".join(lines)


def drawn(estimate: Estimate, scale: float) -> Estimate:
    """The estimate as it is drawn, every figure of it multiplied."""
    point, low, high = (
        None if value is None else value * scale
        for value in (estimate.point, estimate.low, estimate.high)
    )
    return Estimate(point, low, high, estimate.n, estimate.note)


def _row(estimate: Estimate, scale: float) -> list[Any]:
    ends = drawn(estimate, scale)
    known = (float("nan") if end is None else end for end in (ends.low, ends.high))
    return [*numbers(known), estimate.n]
