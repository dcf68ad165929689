"""How long SUTs take to be ready, and what they draw before anybody asks: block by block."""

from collections.abc import Iterator, Sequence

from reports.charts.dots import Dot, Named, dots
from reports.charts.figure import Chart
from reports.deployment import Deployed
from reports.results import Results


def start_up_charts(results: Results, deployed: Sequence[Deployed]) -> Iterator[Chart]:
    """Start-up and idle draw of each SUT, a tick a block."""
    figures = (
        ("start-up", "From the first process to readiness", "s", "start_up_s"),
        ("idle", "Idle draw", "cores", "idle_cores"),
    )
    for key, title, unit, name in figures:
        found = [Dot(d.sut, getattr(d, name), d.blocks(name)) for d in deployed]
        chart = dots(results, found, Named(f"by-block-{key}", f"{title}, by block", unit))
        if chart is not None:
            yield chart
