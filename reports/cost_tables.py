"""Tables of money: every SUT's cost by every price row, and the rows themselves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.record import Step
from reports.answer import at
from reports.capacity import Capacity
from reports.cost import Spending, usd_energy, usd_reserved, usd_used
from reports.estimate import Estimate, Missing, Value, over_blocks
from reports.prices import Price, PriceSheet
from reports.results import Results
from reports.tables import Shown, Table, shown, swatch
from reports.trial_result import TrialResult
from reports.wording import DASH, listed


@dataclass(frozen=True, slots=True, eq=False)
class Spender:
    """A SUT, and what its trusted trials spent."""

    sut: str
    spent: Sequence[Spending]


def capacity_costs(results: Results) -> Table | None:
    """At capacity: USD per million good answers by every price row."""
    searched = (found for found in results.capacities if found.sut.answers)
    return _costs(results, "at capacity", [at_capacity(found) for found in searched])


def step_costs(results: Results, step: Step) -> Table | None:
    """At one load step: USD per million good answers by every price row."""
    cells = results.at(step.index)
    return _costs(results, at(step), [spender(cell.sut.key, cell.trusted) for cell in cells])


def at_capacity(found: Capacity) -> Spender:
    """What a SUT's confirming trials spent; nothing where a block has no capacity."""
    return spender(found.sut.key, [] if found.rps.point is None else found.confirming)


def spender(sut: str, trials: Sequence[TrialResult]) -> Spender:
    """What a SUT's trials spent, of those that were played."""
    return Spender(sut, [trial.spending for trial in trials if trial.spending is not None])


def _costs(results: Results, where: str, everyone: Sequence[Spender]) -> Table | None:
    """A row a price; SUTs without a figure are left out."""
    sheet, spenders = results.prices, [spender for spender in everyone if spender.spent]
    if sheet is None or not spenders:
        return None
    fit = fitting(sheet, spenders)
    rows = [
        [
            Shown(name, "of the headline" if name == sheet.default else ""),
            *(shown(e, "") for one in spenders for e in priced(sheet.price[name], one)),
        ]
        for name in fit
    ]
    if any(isinstance(one.gpu_j, float) for spender in spenders for one in spender.spent):
        rows.append([Shown("GPU energy alone"), *_energy(sheet, spenders)])
    head = [
        Shown(spender.sut, kind, swatch=swatch(results, spender.sut))
        for spender in spenders
        for kind in KINDS
    ]
    left_out = listed([name for name in sheet.price if name not in fit] or ["none"])
    note = (
        "USD without taxes, discounts or commitments. Rows left out, for they price a machine with "
        f"a GPU where this run had none, or the other way round: {left_out}."
    )
    caption = f"USD per million good answers, {where}"
    return Table(caption, [Shown("Price"), *head], rows, note, wide=True)


def fitting(sheet: PriceSheet, spenders: Sequence[Spender]) -> list[str]:
    """The rows that price a machine as the run's was: with a GPU, or without."""
    given = [one.reserved for spender in spenders for one in spender.spent]
    on_gpu = any(not isinstance(one, Missing) and one.gpus for one in given)
    return [name for name, row in sheet.price.items() if on_gpu == (row.gpu_hour_usd is not None)]


KINDS = ("reserved", "used")
_FORMULAS: tuple[Callable[[Spending, Price], Value], ...] = (usd_reserved, usd_used)


def priced(price: Price, spender: Spender) -> Iterator[Estimate]:
    """USD per million good answers of each of :data:`KINDS`."""
    for formula in _FORMULAS:
        yield over_blocks([formula(one, price) for one in spender.spent], "log")


def _energy(sheet: PriceSheet, spenders: Sequence[Spender]) -> Iterator[Shown]:
    for spender in spenders:
        yield Shown("")
        joules = [usd_energy(one, sheet.energy) for one in spender.spent]
        yield shown(over_blocks(joules, "log"), "")


def prices(results: Results) -> Table | None:
    """The price sheet as it was used."""
    sheet = results.prices
    if sheet is None:
        return None
    rows = [
        [
            Shown(name),
            Shown(f"{row.cloud}, {row.product}, {row.region}", tone="text"),
            *map(_usd, (row.vcpu_hour_usd, row.gib_hour_usd, row.gpu_hour_usd)),
            Shown(row.as_of.isoformat(), row.checked or "not compared with its list again"),
            Shown(str(row.source), tone="text"),
        ]
        for name, row in sheet.price.items()
    ]
    head = [
        Shown("Price"),
        Shown("Of", tone="text"),
        Shown("vCPU-hour", "USD"),
        Shown("GiB-hour", "USD"),
        Shown("GPU-hour", "USD"),
        Shown("As of"),
        Shown("Public list", tone="text"),
    ]
    energy = sheet.energy
    note = (
        f"Prices change: edit scenarios/prices.toml, or give another sheet with --prices. Energy "
        f"at {energy.usd_per_kwh:g} USD per kWh, {energy.assumption}."
    )
    return Table("The prices", head, rows, note, wide=True)


def _usd(price: float | None) -> Shown:
    return Shown(DASH, tone="muted") if price is None else Shown(f"{price:.10g}")
