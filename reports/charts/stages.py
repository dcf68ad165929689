"""Where a request's time goes, stage by stage."""

from reports.answer import at
from reports.charts.figure import Chart, axis, points
from reports.charts.hover import told
from reports.results import Cell


def stage_bars(cell: Cell, longest_ms: float) -> Chart | None:
    """Each stage's own bar, parted by what it did. Bars of different stages are never summed."""
    if not cell.stages:
        return None
    names = [stage.stage for stage in reversed(cell.stages)]
    parts = (
        ("queue_ms", "queue", "--queue"),
        ("compute_ms", "compute", "--compute"),
        ("wait_ms", "wait", "--wait"),
        ("hop_ms", "hop", "--hop"),
    )
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": points(getattr(stage, column) for stage in reversed(cell.stages)),
            "marker": {"color": colour},
            **told(
                [getattr(stage, column) for stage in reversed(cell.stages)],
                "ms",
                f"<b>%{{y}}</b>, {name}",
            ),
        }
        for column, name, colour in parts
        if column != "wait_ms" or any((stage.wait_ms.point or 0) > 0 for stage in cell.stages)
    ]
    where = f"{cell.sut.key} at {at(cell.step)}"
    layout = {
        "barmode": "stack",
        "xaxis": axis("mean over answers, ms", range=[0, longest_ms * 1.05]),
        "yaxis": {"automargin": True, "showgrid": False},
    }
    return Chart(
        f"stages-{cell.step.index}-{cell.sut.key}",
        where,
        {"data": traces, "layout": layout},
        f"Mean time of each stage of {where}, in queue, compute, wait and hop; table below.",
        110 + 26 * len(names),
    )
