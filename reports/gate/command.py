"""``python -m reports gate`` and ``aa``: two sides compared, and an exit code."""

import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from architectures.catalog import CatalogError
from architectures.plugin import EnsembleError
from harness.environment import EnvironmentTooSmallError, now_utc, package_version
from harness.pairs.asked import Asked, SideError
from harness.pairs.default_baseline import default_baseline
from harness.pairs.player import PlayerError
from harness.pairs.record import GateRecord, SideName
from harness.pairs.section import GateSection
from harness.pairs.sides import CACHE, opened
from harness.run_directory import RunDirectory, free_folder
from harness.scenario_file import ScenarioError, read_scenario
from reports.frames import NotARun
from reports.gate import machine
from reports.gate.conclude import Shelf
from reports.gate.machine_record import DEFAULT_DIRECTORY
from reports.gate.measured import UnmeasuredError
from reports.gate.metrics import BY_KEY
from reports.gate.sequence import play_gate
from reports.gate.tables import terminal
from reports.gate.verdict import EXIT_ERROR, Verdict
from reports.gate.write import write_verdict
from workloads.meant import did_you_mean

_ERRORS = (
    CatalogError,
    EnsembleError,
    EnvironmentTooSmallError,
    NotARun,
    OSError,
    PlayerError,
    ScenarioError,
    SideError,
    UnmeasuredError,
)
_INTERRUPTED = 130
_LOG_WIDTH = 110
_WORKTREES = CACHE / "worktrees"
_PATH = click.Path(path_type=Path)


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """What `gate` and `aa` both take."""
    for option in (
        click.option("--junit", "junit_too", type=_PATH, help="write JUnit XML here too"),
        click.option("--markdown", "markdown_too", type=_PATH, help="append the Markdown here too"),
        click.option(
            "--machine",
            type=_PATH,
            default=DEFAULT_DIRECTORY,
            show_default=True,
            help="folder of the machines' A/A records",
        ),
        click.option("--only", multiple=True, help="the only METRIC that may fail; repeatable"),
        click.option("--margin", "margins", multiple=True, help="METRIC=SHARE; repeatable"),
        click.option(
            "--inconclusive", type=click.Choice(["fail", "warn"]), help="exit 3, or 0 and a warning"
        ),
        click.option("--install", help="shell command that installs a revision, in place of pip"),
        click.option("--out", type=_PATH, default=Path("runs"), help="folder of the gate's own"),
        click.option(
            "--seed",
            type=click.IntRange(0, 2**24 - 1),
            default=1,
            show_default=True,
            help="of order and load",
        ),
        click.option("--sut", help="ARCHITECTURE[:VARIANT], where the scenario names several"),
        click.argument("scenario", type=_PATH),
    ):
        command = option(command)
    return command


@click.command()
@_common
@click.option("--baseline", help="a git revision, sut=S, scenario=FILE or url=URL; see --help")
@click.option("--candidate", help="likewise; the working tree where absent")
@click.option("--restart-baseline", help="command that restarts the baseline's running service")
@click.option("--restart-candidate", help="likewise the candidate's")
def gate(
    scenario: Path,
    baseline: str | None,
    candidate: str | None,
    restart_baseline: str | None,
    restart_candidate: str | None,
    **options: Any,
) -> None:
    """Compare two sides by SCENARIO, pair by pair: is the candidate worse?

    A side is a git revision, `.` (the working tree), sut=ARCHITECTURE:VARIANT, scenario=FILE or
    url=URL. The baseline is what the working tree began from, unless it is named. Ends with 0
    pass, 1 regression, 2 error, 3 inconclusive, 4 unfit.
    """
    given: dict[SideName, str | None] = {
        "baseline": restart_baseline,
        "candidate": restart_candidate,
    }
    restart = {name: command for name, command in given.items() if command}

    def asked(sut: str | None) -> Asked:
        began = baseline
        if began is None and (candidate is None or "=" not in candidate):
            began = default_baseline(Path.cwd())
        return Asked.of(scenario, began, candidate, sut, restart)

    _in_words(asked, **options)


