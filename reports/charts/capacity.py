"""Capacity: each SUT's with its interval and brackets, and the probes that found it."""

from collections.abc import Iterator

from harness.record import Probe
from reports.capacity import Capacity
from reports.charts.figure import (
    Chart,
    Figure,
    Trace,
    axis,
    error_bars,
    level,
    look,
    numbers,
    points,
    upright,
)
from reports.charts.hover import told
from reports.results import Results
from reports.wording import DASH, number

LEAST_PERCENT = 0.01
"""Where a probe that missed nothing is drawn: a logarithm has no place for none."""

_TICKS = (LEAST_PERCENT, 0.1, 1, 10, 100)
_VERDICTS = (("holds", "circle", "--good"), ("fails", "x", "--bad"))
_UNDECIDED = ("undecided", "circle-open", "--doubt")


def capacity_charts(results: Results) -> Iterator[Chart]:
    """Capacities side by side, then the probes of each SUT."""
    if not results.capacities:
        return
    yield _side_by_side(results)
    for found in results.capacities:
        yield _probes(results, found)


def _side_by_side(results: Results) -> Chart:
    searched = list(reversed(results.capacities))
    names = [found.sut.key for found in searched]
    estimates = [found.rps for found in searched]
    colours = [look(results, name)[0] for name in names]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "capacity",
        "x": points(estimates),
        "y": names,
        "marker": {"color": colours, "size": 10},
        "error_x": error_bars(estimates),
        **told(estimates, "rps", "<b>%{y}</b>, capacity"),
    }
    best = next((c.rate_rps.point for c in results.ceilings if c.best), None)
    brackets = [line for found in searched for line in _brackets(results, found)]
    ends = [x for line in brackets for x in line["x"]]
    ends += [estimate.high or estimate.point or 0.0 for estimate in estimates]
    layout = {
        "showlegend": False,
        "xaxis": axis("offered rate, rps", range=[0, 1.1 * max([*ends, best or 0.0])]),
        "yaxis": {
            "automargin": True,
            "range": [-0.6, len(names) - 0.4],
            "categoryorder": "array",
            "categoryarray": names,
        },
        "shapes": [upright(best, "ceiling")] if best else [],
    }
    return Chart(
        "capacities",
        "Capacity",
        {"data": [*brackets, trace], "layout": layout},
        "The capacity of each SUT with its interval; the pale bars are the brackets of its blocks, "
        "from the highest rate that held to the lowest that did not.",
        100 + 40 * len(names),
    )


def _brackets(results: Results, found: Capacity) -> Iterator[Trace]:
    for block in found.blocks:
        low, high = block.bracket
        if low is not None and high is not None:
            yield {
                "type": "scatter",
                "mode": "lines",
                "x": numbers([low, high]),
                "y": [found.sut.key] * 2,
                "line": {"color": look(results, found.sut.key)[0], "width": 12},
                "opacity": 0.25,
                "name": f"bracket, block {block.record.block}",
                "hovertemplate": f"<b>%{{y}}</b>, block {block.record.block}<br>bracket "
                f"{number(low)}{DASH}{number(high)} rps<extra></extra>",
            }


def _probes(results: Results, found: Capacity) -> Chart:
    played = [probe for block in found.blocks for probe in block.record.probes]
    traces = [
        _dots([p for p in played if p.verdict == verdict], (verdict, symbol, colour))
        for verdict, symbol, colour in (*_VERDICTS, _UNDECIDED)
    ]
    allowed = [level(100 - results.slo.percentile, "the SLO's share")] if results.slo else []
    figure: Figure = {
        "data": [trace for trace in traces if trace["x"]],
        "layout": {
            "xaxis": axis("offered rate, rps", rangemode="tozero"),
            "yaxis": axis(
                "requests that missed the SLO, %",
                type="log",
                range=[-2.2, 2.1],
                tickvals=list(_TICKS),
                ticktext=["none", "0.1", "1", "10", "100"],
            ),
            "shapes": allowed,
        },
    }
    return Chart(
        f"probes-{found.sut.key}",
        f"Probes of {found.sut.key}",
        figure,
        f"Every probe of {found.sut.key}: its offered rate, the share of its requests that missed "
        "the SLO, and whether the rate held, failed or was left undecided.",
    )


def _dots(probes: list[Probe], look_of: tuple[str, str, str]) -> Trace:
    name, symbol, colour = look_of
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(probe.offered_rps for probe in probes),
        "y": numbers(max(_percent_missed(probe), LEAST_PERCENT) for probe in probes),
        "text": [f"{p.role}: {p.missed} of {p.planned} missed" for p in probes],
        "marker": {"symbol": symbol, "color": colour, "size": 9},
        "customdata": [[p.place.block, p.role, p.missed, p.planned] for p in probes],
        "meta": {"columns": ["block", "role", "missed", "n"]},
        "hovertemplate": "%{x:.4~g} rps, block %{customdata[0]}<br>%{text}"
        f"<br>{name}<extra></extra>",
    }


def _percent_missed(probe: Probe) -> float:
    return probe.missed / probe.planned * 100 if probe.planned else 100.0
