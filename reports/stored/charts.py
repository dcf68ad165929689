"""A figure over time: its values, the limit that held for each, and what is not comparable."""

from itertools import groupby

from reports.charts.figure import Chart, Trace, axis, numbers
from reports.stored.history import Course, Mark, Point
from reports.wording import amount

_MARKS: dict[Mark, str] = {"comparable": "circle", "capped": "circle-open", "refused": "x"}
_NAN = float("nan")


def history_chart(course: Course, place: int) -> Chart:
    """One series' chart.

    Args:
        course: oldest first.
        place: of the series on the page: names the chart, and colours it by its SUT.
    """
    metric = course.metric
    scale = 100 if metric.unit == "share" else 1
    unit = "%" if metric.unit == "share" else metric.unit
    layout = {
        "xaxis": axis("", type="date"),
        "yaxis": axis(f"{metric.name}, {unit}", rangemode="tozero"),
        "showlegend": False,
    }
    traces = [*_band(course, scale), _values(course, scale)]
    side = "above" if metric.better == "lower" else "below"
    summary = (
        f"{metric.name} of {course.sut} at {course.step} over {len(course.points)} stored runs; "
        f"dashed the limit that the runs before each one set, a gross change {side} it. Open "
        "circles ran on another kernel or host, crosses are not comparable with the newest run. "
        "The table below has the numbers."
    )
    return Chart(f"history-{place}", metric.name, {"data": traces, "layout": layout}, summary, 280)


def _values(course: Course, scale: int) -> Trace:
    tones = ["--bad" if point.beyond else "--sut-0" for point in course.points]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": course.metric.name,
        "x": [point.run.created_utc for point in course.points],
        "y": numbers(_value(point) * scale for point in course.points),
        "customdata": [_hover(course, point) for point in course.points],
        "connectgaps": False,
        "line": {"color": "--sut-0", "width": 1},
        "marker": {
            "size": 7,
            "symbol": [_MARKS[point.mark] for point in course.points],
            "color": tones,
        },
        "hovertemplate": "%{customdata[0]}, n = %{customdata[1]}<br>%{customdata[2]}"
        "<br>%{customdata[3]}<extra></extra>",
    }


def _band(course: Course, scale: int) -> list[Trace]:
    """From what the earlier runs had in the middle to their limit; a gap where they set none."""
    x, edge = [], []
    for has_limit, stretch in groupby(course.points, key=lambda point: point.limit is not None):
        points = list(stretch)
        if has_limit:
            there = [(p.run.created_utc, p.limit.bound() * scale) for p in points if p.limit]
            back = [(p.run.created_utc, p.limit.centre * scale) for p in points if p.limit]
            corners = [*there, *reversed(back), (there[0][0], _NAN)]
            x += [when for when, _ in corners]
            edge += [at for _, at in corners]
    limits = [_NAN if p.limit is None else p.limit.bound() * scale for p in course.points]
    trace = {"type": "scatter", "hoverinfo": "skip", "connectgaps": False}
    return [
        {
            **trace,
            "mode": "none",
            "name": "middle to limit",
            "x": x,
            "y": numbers(edge),
            "fill": "toself",
            "fillcolor": "--shade",
        },
        {
            **trace,
            "mode": "lines+markers",
            "name": "limit",
            "x": [point.run.created_utc for point in course.points],
            "y": numbers(limits),
            "line": {"color": "--muted", "width": 1.2, "dash": "dash"},
            "marker": {"symbol": "line-ew-open", "size": 5, "color": "--muted"},
        },
    ]


def _value(point: Point) -> float:
    return _NAN if point.figure.value is None else point.figure.value


def _hover(course: Course, point: Point) -> list[str]:
    value = point.figure.value
    shown = point.figure.why if value is None else amount(value, course.metric.unit)
    changed = f", {point.run.changed_files} files changed" if point.run.changed_files else ""
    note = "" if point.mark == "comparable" else f"{point.mark}: {point.differences[0]}"
    return [shown, str(point.figure.n), f"revision {point.run.revision[:12]}{changed}", note]
