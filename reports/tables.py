"""The page's tables, as rows of what is shown and what stands under it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

from harness.record import Step
from reports.answer import at
from reports.ceiling import CeilingEstimate
from reports.estimate import LEVEL, Estimate, Missing
from reports.metrics import BY_KEY, GPU, METRICS, Metric
from reports.results import Cell, Results
from reports.saturation import STATES, State, open_steps, state, steps_by_rate
from reports.wording import DASH, inside, interval, plain

Tone: TypeAlias = Literal["", "text", "muted", "good", "bad", "doubt"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A table cell: its text, a smaller line under it, and its tone.

    ``items`` are a list's heads and texts; ``beside`` goes with ``under``; ``swatch`` is a colour
    to show before it; ``link`` a path under the trials' folder.
    """

    text: str
    under: str = ""
    beside: str = ""
    tone: Tone = ""
    swatch: str = ""
    link: str = ""
    items: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows. ``note`` stands below it."""

    caption: str
    head: Sequence[Shown]
    rows: Sequence[Sequence[Shown]]
    note: str = ""
    wide: bool = False


def shown(estimate: Estimate | None, unit: str) -> Shown:
    """An estimate with its interval and n under it, or why there is none."""
    if estimate is None:
        return Shown(DASH, tone="muted")
    if estimate.point is None:
        return Shown(DASH, estimate.note, tone="muted")
    ends = interval(estimate, unit)
    text = plain(estimate.point, unit)
    if not ends:
        return Shown(text, estimate.note)
    return Shown(text, ends, beside=f"n = {estimate.n}")


def seen(cell: Cell, metric: Metric) -> Shown:
    """A cell's estimate; without a trusted trial, what each one read, one by one."""
    played = [t.values[metric.key] for t in cell.trials if t.values]
    known = [value for value in played if not isinstance(value, Missing)]
    if cell.trusted or not known:
        return shown(cell.estimates[metric.key], metric.unit)
    each = ", ".join(plain(value, metric.unit) for value in known)
    return Shown(DASH, f"not trusted: {each}", tone="muted")


def column(metric: Metric, name: str = "") -> Shown:
    """A metric's column head; an arrow says which way is better."""
    arrow = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}", "none": ""}[
        metric.better
    ]
    unit = "" if metric.unit == "share" else metric.unit
    return Shown(name or metric.name, f"{unit} {arrow}".strip())


def named(results: Results, cell: Cell) -> Shown:
    """A SUT as a row's name."""
    left_out = len(cell.trials) - len(cell.trusted)
    under = f"{left_out} of {len(cell.trials)} trials left out" if left_out else ""
    return Shown(cell.sut.key, under, swatch=swatch(results, cell.sut.key))


def swatch(results: Results, sut: str) -> str:
    """A SUT's colour."""
    return f"--sut-{[s.key for s in results.record.suts].index(sut) % 8}"


def spoken_of(results: Results) -> list[Metric]:
    """The metrics this run has something to say about: those of GPUs only where one was read."""
    trials = (trial for cell in results.cells for trial in cell.trials if trial.values)
    read = any(isinstance(trial.values["gpu_utilization"], float) for trial in trials)
    return [metric for metric in METRICS if read or metric.key not in GPU]


def placed(step: Step) -> Shown:
    """A step, in one line."""
    return Shown(at(step).replace(" ", "\N{NO-BREAK SPACE}"), tone="text")


def offered(step: Step) -> str:
    """What a step asks, as a caption begins."""
    return at(step).capitalize() if step.concurrency is not None else f"Offered {at(step)}"


HEADLINE = (
    ("goodput_rps", "Goodput"),
    ("throughput_rps", "Throughput"),
    ("response_p50_ms", "Response p50"),
    ("response_p95_ms", "Response p95"),
    ("cpu_ms", "CPU per request"),
    ("pss_peak_mb", "Peak PSS"),
    ("start_up_s", "Start-up"),
    ("efficiency_cpu", "CPU efficiency"),
    ("efficiency_rate", "Rate / ceiling"),
    ("usd_per_million_reserved", "Cost, reserved"),
)


def headline(results: Results, step: Step) -> Table:
    """The answer at one step: a row a SUT, then the ceiling."""
    keys = [key for key, _ in HEADLINE]
    rows = [_headline_row(results, cell, keys) for cell in results.at(step.index)]
    rows += [_ceiling_row(ceiling, keys) for ceiling in results.ceilings]
    head = [Shown("SUT"), *(column(BY_KEY[key], name) for key, name in HEADLINE), Shown("SLO")]
    return Table(offered(step), head, rows, wide=True)


def _headline_row(results: Results, cell: Cell, keys: Iterable[str]) -> list[Shown]:
    found = state(results, cell)
    figures = {key: seen(cell, BY_KEY[key]) for key in keys}
    if found not in {"saturated", "closed"}:  # below it, they say only how much was offered
        for key in ("efficiency_rate", "usd_per_million_reserved"):
            figures[key] = replace(figures[key], tone="muted")
    return [named(results, cell), *figures.values(), _state(found)]


