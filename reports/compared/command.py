"""``python -m reports compare A B``: two runs of different times, read beside each other."""

import sys
from pathlib import Path

import click
from rich.console import Console

from harness.durable import write_durably
from harness.pairs.asked import SideError
from reports.compared.conclude import NotComparableError, compare_runs
from reports.compared.margins import margins_of
from reports.compared.markdown import markdown
from reports.compared.page import render
from reports.compared.record import (
    COMPARED_FILE,
    EXIT_COMPARED,
    EXIT_MISTAKE,
    EXIT_NOT_COMPARABLE,
    Compared,
)
from reports.compared.sides import Chosen, CompareError, ask_git, choose
from reports.compared.terminal import show
from reports.frames import NotARun, open_run
from reports.prices import PriceError, PriceSheet, price_sheet
from reports.results import Results, measure_run

PAGE, MARKDOWN = "compared.html", "compared.md"
_LOG_WIDTH = 130
_PATH = click.Path(path_type=Path)
_MISTAKES = (CompareError, NotARun, OSError, PriceError, SideError)


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--runs", type=_PATH, default=Path("runs"), show_default=True,
              help="where the runs of a revision are looked for")  # fmt: skip
@click.option("--scenario", help="of a revision, only runs of the scenario of this NAME")
@click.option("--margin", "margins", multiple=True,
              help="a change that is none: SHARE, or METRIC=SHARE; repeatable")  # fmt: skip
@click.option("--anyway", is_flag=True,
              help="show runs side by side that may not be compared, without a word")  # fmt: skip
@click.option("--prices", type=_PATH, help="a price sheet for both; scenarios/prices.toml")
@click.option("--price", help="the sheet's row; the sheet's own default")
@click.option("--out", type=_PATH, help="folder of the page; RUNS/compare/A-B")
def compare(
    a: str,
    b: str,
    *,
    runs: Path,
    scenario: str | None,
    margins: tuple[str, ...],
    anyway: bool,
    prices: Path | None,
    price: str | None,
    out: Path | None,
) -> None:
    """Compare A, the baseline, with B: two run directories, or two git revisions that have runs.

    For reading; to decide, use a gate. Ends with 0 compared, 2 a mistake, 4 not comparable.
    """
    try:
        asked = margins_of(margins)
        chosen = choose((a, b), runs, scenario, ask_git)
        sheet = price_sheet(prices, price)
        results = (_measured(chosen[0], sheet), _measured(chosen[1], sheet))
        compared = compare_runs(chosen, results, asked, anyway=anyway)
        folder = out or runs / "compare" / f"{chosen[0].path.name}-{chosen[1].path.name}"
        page = write(folder, compared)
    except NotComparableError as refused:
        click.echo(refused, err=True)
        sys.exit(EXIT_NOT_COMPARABLE)
    except _MISTAKES as error:
        click.echo(f"compare: {error}", err=True)
        sys.exit(EXIT_MISTAKE)
    show(Console(width=None if sys.stdout.isatty() else _LOG_WIDTH), compared)
    click.echo(page)
    sys.exit(EXIT_COMPARED)


def _measured(chosen: Chosen, sheet: PriceSheet | None) -> Results:
    return measure_run(open_run(chosen.path), sheet)


def write(folder: Path, compared: Compared) -> Path:
    """Write the page, its numbers and its Markdown; returns the page's path.

    Raises:
        OSError: one of them cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / COMPARED_FILE, compared.model_dump_json(indent=1))
    write_durably(folder / MARKDOWN, markdown(compared))
    page = (folder / PAGE).resolve()
    write_durably(page, render(compared))
    return page