@click.command()
@_common
@click.option("--side", help="what is compared with itself; the working tree where absent")
def aa(scenario: Path, side: str | None, **options: Any) -> None:
    """Compare SCENARIO's SUT with itself, and keep what that says of this machine.

    A regression here is a false alarm. Every gate's verdict cites what such gates have shown.
    """
    _in_words(lambda sut: Asked.of(scenario, side, side, sut, identical=True), **options)


def _in_words(asked: Callable[[str | None], Asked], sut: str | None, **options: Any) -> None:
    """The edge where a gate's exceptions become words, and its verdict an exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        code = _compare(asked(sut), **options)
    except KeyboardInterrupt:
        click.echo("stopped; every process it had started has ended", err=True)
        sys.exit(_INTERRUPTED)
    except _ERRORS as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_ERROR)
    sys.exit(code)


def _compare(
    asked: Asked,
    *,
    out: Path,
    seed: int,
    install: str | None,
    machine: Path,
    markdown_too: Path | None,
    junit_too: Path | None,
    **changes: Any,
) -> int:
    console = Console(width=None if sys.stdout.isatty() else _LOG_WIDTH)
    scenario = read_scenario(asked.scenario)
    section = section_of(scenario.gate or GateSection(), asked.scenario, **changes)
    with opened(asked, _WORKTREES, install=install) as sides:
        folder = free_folder(out, f"gate-{scenario.name}", now_utc())
        folder.mkdir(parents=True)
        shutil.copyfile(asked.scenario, folder / "scenario.toml")
        RunDirectory(folder).be_latest()
        record = GateRecord(
            gate_id=folder.name,
            created_utc=now_utc().isoformat(timespec="seconds"),
            version=package_version(),
            name=scenario.name,
            kind="aa" if asked.identical else "gate",
            section=section,
            seed=seed,
            sides=(sides[0].record, sides[1].record),
        )
        console.print(f"{record.side('baseline').label} against {record.side('candidate').label}")
        verdict = play_gate(
            record,
            scenario,
            {side.record.name: side for side in sides},
            folder,
            shelf=Shelf(machine),
            say=lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True),
        )
    page = write_verdict(folder, verdict, markdown_too=markdown_too, junit_too=junit_too)
    show(console, verdict)
    console.print(f"page: {page}", soft_wrap=True)
    if verdict.kind == "aa":
        _keep(console, verdict, machine)
    click.echo(folder)
    return verdict.exit_code


def _keep(console: Console, verdict: Verdict, directory: Path) -> None:
    """Add an A/A gate to its machine's record, and say what that shows."""
    machine.record(verdict, directory)
    shown = machine.summary(directory, verdict.fingerprint)
    for line in (shown.words, *shown.skipped):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def show(console: Console, verdict: Verdict) -> None:
    """The verdict in a terminal."""
    console.print(terminal(verdict))
    for note in verdict.notes:
        console.print(f"note: {note}", soft_wrap=True, highlight=False, markup=False)
    console.print(verdict.words, style="bold", soft_wrap=True, highlight=False, markup=False)


def section_of(
    section: GateSection,
    source: Path,
    *,
    inconclusive: str | None = None,
    margins: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
) -> GateSection:
    """``[gate]`` with what the command line changes in it.

    Raises:
        ScenarioError: a metric that there is none, or a margin that is no share.
    """
    changed: dict[str, Any] = {"margins": {**section.margins, **dict(map(_margin, margins))}}
    if inconclusive is not None:
        changed["inconclusive"] = inconclusive
    if only:
        changed["only"] = only
    made = section.model_copy(update=changed)
    named: Mapping[str, str] = {
        **dict.fromkeys(made.margins, "margins"),
        **dict.fromkeys(made.informational, "informational"),
        **dict.fromkeys(made.only, "only"),
    }
    for key, where in named.items():
        if key not in BY_KEY:
            raise ScenarioError(
                f"{source}: gate.{where} names {key!r}{did_you_mean(key, BY_KEY)}, but a gate "
                f"judges by {', '.join(BY_KEY)}"
            )
    return made


def _margin(text: str) -> tuple[str, float]:
    key, _, share = text.partition("=")
    try:
        value = float(share)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ScenarioError(f"--margin {text}: is no METRIC=SHARE above 0, such as cpu_ms=0.1")
    return key, value
