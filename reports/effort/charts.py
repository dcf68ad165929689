"""How effort grows: a line a SUT, a chart a figure."""

from reports.charts.figure import DASHES, PALETTE, Chart, axis, error_bars, points
from reports.charts.hover import told
from reports.effort.found import FIGURES, Figure, Found, growth
from reports.estimate import Estimate

_DRAWN = ("processes", "start_up_s", "pss_bytes", "hops", "moved_bytes", "settings", "response_s")
_NOTHING = Estimate(None, None, None, 0)


def growth_charts(found: Found) -> list[Chart]:
    """One chart a figure that may grow; none where the deployments have no common axis."""
    if not found.record.axis:
        return []
    return [_chart(found, figure) for figure in FIGURES if figure.key in _DRAWN]


def _chart(found: Found, figure: Figure) -> Chart:
    traces = []
    for place, sut in enumerate(found.record.suts):
        line = [estimate or _NOTHING for estimate in growth(found, sut, figure)]
        colour = f"--sut-{place % PALETTE}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": sut,
                "x": [float(name) for name in found.record.deployments],
                "y": points(line),
                "error_y": error_bars(line, colour),
                "line": {"color": colour, "dash": DASHES[place % PALETTE]},
                "marker": {"color": colour, "size": 6},
                **told(line, figure.unit, f"<b>{sut}</b>, %{{x}} {found.record.axis}", of="repeat"),
            }
        )
    title = f"{figure.name}, {figure.unit}" if figure.unit else figure.name
    layout = {
        "xaxis": axis(found.record.axis, rangemode="tozero"),
        "yaxis": axis(title, rangemode="tozero"),
    }
    summary = f"{figure.name} of each SUT over the number of {found.record.axis}; table below."
    return Chart(f"growth-{figure.key}", figure.name, {"data": traces, "layout": layout}, summary)
