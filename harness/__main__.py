"""The command line: ``python -m harness run | worker | effort | serve | web | list | check``."""

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from architectures import catalog
from architectures.catalog import CatalogError
from architectures.plugin import EnsembleError
from architectures.server_config import HOST
from architectures.spec import EnsembleChoice
from harness.disk import DiskFullError
from harness.drive import DriveError
from harness.effort.measure import run as measure_effort
from harness.environment import EnvironmentTooSmallError
from harness.expected import expected_s
from harness.hold import HeldError
from harness.in_process import InProcessFailedError
from harness.kept import DeployError
from harness.live.listen import ListenError, listen_on
from harness.live.session import asked_for, explore
from harness.manner import Manner, OnRequest, Pace
from harness.ports import NoFreePortError
from harness.prepare import recorded, resolve
from harness.resume import ResumeError
from harness.run import NothingPlayedError
from harness.run import resume as resume_run
from harness.run import run as run_scenario
from harness.scenario_file import ScenarioError, read_scenario, scenario_files
from harness.serve import Served, served, wait_until_it_ends
from harness.tags import TagError, tags_of
from harness.worker import Master, WorkerError, work
from workloads.arrivals import WorkloadError

_USER_ERRORS = (
    CatalogError,
    DeployError,
    DiskFullError,
    DriveError,
    EnsembleError,
    EnvironmentTooSmallError,
    HeldError,
    InProcessFailedError,
    ListenError,
    NoFreePortError,
    NothingPlayedError,
    ResumeError,
    ScenarioError,
    TagError,
    WorkerError,
    WorkloadError,
)
_FAILED, _INTERRUPTED = 2, 130
_LOG_WIDTH = 110
_SCENARIOS = Path("scenarios")


@click.group()
def main() -> None:
    """Compare serving architectures of one ensemble under open-loop load."""


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="run folder")
@click.option("--sut", "suts", multiple=True, help="run only this SUT; may be given again")
@click.option("--resume", type=click.Path(path_type=Path), help="go on with this run instead")
@click.option("--tag", "tags", multiple=True, help="word to find it by; may be given again")
@click.option("--no-ceiling", is_flag=True, help="do not measure the ensemble in-process too")
@click.option(
    "--on-request",
    is_flag=True,
    help="play a block for each line of standard input, and say so; for programs",
)
def run(
    scenario: Path | None,
    out: Path,
    suts: tuple[str, ...],
    resume: Path | None,
    tags: tuple[str, ...],
    *,
    no_ceiling: bool,
    on_request: bool,
) -> None:
    """Run SCENARIO, or go on with a run that was ended, and print its run directory."""
    manner = Manner(OnRequest(sys.stdin, sys.stdout) if on_request else Pace(), not no_ceiling)
    console = Console(stderr=on_request, width=None if sys.stdout.isatty() else _LOG_WIDTH)
    if resume is not None:
        if scenario is not None or suts or tags:
            raise click.UsageError(
                "--resume goes on with its own scenario, SUTs and tags; name no other"
            )
        print(resume_run(resume, console, manner).path)
        return
    if scenario is None:
        raise click.UsageError("name a SCENARIO file, or a run to go on with: --resume RUN")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{out} cannot be made ({error})", param_hint="--out") from error
    print(run_scenario(scenario, out, suts, console, manner, tags=tags_of(tags)).path)


@main.command()
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="run folder")
def effort(plan: Path, out: Path) -> None:
    """Measure what the deployments of PLAN take, and print their folder."""
    print(measure_effort(plan, out, Console(width=None if sys.stdout.isatty() else _LOG_WIDTH)))


@main.command()
@click.option("--master", required=True, help="HOST or HOST:PORT of the run, as seen from here")
@click.option("--wait-s", default=600.0, show_default=True, help="patience until a trial comes")
@click.option("--only", help="send load to this URL or to none; absent: to the run's")
def worker(master: str, wait_s: float, only: str | None) -> None:
    """Send part of the load of a run on another machine, until that run ends."""
    work(Master.parse(master), wait_s, only, partial(print, flush=True))


def sut_options(command: Callable[..., None]) -> Callable[..., None]:
    """What `serve` and `web` both ask: which SUT, with which ensemble, on how many cores."""
    for option in (
        click.option("--cores", default=1, show_default=True, help="cores the SUT is pinned to"),
        click.option("--search-path", multiple=True, help="folder that holds the module"),
        click.option("--graph", "graphs", multiple=True, help="serve only this one, too or first"),
        click.option("--tier", default="tiny", show_default=True),
        click.option("--ensemble", default="architectures.ensemble", show_default=True),
        click.argument("sut"),
    ):
        command = option(command)
    return command


