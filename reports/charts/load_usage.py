"""What a SUT uses as load grows, stacked by component: a chart a SUT and resource."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports.charts.figure import PALETTE, Chart, Trace, axis, legend_room, level, numbers, points
from reports.charts.hover import told
from reports.charts.ladder import Ladder, answering, ladders
from reports.charts.sweep import curves
from reports.cost import Reserved, reserved
from reports.estimate import Estimate, Value, over_blocks, within
from reports.results import Cell, Results
from reports.usage import added

MOST_NAMED = 6
"""Components that a legend can hold; of more, the largest, and the others together."""

_NOTHING = Estimate(None, None, None, 0, "not read in every trusted block")


@dataclass(frozen=True, slots=True)
class _Resource:
    key: str
    title: str
    unit: str
    field: str

    def of(self, cell: Cell) -> Mapping[str, Estimate]:
        """A cell's, by component."""
        found: Mapping[str, Estimate] = getattr(cell, self.field)
        return found

    def by_trial(self, cell: Cell) -> list[Mapping[str, Value]]:
        """Each trusted trial's, by component."""
        return [getattr(t.picture, self.field) for t in cell.trusted if t.picture is not None]


_OF_MACHINE = (
    _Resource("cores", "CPU", "cores", "cores"),
    _Resource("pss", "PSS at its peak", "MB", "pss_mb"),
)
_OF_GPU = (_Resource("gpu", "GPU memory at its peak", "MB", "gpu_mb"),)
_GPU = (("gpu_utilization", "GPU utilization, %", 100.0), ("gpu_power_w", "GPU power, W", 1.0))


def usage_against_load(results: Results) -> Iterator[Chart]:
    """A SUT after the other, each resource on one scale for all of them; then the GPUs' own."""
    for ladder in ladders(results):
        suts = {sut: ladder.cells(results, sut) for sut in answering(results)}
        most = {
            resource.key: max(
                (_sum(resource.of(c)) for cells in suts.values() for c in cells), default=0.0
            )
            for resource in (*_OF_MACHINE, *_OF_GPU)
        }
        for group in (_OF_MACHINE, _OF_GPU):
            for of in suts.items():
                for resource in group:
                    if most[resource.key]:
                        yield _stack(results, ladder, resource, of, most[resource.key])
        for key, title, scale in _GPU:
            traces = list(curves(results, ladder, key, scale))
            if any(y is not None for trace in traces for y in trace["y"]):
                yield _devices(ladder, key, title, traces)


def _stack(
    results: Results,
    ladder: Ladder,
    resource: _Resource,
    of: tuple[str, list[Cell]],
    most: float,
) -> Chart:
    sut, cells = of
    given = reserved(results.record, sut) if resource.key == "cores" else None
    limit = given.cores if isinstance(given, Reserved) and given.cores < 3 * most else None
    title = f"{resource.title}, {resource.unit}"
    layout = {
        "xaxis": ladder.axis,
        "yaxis": axis(title, range=[0, 1.12 * max(most, limit or 0.0)]),
        "shapes": [level(limit, "cores given")] if limit else [],
        "showlegend": True,
        "hovermode": "closest",
    }
    traces = [
        _component(ladder, sut, name, found, resource) | {"fillcolor": colour}
        for name, found, colour in _parts(resource, cells)
    ]
    loop = ", closed loop" if ladder.closed else ""
    return Chart(
        f"{ladder.prefix}load-{resource.key}-{sut}",
        f"{resource.title} of {sut}{loop}",
        {"data": traces, "layout": layout},
        f"{title} of {sut} against {ladder.over}, its components stacked; all SUTs on one scale.",
        250 + legend_room(traces),
    )


def _parts(resource: _Resource, cells: Sequence[Cell]) -> Iterator[tuple[str, list[Estimate], str]]:
    """Each component over the steps, in the colour that its bar has; small ones as one."""
    readings = [resource.of(cell) for cell in cells]
    names = list(dict.fromkeys(name for reading in readings for name in reading))
    found = {name: [one.get(name, _NOTHING) for one in readings] for name in names}
    largest = sorted(names, key=lambda name: -max(e.point or 0.0 for e in found[name]))
    kept = names if len(names) <= MOST_NAMED else largest[: MOST_NAMED - 1]
    for i, name in enumerate(names):
        if name in kept:
            yield name, found[name], f"--part-{i % PALETTE}"
    others = [name for name in names if name not in kept]
    if others:
        together = [_together(resource.by_trial(cell), others) for cell in cells]
        yield f"{len(others)} others", together, "--rule"


def _together(readings: Sequence[Mapping[str, Value]], names: Sequence[str]) -> Estimate:
    """Of several components, block by block."""
    sums = [added([one.get(name, 0.0) for name in names]) for one in readings]
    return within(over_blocks(sums, "linear"), 0, float("inf"))


def _component(
    ladder: Ladder, sut: str, name: str, found: list[Estimate], resource: _Resource
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "stackgroup": "one",
        "name": name,
        "x": numbers(ladder.places),
        "y": points(found),
        "line": {"width": 1, "color": "--soft"},
        "marker": {"size": 4, "color": "--soft"},
        **told(found, resource.unit, f"<b>{name}</b> of {sut}, {ladder.at}"),
    }


def _devices(ladder: Ladder, key: str, title: str, traces: list[Trace]) -> Chart:
    name = title.split(",", maxsplit=1)[0]
    layout = {"xaxis": ladder.axis, "yaxis": axis(title, rangemode="tozero")}
    return Chart(
        f"{ladder.prefix}load-{key}",
        f"{name} against {ladder.over}",
        {"data": traces, "layout": layout},
        f"{title} of each SUT's GPUs against {ladder.over}, with its interval.",
        280,
    )


def _sum(reading: Mapping[str, Estimate]) -> float:
    return sum(estimate.point or 0.0 for estimate in reading.values())
