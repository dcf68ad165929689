"""``python -m reports index`` and ``tag``: search the shelf, and say what a run is found by."""

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from harness.tags import TagError
from reports.frames import NotARun
from reports.gate.measured import UnmeasuredError
from reports.prices import PriceError
from reports.shelf.entry import Entry
from reports.shelf.fresh import lacking, make
from reports.shelf.page import write_index
from reports.shelf.read import INDEX, ShelfError, entry_of, read_shelf
from reports.shelf.tags import retag
from reports.shelf.terminal import counted, shelf_table
from reports.shelf.wanted import Wanted, missed

Command = TypeVar("Command", bound=Callable[..., Any])

_MISTAKE = 2
_MOST = 40
_WIDTH = 100
RUNS = Path("runs")


def _in_words(command: Command) -> Command:
    """Mistakes end in words and 2."""

    @wraps(command)
    def safe(*args: Any, **kwargs: Any) -> None:
        context = click.get_current_context()
        try:
            command(*args, **kwargs)
        except (ShelfError, TagError) as error:
            click.echo(f"{context.info_name}: {error}", err=True)
            context.exit(_MISTAKE)

    return safe  # type: ignore[return-value]


@click.command()
@click.argument("runs", type=click.Path(path_type=Path), default=RUNS)
@click.option("--tag", "tags", multiple=True, help="Only what bears this tag; again: this one too.")
@click.option("--scenario", "scenarios", multiple=True, help="Only of this; again: or of that.")
@click.option(
    "--architecture",
    "architectures",
    multiple=True,
    help="Only with this one, or this architecture:variant; again: and that one.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Only from this date on, UTC.",
)
@click.option("--limit", type=click.IntRange(min=0), default=_MOST, show_default=True,
              help="Rows in the terminal; the page has all of them.")  # fmt: skip
@click.option("--fresh", is_flag=True, help="First make the pages that are missing; reads samples.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the page goes; RUNS/index.html")
@_in_words
def index(runs: Path, limit: int, out: Path | None, *, fresh: bool, **asked: Any) -> None:
    """List what lies in RUNS, newest first, and make its page, which can be searched.

    The page holds everything; a search is in its link.
    """
    wanted = Wanted(**asked)
    entries = read_shelf(runs)
    found = [entry for entry in entries if wanted.has(entry)]
    if fresh:
        _freshen(runs, found)
        entries = read_shelf(runs)
        found = [entry for entry in entries if wanted.has(entry)]
    for hint in missed(wanted, entries):
        click.echo(hint, err=True)
    _show(found[:limit])
    click.echo(counted(min(limit, len(found)), len(found), len(entries)))
    if any(lacking(entry) for entry in found):
        click.echo("python -m reports RUN makes a page; index --fresh makes all that are missing")
    click.echo(f"{write_index(out or runs / INDEX, runs, entries)}{wanted.fragment()}")


def _show(entries: Sequence[Entry]) -> None:
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    if entries:
        console.print(shelf_table(entries))


def _freshen(runs: Path, entries: Sequence[Entry]) -> None:
    """Make what is missing; what cannot be made is named, and costs no other."""
    for entry in filter(lacking, entries):
        click.echo(f"making the page of {entry.name}", err=True)
        try:
            make(runs / entry.name)
        except (NotARun, PriceError, UnmeasuredError, OSError) as error:
            click.echo(f"index: {entry.name} has no page: {error}", err=True)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("orders", nargs=-1, type=click.UNPROCESSED, metavar="[+WORD | -WORD]...")
@_in_words
def tag(run: Path, orders: tuple[str, ...]) -> None:
    """Give RUN a tag (+WORD) or take one away (-WORD), and print those it has.

    They lie in tags.json beside its record, which stays as it was measured.
    """
    folder = run.resolve()
    entry_of(folder, folder.parent)  # one of ours, before anything is written in it
    if orders:
        _retag(folder, orders)
    entry = entry_of(folder, folder.parent)
    if entry.doubt:
        click.echo(f"tag: {entry.doubt}", err=True)
    click.echo(" ".join(entry.tags) or "no tags")


def _retag(folder: Path, orders: Sequence[str]) -> None:
    try:
        retag(folder, orders)
    except OSError as error:
        raise ShelfError(f"{folder} cannot be written to: {error.strerror}") from error