def choice(
    ensemble: str, tier: str, search_path: tuple[str, ...], graphs: tuple[str, ...]
) -> EnsembleChoice:
    """The ensemble named on the command line; folders are relative to where one stands."""
    folders = tuple(str(Path(folder).resolve()) for folder in search_path)
    return EnsembleChoice(ensemble, tier, search_path=folders, graphs=graphs)


@main.command()
@sut_options
def serve(sut: str, cores: int, **asked: Any) -> None:
    """Deploy SUT (ARCHITECTURE or ARCHITECTURE:VARIANT) until Ctrl-C."""
    with served(sut, choice(**asked), cores) as up:
        introduce(up)
        wait_until_it_ends(up.deployment)


@main.command()
@sut_options
@click.option("--slo-ms", default=500.0, show_default=True, help="objective: response time, ms")
@click.option("--percentile", default=95.0, show_default=True, help="objective: of requests, in %")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="run folder")
@click.option("--host", default=HOST, show_default=True, help="where the page listens")
@click.option("--port", type=click.IntRange(1, 65535), help="and on which port; absent: a free one")
@click.option("--workers", default=1, show_default=True, help="processes that send load")
@click.option("--ceiling", is_flag=True, help="measure the ensemble in-process first")
@click.option("--tell", type=click.Path(path_type=Path), help="write the run's folder to this file")
def web(
    sut: str,
    *,
    cores: int,
    slo_ms: float,
    percentile: float,
    out: Path,
    host: str,
    port: int | None,
    workers: int,
    ceiling: bool,
    tell: Path | None,
    **asked: Any,
) -> None:
    """Deploy SUT and explore it in Locust's web UI until Ctrl-C; what is played there is a run."""
    listen = listen_on(host, port)
    wanted = asked_for(
        sut,
        choice(**asked),
        cores=cores,
        workers=workers,
        slo_ms=slo_ms,
        percentile=percentile,
    )

    def say(line: str) -> None:
        with suppress(OSError):  # a terminal that was closed must not cost what is being kept
            print(line, flush=True)

    def kept(run: Path) -> None:
        say(f"{run}\nits page: python -m reports {run}")
        if tell is not None:
            tell.write_text(str(run.resolve()))

    explore(wanted, out, listen, say, kept=kept, ceiling=ceiling)


def introduce(up: Served) -> None:
    """Say where a SUT is and how to ask it."""
    print(f"{up.sut} is ready after {up.deployment.start_up_s:.1f} s: {up.deployment.url}")
    print(f"try it: {up.curl}")
    if up.admin_curl:
        print(f"its admin API: {up.admin_curl}")
    print("Ctrl-C stops it", flush=True)


@main.command(name="list")
def list_() -> None:
    """List architectures with their variants, and scenarios."""
    for name in catalog.names():
        try:
            architecture = catalog.find(name)
        except CatalogError as error:
            print(f"{name}: {error}")
            continue
        print(f"{name}: {architecture.summary}")
        for variant in architecture.variants:
            print(f"    {name}:{variant.name}: {variant.summary}")
    for path in scenario_files(_SCENARIOS):
        scenario = read_scenario(path)
        print(f"{path} (about {expected_s(scenario) / 60:.0f} min): {scenario.summary}")


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
def check(scenario: Path) -> None:
    """Read SCENARIO and find every name in it, without starting anything."""
    resolved = resolve(read_scenario(scenario))
    recorded(resolved)
    load = resolved.scenario.load
    print(f"{scenario} can be run: {', '.join(resolved.suts)}")
    steps = len(load.offered()) + len(load.concurrency)
    search = ", then a capacity search each" if resolved.scenario.capacity else ""
    print(
        f"{load.blocks} blocks of {len(resolved.suts)} SUTs at {steps} load steps{search}: "
        f"about {expected_s(resolved.scenario) / 60:.0f} minutes; "
        f"SUT on cores {resolved.cores.sut}, load from cores {resolved.cores.harness}"
    )


def in_words() -> None:
    """The one edge where exceptions become words and exit codes."""
    # A closed terminal or a polite kill is an interrupt too: everything is stopped in order.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print("stopped; every process it had started has ended", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except _USER_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(_FAILED)


if __name__ == "__main__":
    in_words()
