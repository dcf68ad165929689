"""``python -m reports RUN``: make a run's page and summary, without load."""

import sys
from pathlib import Path

import click

from reports.effort.found import is_effort
from reports.effort.page import write_effort
from reports.frames import NotARun, open_run
from reports.page import write_page
from reports.prices import DEFAULT_FILE, PriceError, PriceSheet, read_prices
from reports.results import measure_run
from reports.summary import write_summary


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where the page goes; RUN/report.html")
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    help="A price sheet to price the run by; scenarios/prices.toml",
)
@click.option("--price", help="The sheet's row that the headline uses; the sheet's own default")
def main(run: Path, out: Path | None, prices: Path | None, price: str | None) -> None:
    """Make the page of RUN, a directory under runs/, and summary.json beside it."""
    try:
        page = report(run, out, price_sheet(prices, price))
    except (NotARun, PriceError, OSError) as error:
        print(f"reports: {error}", file=sys.stderr)
        sys.exit(2)
    print(page)


def price_sheet(prices: Path | None, price: str | None) -> PriceSheet | None:
    """The sheet asked for, or the tracked one; None where neither is there.

    Raises:
        PriceError: it cannot be used.
    """
    if prices is None and price is None and not DEFAULT_FILE.is_file():
        return None
    return read_prices(prices or DEFAULT_FILE, price)


def report(run: Path, out: Path | None = None, prices: PriceSheet | None = None) -> Path:
    """Read, measure, write; returns the page's path.

    Raises:
        NotARun: the directory cannot be read as a run.
        OSError: the page cannot be written.
    """
    directory = run.resolve()
    if is_effort(directory):
        return write_effort(directory, out)
    page = (out or directory / "report.html").resolve()
    results = measure_run(open_run(directory), prices)
    write_page(page, results)
    write_summary(page.with_name("summary.json"), results)
    return page


if __name__ == "__main__":
    main()
