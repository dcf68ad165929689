"""Money and efficiency: against the load where there is a ladder, else SUT by SUT."""

from collections.abc import Iterator, Sequence

from harness.record import Step
from reports.answer import at
from reports.charts.dots import Dot, Named, dots
from reports.charts.figure import Chart, Figure, axis, decades, legend_room, level, log_axis
from reports.charts.ladder import Ladder, ladders
from reports.charts.sweep import curves
from reports.metrics import BY_KEY
from reports.results import Results

_MONEY = (
    ("usd_per_million_reserved", "Cost by what is reserved"),
    ("usd_per_million_used", "Cost by what is used"),
)
_EFFICIENCY = (
    ("efficiency_rate", "Throughput over the ceiling's"),
    ("efficiency_cpu", "CPU the models need over CPU spent"),
)
_USD = "USD per million good answers"


def cost_charts(results: Results, steps: Sequence[Step]) -> Iterator[Chart]:
    """Over each ladder; of a run without one, at the given steps; and at capacity."""
    found = list(ladders(results))
    for ladder in found:
        yield from _over(results, ladder)
    if not found:
        for step in steps:
            yield from _at_step(results, step)
    yield from _at_capacity(results)


def _over(results: Results, ladder: Ladder) -> Iterator[Chart]:
    for key, title in _MONEY:
        traces = list(curves(results, ladder, key))
        known = [y for trace in traces for y in trace["y"] if y is not None]
        if known:
            layout = {
                "xaxis": ladder.axis,
                "yaxis": log_axis("USD per million", range=decades(known)),
            }
            yield Chart(
                f"{ladder.prefix}cost-{key}",
                f"{title}{_loop(ladder)}",
                {"data": traces, "layout": layout},
                f"{title}: {_USD} of each SUT against {ladder.over}, with its interval, at the "
                "headline's price. A gap is a step without a good answer.",
                310 + legend_room(traces),
            )
    for key, title in _EFFICIENCY:
        traces = list(curves(results, ladder, key, 100.0))
        known = [y for trace in traces for y in trace["y"] if y is not None]
        if known:
            shown: Figure = {
                "shapes": [level(100.0, "ceiling")],
                "xaxis": ladder.axis,
                "yaxis": axis("% of the ceiling", range=[0, 1.1 * max(100.0, *known)]),
            }
            yield Chart(
                f"{ladder.prefix}{key}",
                f"{title}{_loop(ladder)}",
                {"data": traces, "layout": shown},
                f"{title} of each SUT against {ladder.over}, in percent, with its interval; the "
                "level line at 100 % is the ceiling, which no server can pass.",
                310 + legend_room(traces),
            )


def _loop(ladder: Ladder) -> str:
    return ", closed loop" if ladder.closed else ""


def _at_step(results: Results, step: Step) -> Iterator[Chart]:
    for key, title in (*_MONEY, *_EFFICIENCY):
        metric = BY_KEY[key]
        found = [Dot(c.sut.key, c.estimates[key]) for c in results.at(step.index)]
        named = Named(f"at-{step.index}-{key}", f"{title}, {at(step)}", metric.unit)
        chart = dots(results, found, named)
        if chart is not None:
            yield chart


def _at_capacity(results: Results) -> Iterator[Chart]:
    searched = [found for found in results.capacities if found.sut.answers]
    for key, title in _MONEY:
        found = [Dot(c.sut.key, c.estimates[key]) for c in searched]
        named = Named(f"capacity-{key}", f"{title}, at capacity", BY_KEY[key].unit)
        chart = dots(results, found, named)
        if chart is not None:
            yield chart
    shares = [Dot(c.sut.key, c.efficiency) for c in searched]
    named = Named("capacity-efficiency", "Capacity over the ceiling's rate", "share")
    chart = dots(results, shares, named)
    if chart is not None:
        yield chart
