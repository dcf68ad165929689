"""``python -m reports RUN | gate | aa | baselines``: pages of what was recorded, and verdicts."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.console import Console

from harness.pairs.record import is_gate
from reports.answer import answer
from reports.claims.command import claims
from reports.compared.command import compare
from reports.effort.found import is_effort
from reports.effort.page import write_effort
from reports.export.command import export
from reports.frames import NotARun, open_run
from reports.gate.command import aa, gate
from reports.gate.conclude import Shelf
from reports.gate.machine_record import DEFAULT_DIRECTORY
from reports.gate.measured import UnmeasuredError
from reports.gate.sequence import judge_again
from reports.gate.write import write_verdict
from reports.page import write_page
from reports.prices import PriceError, PriceSheet, price_sheet
from reports.ranking import Sentence
from reports.reprice_command import reprice
from reports.results import measure_run
from reports.shelf.command import index, tag
from reports.stored.command import baselines
from reports.summary import write_summary


class _PageUnlessNamed(click.Group):
    """A group whose first word may be a run's folder: its page is what one wants most."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named, or ``page`` of what is named."""
        known = args and args[0] in self.commands
        return super().resolve_command(ctx, args if known else ["page", *args])


@click.group(cls=_PageUnlessNamed)
def main() -> None:
    """Make pages of what was recorded, and judge it. RUN alone makes RUN's page."""


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where the page goes; RUN/report.html")
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    help="A price sheet to price the run by; scenarios/prices.toml",
)
@click.option("--price", help="The sheet's row that the headline uses; the sheet's own default")
def page(run: Path, out: Path | None, prices: Path | None, price: str | None) -> None:
    """Make the page of RUN, a directory under runs/, and summary.json beside it."""
    try:
        print(report(run, out, price_sheet(prices, price), spoken))
    except (NotARun, PriceError, UnmeasuredError, OSError) as error:
        print(f"reports: {error}", file=sys.stderr)
        sys.exit(2)


def spoken(sentences: Sequence[Sentence]) -> None:
    """The page's answer and its cautions, for who reads no page; standard output has its path."""
    console = Console(stderr=True)
    for sentence in sentences:
        style = "yellow" if sentence.kind == "caution" else None
        console.print(sentence.text, style=style, highlight=False, markup=False)


def report(
    run: Path,
    out: Path | None = None,
    prices: PriceSheet | None = None,
    say: Callable[[Sequence[Sentence]], None] = lambda _: None,
) -> Path:
    """Read, measure, write; returns the page's path.

    Args:
        run: the run's folder, or that of effort or of a gate.
        out: the page; absent, it lies in that folder.
        prices: what the run's resources cost.
        say: told what the page says first, of a run.

    Raises:
        NotARun: the directory cannot be read as a run.
        OSError: the page cannot be written.
    """
    directory = run.resolve()
    if is_effort(directory):
        return write_effort(directory, out)
    if is_gate(directory):
        return write_verdict(directory, judge_again(directory, Shelf(DEFAULT_DIRECTORY)), page=out)
    page = (out or directory / "report.html").resolve()
    results = measure_run(open_run(directory), prices)
    write_page(page, results)
    write_summary(page.with_name("summary.json"), results)
    say(answer(results))
    return page


for command in (gate, aa, baselines, compare, reprice, claims, index, tag, export):
    main.add_command(command)


if __name__ == "__main__":
    main()
