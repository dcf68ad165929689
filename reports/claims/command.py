"""``python -m reports claims``: what is said, judged by what was recorded."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from harness.durable import write_durably
from reports.claims import phrases
from reports.claims.checks import Hypothesis, check
from reports.claims.judge import judge
from reports.claims.markdown import MARKDOWN, markdown
from reports.claims.missing import missing
from reports.claims.page import PAGE, write_page
from reports.claims.record import CLAIMS_FILE, Claims, read_claims
from reports.claims.shelf import Shelf
from reports.claims.terminal import terminal
from reports.claims.written import Claim, ClaimError, claim_files, read_claim
from reports.prices import PriceError, price_sheet

_MISTAKE = 2
_WIDTH = 120
_PATH = click.Path(path_type=Path)
_RUNS, _OUT = Path("runs"), Path("runs/claims")
_REPORT = "report.html"


@click.command()
@click.argument("files", nargs=-1, type=_PATH, metavar="[CLAIM.toml]...")
@click.option(
    "--runs",
    type=_PATH,
    help="folder of recorded runs, of whatever machine; this machine's in runs",
)
@click.option("--out", type=_PATH, default=_OUT, show_default=True, help="folder of the page")
@click.option("--missing", "only_missing", is_flag=True, help="only say which scenarios to run")
@click.option("--from", "source", type=_PATH, help="a claims.json, instead of judging anew")
@click.option(
    "--markdown", "as_markdown", is_flag=True, help="print Markdown for docs/claims, write nothing"
)
def claims(
    files: tuple[Path, ...],
    runs: Path | None,
    out: Path,
    source: Path | None,
    *,
    only_missing: bool,
    as_markdown: bool,
) -> None:
    """Judge claims (scenarios/claims/*.toml) by recorded runs: never runs load.

    Each is supported, refuted, inconclusive or not tested. Writes claims.html, claims.json and
    claims.md. --missing prints what to run, `run FILE` or `effort FILE` a line, for `python -m
    harness`; what this machine cannot run it says on standard error.
    """
    if source is not None and (files or only_missing):
        raise click.UsageError("--from shows what was judged; name no claims, and not --missing")
    try:
        if only_missing:
            _say_missing(_claims(files), _shelf(runs))
        elif as_markdown:
            click.echo(markdown(_judged(files, runs, source), document=True), nl=False)
        else:
            _write(out, runs or _RUNS, _judged(files, runs, source))
    except (ClaimError, PriceError, OSError) as error:
        click.echo(f"claims: {error}", err=True)
        click.get_current_context().exit(_MISTAKE)


def _claims(files: Sequence[Path]) -> list[tuple[Claim, tuple[Hypothesis, ...]]]:
    """Every claim with its hypotheses; mistakes of all files are told at once."""
    found, mistakes = [], []
    for path in files or claim_files():
        try:
            claim = read_claim(path)
            found.append((claim, check(claim)))
        except ClaimError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ClaimError("\n".join(mistakes))
    keys = [claim.key for claim, _ in found]
    for key in keys:
        if keys.count(key) > 1:
            raise ClaimError(
                f"two files are called {key}.toml; a claim is known by its file's name"
            )
    return found


def _shelf(runs: Path | None) -> Shelf:
    """The folder named, whatever machine its runs are of; by default this machine's.

    Raises:
        ClaimError: the folder that was named is not there.
    """
    if runs is not None and not runs.is_dir():
        raise ClaimError(f"--runs {runs}: is no folder; name the one that holds recorded runs")
    return Shelf(runs or _RUNS, anywhere=runs is not None, prices=price_sheet())


def _judged(files: Sequence[Path], runs: Path | None, source: Path | None) -> Claims:
    return read_claims(source) if source is not None else judge(_claims(files), _shelf(runs))


def _say_missing(claims: Sequence[tuple[Claim, Sequence[Hypothesis]]], shelf: Shelf) -> None:
    found = missing((one for _, hypotheses in claims for one in hypotheses), shelf)
    for evidence in found.here:
        click.echo(f"{evidence.kind} {evidence.near}")
    for evidence in found.elsewhere:
        click.echo(
            f"claims: {evidence.near} {evidence.lacking}: skipped, what it would test stays not "
            "tested",
            err=True,
        )


def _write(out: Path, runs: Path, judged: Claims) -> None:
    out.mkdir(parents=True, exist_ok=True)
    page = (out / PAGE).resolve()
    write_durably(out / CLAIMS_FILE, judged.model_dump_json(indent=1))
    write_durably(out / MARKDOWN, markdown(judged))
    write_page(page, judged, links(judged, runs, page.parent))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    console.print(terminal(judged))
    console.print(phrases.tally(judged), highlight=False)
    console.print(phrases.chance(judged), highlight=False, style="dim")
    click.echo(page)


def links(judged: Claims, runs: Path, start: Path) -> Mapping[str, str]:
    """Run -> its page, relative to ``start``; its folder where no page was made."""
    found = {}
    for run in judged.runs:
        folder = runs.resolve() / run.run_id
        target = folder / _REPORT if (folder / _REPORT).is_file() else folder
        if folder.is_dir():
            found[run.run_id] = os.path.relpath(target, start)
    return found
