"""A figure over time: its values, the limit that held for each, and what is not comparable."""

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
    known = [point.limit for point in course.points]
    edges = (
        [_NAN if limit is None else limit.centre * scale for limit in known],
        [_NAN if limit is None else limit.bound() * scale for limit in known],
    )
    x = [point.run.created_utc for point in course.points]
    line = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip", "connectgaps": False}
    return [
        {**line, "name": "middle", "y": numbers(edges[0]), "line": {"width": 0}},
        {
            **line,
            "name": "limit",
            "y": numbers(edges[1]),
            "line": {"color": "--muted", "width": 1.2, "dash": "dash"},
            "fill": "tonexty",
            "fillcolor": "--shade",
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
