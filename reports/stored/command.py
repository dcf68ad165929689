"""``python -m reports baselines``: store runs, hold a new one against them, show the history."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from reports.frames import NotARun, open_run
from reports.results import measure_run
from reports.stored.check import EXIT_CODES, Checked, check
from reports.stored.export import CONFIG, export
from reports.stored.figures import Unstorable, stored_run
from reports.stored.history import standing
from reports.stored.page import PAGE, write_history
from reports.stored.record import StoredRun
from reports.stored.store import DEFAULT_STORE, Store, StoreError, add, read_store
from reports.wording import plural

Command = TypeVar("Command", bound=Callable[..., Any])

_MISTAKE = 2
_RUN = click.argument("run", type=click.Path(path_type=Path))
_STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=DEFAULT_STORE,
    show_default=True,
    help="The folder of stored runs.",
)


def _in_words(command: Command) -> Command:
    """Mistakes end in words: 2 for what cannot be read or written, 4 for a run that is unfit."""

    @wraps(command)
    def safe(*args: Any, **kwargs: Any) -> None:
        context = click.get_current_context()
        try:
            command(*args, **kwargs)
        except (NotARun, StoreError) as error:
            click.echo(f"baselines: {error}", err=True)
            context.exit(_MISTAKE)
        except Unstorable as error:
            click.echo(f"baselines: not comparable: {error}", err=True)
            context.exit(EXIT_CODES["not comparable"])

    return safe  # type: ignore[return-value]


@click.group()
def baselines() -> None:
    """Stored runs: what this machine has shown, and whether a new run is far outside of it."""


@baselines.command("add")
@_RUN
@_STORE
@_in_words
def add_command(run: Path, store: Path) -> None:
    """Store the figures of RUN, a directory under runs/."""
    added = add(store, _measured(run))
    click.echo(added.path if added.new else f"{added.path} holds this run already")


@baselines.command("check")
@_RUN
@_STORE
@click.option(
    "--inconclusive",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="What an inconclusive check ends with: 3, or 0 and a warning.",
)
@_in_words
def check_command(run: Path, store: Path, inconclusive: Literal["fail", "warn"]) -> None:
    """Hold RUN against the stored runs: gross changes only, 1 if there is one.

    0 within what this machine has shown, 1 gross change, 2 mistake, 3 inconclusive, 4 not
    comparable.
    """
    measured, known = _measured(run), _opened(store)
    found = check(measured, known.runs, inconclusive)
    _say(found, inconclusive)
    click.get_current_context().exit(found.exit_code)


@baselines.command("list")
@_STORE
@_in_words
def list_command(store: Path) -> None:
    """List the stored runs, oldest first, and how each stands to the newest."""
    known = _opened(store)
    for run in known.runs:
        mark, why = standing(run, known.runs[-1])
        reason = f": {why[0]}" if why else ""
        click.echo(
            f"{run.created:%Y-%m-%d %H:%M}  {run.revision[:12]}  {run.run_id}  {mark}{reason}"
        )
    click.echo(f"{plural(len(known.runs), 'stored run')} in {store}")


@baselines.command("page")
@_STORE
@click.option("--out", type=click.Path(path_type=Path), help=f"Where it goes; {PAGE}")
@_in_words
def page_command(store: Path, out: Path | None) -> None:
    """Make the history page."""
    click.echo(write_history(_opened(store), out))


@baselines.command("export")
@_STORE
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder for them.")
@_in_words
def export_command(store: Path, out: Path) -> None:
    """Write the history as CSV, and a configuration for Apache Otava."""
    done = export(_opened(store), out)
    for path in done.files:
        click.echo(path)
    if done.left_out:
        click.echo(f"{plural(done.left_out, 'run')} left out: not comparable with the newest")
    click.echo(f"{plural(done.runs, 'run')}; {done.directory / CONFIG} configures Otava")


def _measured(run: Path) -> StoredRun:
    return stored_run(measure_run(open_run(run.resolve())))


def _opened(store: Path) -> Store:
    """The store; what it leaves out is named at once."""
    known = read_store(store)
    for one in known.skipped:
        click.echo(f"baselines: left out {store / one.file}: {one.why}", err=True)
    return known


def _say(found: Checked, inconclusive: str) -> None:
    for row in found.rows:
        held = row.held
        click.echo(f"{held.sut} at {held.step}, {held.metric.name}: {row.says}")
    click.echo(f"{found.outcome}: {found.words}")
    if found.outcome == "inconclusive":
        click.echo(f"--inconclusive {inconclusive}: this ends with {found.exit_code}")
