"""``python -m reports reprice RUN``: other prices, the same measurements."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from pydantic import ValidationError
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.estimate import Estimate
from reports.frames import NotARun, open_run
from reports.page import write_page
from reports.prices import DEFAULT_FILE, PriceError, PriceSheet, read_prices
from reports.reprice import Repriced, repriced
from reports.results import measure_run
from reports.summary import write_summary
from reports.wording import DASH, interval, number

_MISTAKE = 2
_LOG_WIDTH = 140
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("run", type=_PATH)
@click.option("--prices", type=_PATH, help="a price sheet; scenarios/prices.toml")
@click.option("--price", help="the sheet's row; the sheet's own default")
def reprice(run: Path, prices: Path | None, price: str | None) -> None:
    """Price RUN anew: write its page at other prices, and show what they change.

    Nothing is measured again. Ends with 0, or 2 for a mistake.
    """
    try:
        directory, file = run.resolve(), prices or DEFAULT_FILE
        before, whence = used_before(directory)
        after = read_prices(file, price)
        results = measure_run(open_run(directory), after)
        rows = repriced(results, before or after, after, file)
        page = directory / "report.html"
        write_page(page, results)
        write_summary(page.with_name("summary.json"), results)
    except (NotARun, PriceError, OSError) as error:
        click.echo(f"reprice: {error}", err=True)
        sys.exit(_MISTAKE)
    console = Console(width=None if sys.stdout.isatty() else _LOG_WIDTH)
    say(console, f"before: {before.default if before else after.default}, {whence}")
    say(console, f"after: {after.default}, of {file}")
    console.print(table(rows))
    for note in _notes(rows):
        say(console, note)
    say(
        console,
        "USD per million good answers. Reserved is what a bill says: read it at capacity, or where "
        "a SUT is saturated; below, it says mostly how little was asked.",
    )
    click.echo(page)


def used_before(directory: Path) -> tuple[PriceSheet | None, str]:
    """The sheet that the run's summary was priced by, else the tracked one; and which that is."""
    try:
        recorded = json.loads((directory / "summary.json").read_text()).get("prices")
        if recorded:
            return PriceSheet.model_validate_json(json.dumps(recorded)), "as in its summary.json"
    except (OSError, ValueError, AttributeError, ValidationError):
        pass  # never priced, or by another version: the tracked sheet stands in
    if DEFAULT_FILE.is_file():
        return read_prices(), "the tracked sheet's default, for its summary names none"
    return None, "no other sheet is known"


def say(console: Console, text: str) -> None:
    """A line as it stands."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def table(rows: Sequence[Repriced]) -> Table:
    """Before and after, a SUT at a step or at its capacity a row."""
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("SUT", "Where"):
        found.add_column(name, no_wrap=True)
    for name in ("Reserved, before", "after", "Used, before", "after", "n"):
        found.add_column(name, justify="right")
    for row in rows:
        estimates = (*row.reserved, *row.used)
        cells = (row.sut, row.where, *map(_usd, estimates), str(row.n))
        found.add_row(*(Text(cell) for cell in cells))
    return found


def _usd(estimate: Estimate) -> str:
    if estimate.point is None:
        return DASH
    ends = interval(estimate, "USD")
    return f"{number(estimate.point)}\n{ends}" if ends else number(estimate.point)


def _notes(rows: Sequence[Repriced]) -> list[str]:
    """What each dash means."""
    estimates = (e for row in rows for e in (*row.reserved, *row.used))
    return sorted({f"{DASH}: {e.note}" for e in estimates if e.point is None and e.note})