def _ceiling_row(ceiling: CeilingEstimate, keys: Iterable[str]) -> list[Shown]:
    known = {"throughput_rps": (ceiling.rate_rps, "rps"), "cpu_ms": (ceiling.cpu_ms, "CPU-ms")}
    if ceiling.best:
        known |= dict.fromkeys(("efficiency_cpu", "efficiency_rate"), (_ONE, "share"))
    name = Shown(f"Ceiling, batch {ceiling.batch_size}", "in-process, no server", tone="muted")
    cells = [shown(*known[key]) if key in known else Shown("") for key in keys]
    return [name, *cells, Shown("")]


_ONE = Estimate(1.0, None, None, 0, "by definition")

_TONES: dict[State, Tone] = {
    "held": "good",
    "late": "bad",
    "saturated": "bad",
    "mixed": "doubt",
    "closed": "muted",
    "unknown": "muted",
}


def _state(found: State) -> Shown:
    return Shown(found, tone=_TONES[found])


def every_metric(results: Results, step: Step) -> Table:
    """All that is measured, at one step: a row a metric."""
    cells = [*results.at(step.index), *results.at(step.index, answers=False)]
    metrics = spoken_of(results)
    rows = [[column(metric), *(seen(cell, metric) for cell in cells)] for metric in metrics]
    head = [Shown("Metric"), *(named(results, cell) for cell in cells)]
    return Table(f"Every metric, {inside(offered(step))}", head, rows, wide=True)


_SATURATION = (
    ("offered_rps", "Offered"),
    ("achieved_rps", "Achieved"),
    ("throughput_rps", "Throughput"),
    ("goodput_rps", "Goodput"),
    ("slo_share", "Within the SLO"),
    ("shed_share", "Shed (503)"),
    ("error_share", "All errors"),
)


def saturation(results: Results) -> Table | None:
    """Every SUT at every step that offers a rate, lowest first."""
    rows = []
    for sut in results.record.suts:
        if not sut.answers:
            continue
        for step in open_steps(results):
            cell = results.cell(sut.key, step.index)
            metrics = (BY_KEY[key] for key, _ in _SATURATION)
            figures = [seen(cell, metric) for metric in metrics]
            rows.append(
                [
                    named(results, cell),
                    placed(step),
                    *figures,
                    _state(state(results, cell)),
                ]
            )
    columns = (column(BY_KEY[key], name) for key, name in _SATURATION)
    head = [Shown("SUT"), Shown("Step", tone="text"), *columns, Shown("State")]
    note = "; ".join(f"{name}: {words}" for name, words in STATES.items() if name != "closed")
    table = Table("What became of the offered rate", head, rows, f"{note}.", wide=True)
    return table if rows else None


_COMPARED = (
    "throughput_rps",
    "response_p50_ms",
    "response_p95_ms",
    "cpu_ms",
    "pss_peak_mb",
    "start_up_s",
)


def comparisons(results: Results, step: Step) -> Table | None:
    """Every pair of SUTs: the ratio of each metric, paired by block."""
    pairs = list(combinations(results.at(step.index), 2))
    if not pairs:
        return None
    rows = []
    for this, other in pairs:
        found = [results.comparison(this, other, key) for key in _COMPARED]
        name = Shown(f"{this.sut.key} / {other.sut.key}")
        rows.append([name, *(_ratio(c.ratio, c.word) for c in found)])
    head = [Shown("Ratio"), *(Shown(BY_KEY[key].name) for key in _COMPARED)]
    note = (
        f"Each interval stands alone at {LEVEL:.0%}: of twenty such words about one is wrong by "
        "chance. The answer at the top uses stricter ones."
    )
    return Table(f"SUTs against each other, {inside(offered(step))}", head, rows, note, wide=True)


def _ratio(ratio: Estimate, word: str) -> Shown:
    cell = shown(ratio, "")
    tone: Tone = "muted" if word == "cannot tell" else ""
    return Shown(f"{cell.text} {word}", cell.under, cell.beside, tone)


def stages(cells: Sequence[Cell], step: Step) -> Table | None:
    """Each stage of each SUT: times, and the batch an answer's stage ran in."""
    rows = [
        [
            Shown(cell.sut.key),
            Shown(stage.stage, tone="text"),
            *(shown(e, "ms") for e in (stage.wall_ms, stage.queue_ms, stage.compute_ms)),
            shown(stage.wait_ms, "ms"),
            shown(stage.hop_ms, "ms"),
            shown(stage.batch_size, ""),
        ]
        for cell in cells
        for stage in cell.stages
    ]
    names = ("wall", "queue", "compute", "wait", "hop")
    head = [Shown("SUT"), Shown("Stage", tone="text"), *(Shown(name, "ms") for name in names)]
    head.append(Shown("mean batch", "requests"))
    return Table(f"Stages, {inside(offered(step))}", head, rows) if rows else None


_FLOOR = (
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "service_p50_ms",
    "lag_p99_ms",
    "cpu_ms",
    "start_up_s",
)


def floor(results: Results) -> Table | None:
    """What is measured where no model runs."""
    cells = [c for s in steps_by_rate(results) for c in results.at(s.index, answers=False)]
    if not cells:
        return None
    rows = [
        [named(results, cell), placed(cell.step)] + [seen(cell, BY_KEY[key]) for key in _FLOOR]
        for cell in cells
    ]
    head = [Shown("SUT"), Shown("Step", tone="text"), *(column(BY_KEY[key]) for key in _FLOOR)]
    return Table("Null service", head, rows, wide=True)
