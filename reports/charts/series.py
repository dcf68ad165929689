"""A trial over its time, one line a block."""

from collections.abc import Iterator
from typing import Any

from reports.answer import at
from reports.charts.figure import Chart, Trace, axis, decades, log_axis, look, numbers
from reports.results import Cell, Results
from reports.trial_result import TrialResult


def time_series(results: Results, cell: Cell) -> Chart | None:
    """Response times and rates over the trial, one line a block; trials not trusted are dotted."""
    drawn = [t for t in cell.trials if t.picture is not None]
    traces = [trace for trial in drawn for trace in _series(results, trial)]
    if not traces:
        return None
    where = f"{cell.sut.key} at {at(cell.step)}"
    bin_s = max(t.picture.bin_s for t in drawn if t.picture is not None)
    layout = {
        "xaxis": axis("seconds from the start of steady state", anchor="y2"),
        "yaxis": log_axis("response, ms", domain=[0.46, 1.0], range=_reach(drawn)),
        "yaxis2": axis("rate, rps", domain=[0.0, 0.36], rangemode="tozero"),
        "shapes": list(_phases(drawn)),
        "showlegend": False,
    }
    summary = (
        f"{where}: per {bin_s:g} s the median (strong) and the slowest (thin) response time by "
        "intended start, and the rates of OK answers and of failures (red), a line a block."
    )
    return Chart(
        f"series-{cell.step.index}-{cell.sut.key}",
        where,
        {"data": traces, "layout": layout},
        summary,
        340,
    )


def _reach(drawn: list[TrialResult]) -> list[float]:
    series = [t.picture.series for t in drawn if t.picture is not None]
    return decades(v for one in series for name in ("median_ms", "worst_ms") for v in one[name])


def _series(results: Results, trial: TrialResult) -> Iterator[Trace]:
    if trial.picture is None:
        return
    series, place = trial.picture.series, trial.record.place
    colour, _ = look(results, place.sut)
    t = numbers(series["t_s"])
    dash = "solid" if trial.record.valid else "dot"
    block = f"block {place.block}" + ("" if trial.record.valid else " (not trusted)")
    answers = [[int(n)] for n in series["answers"]]
    rows = (
        ("median_ms", "median", 1.8, "y", "ms"),
        ("worst_ms", "slowest", 0.6, "y", "ms"),
        ("answered_rps", "OK answers", 1.4, "y2", "rps"),
    )
    for column, what, width, panel, unit in rows:
        yield {
            "type": "scatter",
            "mode": "lines",
            "name": f"{block}, {what}",
            "x": t,
            "y": numbers(series[column]),
            "yaxis": panel,
            "opacity": 0.85,
            **_told(f"{block}, {what}", unit, answers if panel == "y" else None),
            "line": {"color": colour, "width": width, "dash": dash},
        }
    if series["failed_rps"].any():
        yield {
            "type": "scatter",
            "mode": "lines",
            "name": f"{block}, failures",
            "x": t,
            "y": numbers(series["failed_rps"]),
            "yaxis": "y2",
            "line": {"color": "--bad", "width": 1, "dash": dash},
            **_told(f"{block}, failures", "rps", None),
        }


def _told(what: str, unit: str, answers: list[list[int]] | None) -> Trace:
    """What a point says; of response times also how many answers the interval had."""
    said = f"<b>{what}</b><br>%{{y:.4~g}} {unit} at %{{x:.4~g}} s"
    if answers is None:
        return {"hovertemplate": f"{said}<extra></extra>"}
    return {
        "customdata": answers,
        "meta": {"columns": ["n"]},
        "hovertemplate": f"{said}<br>n = %{{customdata[0]}} answers<extra></extra>",
    }


def _phases(drawn: list[TrialResult]) -> Iterator[dict[str, Any]]:
    """Shade what is not counted: warm-up and drain."""
    phases = [t.record.phases for t in drawn if t.record.phases is not None]
    start = min((p.start_ns - p.steady_ns) / 1e9 for p in phases)
    end = max((p.end_ns - p.steady_ns) / 1e9 for p in phases)
    drained = max((p.drained_ns - p.steady_ns) / 1e9 for p in phases)
    for x0, x1, word in ((start, 0.0, "warm-up"), (end, drained, "drain")):
        yield {
            "type": "rect",
            "x0": x0,
            "x1": x1,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "fillcolor": "--shade",
            "line": {"width": 0},
            "layer": "below",
            "label": {
                "text": word,
                "textposition": "top center",
                "font": {"color": "--muted", "size": 10},
            },
        }
