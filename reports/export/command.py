"""``python -m reports export``: a run's figures for other tools."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import click
import pyarrow as pa

from reports.export.kinds import WHATS, Exportable, exportable
from reports.export.sheet import ExportError, Sheet
from reports.export.write import Writer, as_csv, as_json, as_parquet, destination, document, text
from reports.frames import NotARun
from reports.gate.measured import UnmeasuredError
from reports.prices import PriceError
from reports.wording import listed

Format: TypeAlias = Literal["csv", "parquet", "json", "markdown"]

_MISTAKE = 2
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv", ".parquet": "parquet", ".json": "json", ".md": "markdown"
}  # fmt: skip
_SHEETS: dict[Format, Callable[[Sheet], Writer]] = {
    "csv": as_csv, "parquet": as_parquet, "json": as_json
}  # fmt: skip


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "json", "markdown"]),
    help="By default what the name of --out says, or csv.",
)
@click.option("--what", type=click.Choice(WHATS), help="Of a run: estimates by default.")
@click.option("--out", type=click.Path(path_type=Path), help="A file; standard output by default.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def export(
    run: Path, form: Format | None, what: str | None, out: Path | None, *, force: bool
) -> None:
    """Export RUN: long tables as CSV, Parquet or JSON; the whole as JSON; a headline as Markdown.

    Of a run: estimates, trials, comparisons, or samples, one row a request. JSON without --what is
    summary.json. Of an effort record: estimates, deployments. Of a gate: rulings, pairs.
    """
    context = click.get_current_context()
    try:
        write = _writer(exportable(run.resolve()), _chosen(form, out), what)
        with destination(out, force=force) as file:
            write(file)
    except (ExportError, NotARun, PriceError, UnmeasuredError) as error:
        click.echo(f"export: {error}", err=True)
        context.exit(_MISTAKE)
    except pa.ArrowInvalid as error:
        click.echo(f"export: what {run} recorded is damaged: {error}; restore it", err=True)
        context.exit(_MISTAKE)
    if out is not None:
        click.echo(out)


def _chosen(form: Format | None, out: Path | None) -> Format:
    """The format asked for, or that of the file's name, or CSV."""
    chosen = form or _BY_SUFFIX.get(out.suffix if out else "", "csv")
    if chosen == "parquet" and out is None:
        raise ExportError("Parquet is not text: name a file for it by --out FILE")
    return chosen


def _writer(found: Exportable, form: Format, what: str | None) -> Writer:
    """How what is asked for is written.

    Raises:
        ExportError: there is no such thing; what there is, is named.
    """
    if what is not None and what not in found.sheets:
        raise ExportError(f"{found.noun} has no {what}; it exports {listed(list(found.sheets))}")
    if form == "markdown":
        return text(_markdown(found, what))
    if form == "json" and what is None:
        return document(found.whole())
    name = what or next(iter(found.sheets))
    if form == "json" and name in found.streamed:
        raise ExportError(f"{name} may be millions: they export as csv or parquet, not as json")
    return _SHEETS[form](found.sheets[name]())


def _markdown(found: Exportable, what: str | None) -> str:
    if found.markdown is None:
        raise ExportError(f"{found.noun} exports as csv, parquet or json, not as markdown")
    if what is not None:
        raise ExportError(
            f"markdown is the headline, in which {what} are not told apart; leave --what out, or "
            "take csv, parquet or json"
        )
    return found.markdown()
