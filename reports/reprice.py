"""A run priced anew: what its good answers cost before and after, with nothing measured again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.answer import at
from reports.cost_tables import Spender, at_capacity, fitting, priced, spender
from reports.estimate import Estimate
from reports.prices import PriceError, PriceSheet
from reports.results import Results


@dataclass(frozen=True, slots=True)
class Repriced:
    """One SUT at one load step, or at its capacity: USD per million good answers.

    Attributes:
        reserved / used: before and after.
    """

    sut: str
    where: str
    reserved: tuple[Estimate, Estimate]
    used: tuple[Estimate, Estimate]

    @property
    def n(self) -> int:
        """Blocks they rest on."""
        return max(self.reserved[1].n, self.used[1].n)


def repriced(results: Results, before: PriceSheet, after: PriceSheet, file: Path) -> list[Repriced]:
    """Price every SUT that answers by the default row of both sheets.

    Args:
        results: of ``measure_run``.
        before: what the run was priced by.
        after: what it is to be priced by.
        file: the sheet of ``after``, to be named where it does not do.

    Raises:
        PriceError: the row prices another kind of machine than the run's, or no figure of the run
            can be priced.
    """
    places = list(_places(results))
    _check_row(after, file, [one for _, one in places])
    found = [_at(where, one, before, after) for where, one in places]
    if all(one.reserved[1].point is None and one.used[1].point is None for one in found):
        notes = {e.note for one in found for e in (one.reserved[1], one.used[1]) if e.note}
        why = "; ".join(sorted(notes)) or "no trial can be trusted"
        raise PriceError(
            f"{results.run.directory}: no figure of this run has a price ({why}); price a run "
            "whose SUTs gave good answers and whose [budget] is recorded"
        )
    return found


def _places(results: Results) -> Iterator[tuple[str, Spender]]:
    for found in results.capacities:
        if found.sut.answers:
            yield "at capacity", at_capacity(found)
    for cell in results.cells:
        if cell.sut.answers:
            yield at(cell.step), spender(cell.sut.key, cell.trusted)


def _check_row(sheet: PriceSheet, file: Path, spenders: Sequence[Spender]) -> None:
    spent = [one for one in spenders if one.spent]
    fit = fitting(sheet, spent)
    if not spent or sheet.default in fit:
        return
    has, had = ("no GPU", "one") if sheet.chosen.gpu_hour_usd is None else ("a GPU", "none")
    others = f"rows that do are {', '.join(fit)}" if fit else "no row of this sheet does"
    raise PriceError(
        f"{file}: price.{sheet.default} is of a machine with {has}, and the run had {had}, so it "
        f"does not price it; {others}: name one with --price, or another sheet with --prices"
    )


def _at(where: str, one: Spender, before: PriceSheet, after: PriceSheet) -> Repriced:
    then, now = (tuple(priced(sheet.chosen, one)) for sheet in (before, after))
    return Repriced(one.sut, where, (then[0], now[0]), (then[1], now[1]))
