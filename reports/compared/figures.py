"""Which figures of two runs stand beside each other, and which of them carry a word."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from reports.answer import at
from reports.capacity import Capacity
from reports.compared.agreement import Matched
from reports.compared.change import Kind
from reports.cost_tables import KINDS, at_capacity, fitting, priced
from reports.estimate import Estimate, Value
from reports.metrics import BY_KEY, Metric
from reports.results import Cell, Results
from reports.stored.figures import LEAST_TRUSTED, STORED
from reports.tables import spoken_of

CAPACITY = "at capacity"
_RATES = ("goodput_rps",)
"""Figures of the answers' rate: they follow the rate that was offered."""

_OF_A_DEPLOYMENT = ("start_up_s",)
"""Read once a deployment, which plays every step of its block: it is spoken of once."""

_OF_NO_CLOCK = ("pss_peak_mb", "gpu_memory_mb")
"""A faster machine does not move them."""

MOST_APART = 0.05
"""Offered rates further apart than this are two questions, by whatever words they were asked."""

SPOKEN = tuple(metric.key for metric in STORED)
"""Metrics that carry a word: what a gate may fail by, of the SUT."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One figure of both runs, before anything is said of it.

    Attributes:
        values: of each side's trusted blocks; None of a figure that is only shown.
        mute: why it carries no word; empty where it does.
        machine: whether a faster machine would move it.
    """

    sut: str
    step: str
    metric: str
    name: str
    unit: str
    better: str
    kind: Kind
    shown: tuple[Estimate, Estimate]
    values: tuple[Collection[Value], Collection[Value]] | None
    mute: str = ""
    machine: bool = True


def pairings(baseline: Results, candidate: Results, steps: Sequence[Matched]) -> Iterator[Pairing]:
    """Every figure that both runs have, step by step, then capacities and what they cost."""
    common = [sut.key for sut in baseline.record.suts
              if sut.key in {other.key for other in candidate.record.suts}]  # fmt: skip
    known = {metric.key for metric in spoken_of(candidate)}
    metrics = [metric for metric in spoken_of(baseline) if metric.key in known]
    for place, step in enumerate(steps):
        for sut in common:
            mine = baseline.cell(sut, step.baseline.index)
            theirs = candidate.cell(sut, step.candidate.index)
            for metric in sorted(metrics, key=_rank):
                figure = _of_step((mine, theirs), step, metric, first=place == 0)
                yield _mute_if_few(figure, baseline, candidate, (mine, theirs))
    theirs_by_sut = {found.sut.key: found for found in candidate.capacities}
    for found in baseline.capacities:
        other = theirs_by_sut.get(found.sut.key)
        if other is not None:
            yield from _of_capacity((baseline, candidate), found, other)


def words_of(step: Matched) -> str:
    """A step in words; of two rates, the words that both were asked by."""
    return at(step.baseline) if step.apart == 1.0 else step.baseline.asked


def _rank(metric: Metric) -> int:
    """What carries words first, in a gate's order."""
    return SPOKEN.index(metric.key) if metric.key in SPOKEN else len(SPOKEN)


def _of_step(cells: tuple[Cell, Cell], step: Matched, metric: Metric, *, first: bool) -> Pairing:
    mine, theirs = cells
    mute = _why_mute(mine, step, metric, first=first)
    kind: Kind = "difference" if metric.unit == "share" and metric.scale == "linear" else "ratio"
    return Pairing(
        sut=mine.sut.key,
        step=words_of(step),
        metric=metric.key,
        name=metric.name,
        unit=metric.unit,
        better=metric.better,
        kind=kind,
        shown=(mine.estimates[metric.key], theirs.estimates[metric.key]),
        values=(mine.by_block(metric.key).values(), theirs.by_block(metric.key).values()),
        mute=mute,
        machine=kind == "ratio" and metric.key not in _OF_NO_CLOCK,
    )


def _why_mute(mine: Cell, step: Matched, metric: Metric, *, first: bool) -> str:
    if metric.key not in SPOKEN:
        return "shown, not judged"
    if not mine.sut.answers:
        return "no model answers: it is a control"
    if metric.key in _OF_A_DEPLOYMENT:
        return "" if first else "one deployment plays every step: it stands at the first"
    if abs(step.apart - 1) > MOST_APART:
        return f"the offered rates are {abs(step.apart - 1):.0%} apart"
    if metric.key in _RATES and step.apart != 1.0:
        return "other rates were offered"
    return ""


def _mute_if_few(
    found: Pairing, baseline: Results, candidate: Results, cells: tuple[Cell, Cell]
) -> Pairing:
    """A figure of too few of its blocks has another spread: which ones are left is no chance."""
    for side, results, cell in zip(
        ("baseline", "candidate"), (baseline, candidate), cells, strict=True
    ):
        place = (cell.sut.key, cell.step.index)
        scheduled = sum((t.sut, t.step) == place for t in results.record.schedule)
        if len(cell.trusted) < LEAST_TRUSTED * scheduled and not found.mute:
            few = f"{len(cell.trusted)} of {scheduled} blocks of the {side} can be trusted"
            return replace(found, mute=few)
    return found


def _of_capacity(
    both: tuple[Results, Results], mine: Capacity, theirs: Capacity
) -> Iterator[Pairing]:
    sut = mine.sut.key
    searched = [list(found.by_block().values()) for found in (mine, theirs)]
    yield Pairing(
        sut, CAPACITY, "capacity_rps", "Capacity", "rps", "higher", "ratio",
        (mine.rps, theirs.rps), (searched[0], searched[1]),
        "" if mine.sut.answers else "no model answers: it is a control",
    )  # fmt: skip
    for kind, here, there in _capacity_costs(both, mine, theirs):
        metric = BY_KEY[f"usd_per_million_{kind}"]
        yield Pairing(
            sut, CAPACITY, metric.key, metric.name, metric.unit, "lower", "ratio",
            (here, there), None, "shown, not judged",
        )  # fmt: skip


def _capacity_costs(
    both: tuple[Results, Results], mine: Capacity, theirs: Capacity
) -> Iterator[tuple[str, Estimate, Estimate]]:
    sheet = both[0].prices
    spent = [at_capacity(found) for found in (mine, theirs)]
    if sheet is None or any(sheet.default not in fitting(sheet, [one]) for one in spent):
        return
    yield from zip(KINDS, *(priced(sheet.chosen, one) for one in spent), strict=True)
