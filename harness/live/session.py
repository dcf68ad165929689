"""A web session from its command line to its end: prepare, deploy, open the page, keep, leave."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from architectures import catalog
from architectures.catalog import CatalogError
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice
from harness.backends import standing
from harness.bench import Bench
from harness.capacity.verdict import Objective
from harness.disk import full_in_words, payload_bytes, require
from harness.environment import now_utc, pinned
from harness.hold import held
from harness.live.asked import NAME, Asked
from harness.live.attempts import Attempts
from harness.live.board import Board
from harness.live.inside import Inside
from harness.live.listen import PASSWORD_VARIABLE, Listen
from harness.live.play import Player, Say, asking
from harness.live.ready import prepare
from harness.live.tabs import nothing_yet
from harness.live.ui import PANELS, web_ui
from harness.live.watching import Watching
from harness.prepare import (
    Resolved,
    resolve,
)
from harness.remote import is_remote
from harness.run_directory import RunDirectory
from harness.subject import Deployed, Subject, deployed
from harness.usage import GENERATOR, Target
from workloads.panels import write_panels


def explore(
    asked: Asked,
    out: Path,
    listen: Listen,
    say: Say,
    *,
    kept: Callable[[Path], None] = lambda _: None,
    ceiling: bool = False,
) -> None:
    """Deploy a SUT and open Locust's web UI over it, until somebody asks for the end.

    Args:
        asked: what the command line says.
        out: the folder in which to make the run's own.
        listen: where the page listens.
        say: for the person at the terminal.
        kept: told the run's folder at the end, however it came; not where nothing was started, for
            then nothing is kept.
        ceiling: measure the ensemble in-process too, before the page is opened.

    Raises:
        CatalogError, EnsembleError, EnvironmentTooSmallError, ScenarioError, DiskFullError: it
            cannot be explored as asked.
        InProcessFailedError, DeployError: the ensemble or the SUT did not come up, or a component
            of it ended.
        DriveError: the page did not come up, or Locust ended.
    """
    scenario = asked.scenario()
    resolved = resolve(scenario)
    out.mkdir(parents=True, exist_ok=True)
    needed_bytes = payload_bytes(scenario)
    require(out, needed_bytes)
    directory = _made(asked, out)
    try:
        with (
            full_in_words(directory.path, lambda: needed_bytes),
            held(directory.hold),
            pinned(resolved.cores),
            standing(scenario, resolved.cores.harness, directory.logs) as backends,
        ):
            prepared = prepare(resolved, directory, backends, say, ceiling=ceiling)
            with _up(resolved, prepared.bench, say) as subject:
                run = Attempts(resolved, prepared.bench, prepared.ceiling, prepared.best_batch)
                _open(subject, run, resolved.ensemble.GRAPHS, listen, say)
    finally:
        directory.discard_if_empty()
        if directory.begun():
            kept(directory.path)
    if not directory.begun():
        say("nothing was started, so nothing is kept")


def asked_for(
    sut: str,
    choice: EnsembleChoice,
    *,
    cores: int,
    workers: int,
    slo_ms: float,
    percentile: float,
) -> Asked:
    """What the command line says, its names found.

    Raises:
        CatalogError: an architecture or variant that is not there, or one that runs elsewhere.
        EnsembleError: an ensemble, tier or graph that is not there.
    """
    if is_remote(sut):
        raise CatalogError(
            "a remote service runs already, and a page that anybody may click at is no way to load "
            "it: write a scenario (docs/remote.md)"
        )
    architecture, variant = catalog.parse(sut)
    graph = next(iter(load_ensemble(choice).GRAPHS))
    key = f"{architecture.name}:{variant.name}"
    return Asked(key, choice, graph, cores, slo_ms, percentile, workers)


def _made(asked: Asked, out: Path) -> RunDirectory:
    with TemporaryDirectory() as scratch:
        path = Path(scratch, "scenario.toml")
        path.write_text(asked.toml(), encoding="utf-8")
        name = f"{NAME}-{asked.sut.partition(':')[0]}"
        return RunDirectory.create(out, name, now_utc(), path)


@contextmanager
def _up(resolved: Resolved, bench: Bench, say: Say) -> Iterator[Subject]:
    """The SUT, up and asked whether it answers right."""
    ((key, sut),) = resolved.suts.items()
    say(f"starting {key}")
    with deployed(bench, sut, bench.directory.logs) as subject:
        running = subject.running
        say(f"{key} is ready after {running.start_up_s:.1f} s: {running.url}")
        say(_checked(subject))
        yield subject


def _checked(subject: Subject) -> str:
    checked = subject.checked
    if not subject.answers:
        return "it computes nothing, so its answers are not checked"
    if checked.different:
        return (
            f"{checked.different} of {checked.count} answers differ from the reference: no attempt "
            f"can be trusted; first: {checked.first}"
        )
    if not checked.count:
        return "its answers vary by design, so they are not compared"
    return f"{checked.count} answers equal the reference; under load, every 10th is checked"


def _open(
    subject: Subject, kept: Attempts, graphs: Iterable[str], listen: Listen, say: Say
) -> None:
    """The page, until somebody asks for the end; whatever ends it, the run says how it did."""
    running = subject.running
    assert isinstance(running, Deployed)  # noqa: S101 - a running service was refused before
    private = running.deployment.directory
    objective = Objective.of(kept.bench.scenario)
    write_panels(private / PANELS, nothing_yet(objective))
    orderly = False
    try:
        with (
            asking() as heard,
            web_ui(kept.bench, running, graphs, listen, private) as ui,
            Watching((running.target(), Target({GENERATOR: ui.process.pid}))) as watching,
            Inside(running.url) as inside,
        ):
            player = Player(subject, kept, watching, inside, say)
            with Board(private / PANELS, player.panels):
                _introduce(listen, kept, objective, say)
                player.until_it_ends(ui, heard)
        orderly = True
    finally:
        kept.end(orderly=orderly)


def _introduce(listen: Listen, kept: Attempts, objective: Objective, say: Say) -> None:
    """Say where the page is, who can open it, and what can be done there."""
    say(f"\nopen {listen.url}")
    if listen.password:
        say(
            "whoever reaches this machine can open that address and, with the password, start load "
            "here; what goes over the network is not encrypted\n"
            + (
                f"password (made for this session, told only here): {listen.password}"
                if listen.made
                else f"password: the one in {PASSWORD_VARIABLE}"
            )
        )
    say(
        "  Start plays one attempt as the form asks: open loop, the same requests whatever the "
        "SUT does\n"
        f"  Stop ends it early; the objective is {objective.words}: its tab says how it stands\n"
        f"  every attempt is kept in {kept.directory.path}\n"
        "Ctrl-C ends the session\n"
    )
