"""What a person can do here. One shared environment, `.venv`, made once and kept.

`nox -l` lists the sessions; everything after `--` goes to the program a session runs.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2026.7.11"  # whose CommandFailed knows the exit code
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "contracts", "tests"]

ROOT = Path(__file__).parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "installed.sha256"
INSTALLED_FROM = (ROOT / "pyproject.toml", ROOT / "constraints.txt")


def python(session: nox.Session) -> str:
    """The shared environment's interpreter, installed first if its inputs changed.

    One environment rather than one a session: it holds torch and Ray, and takes minutes.
    """
    executable = ENVIRONMENT / "bin" / "python"
    inputs = sys.version.encode() + b"".join(path.read_bytes() for path in INSTALLED_FROM)
    wanted = hashlib.sha256(inputs).hexdigest()
    if not STAMP.exists() or STAMP.read_text() != wanted:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        session.run(sys.executable, "-m", "venv", str(ENVIRONMENT), external=True)
        _install(session, str(executable))
        STAMP.write_text(wanted)
    return str(executable)


def _install(session: nox.Session, executable: str) -> None:
    groups = nox.project.dependency_groups(
        nox.project.load_toml(ROOT / "pyproject.toml"), "test", "lint", "dev", "selfbench"
    )
    pip = (executable, "-m", "pip", "install", "--quiet", "-c", "constraints.txt")
    session.log("installing into .venv; torch and Ray are large, this takes a few minutes")
    session.run(*pip, "-e", ".", *groups, external=True)


def run(session: nox.Session, *arguments: str, **environment: str) -> None:
    """Run the shared environment's interpreter, its tools found before the system's."""
    executable = python(session)
    path = f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    session.run(executable, *arguments, env={"PATH": path, **environment}, external=True)


def judged(session: nox.Session, *arguments: str) -> None:
    """Run a program whose exit code is a verdict, and end with that very code.

    nox itself knows 0 and 1 only; a session that exits is the one way round it. Sessions named
    after this one are then not run.
    """
    try:
        run(session, *arguments)
    except CommandFailed as failed:
        if failed.return_code is None:
            raise
        sys.exit(failed.return_code)


@nox.session
def bench(session: nox.Session) -> None:
    """Compare the architectures and print the report's path: `nox -s bench [-- SCENARIO.toml]`."""
    run(session, "-m", "harness", "run", *(session.posargs or ["scenarios/quick.toml"]))
    run(session, "-m", "reports", "runs/latest")


@nox.session(default=False)
def patterns(session: nox.Session) -> None:
    """Every serving pattern on every architecture, a page each: about an hour, 4 minutes a pattern.

    `nox -s patterns [-- scenarios/patterns/update.toml ...]` runs only those that are named.
    """
    found = sorted(Path("scenarios", "patterns").glob("*.toml"))
    for scenario in session.posargs or map(str, found):
        run(session, "-m", "harness", "run", scenario)
        run(session, "-m", "reports", "runs/latest")


@nox.session(default=False)
def effort(session: nox.Session) -> None:
    """Measure what deployments take, and show it: `nox -s effort [-- scenarios/effort.toml]`."""
    run(session, "-m", "harness", "effort", *(session.posargs or ["scenarios/growth.toml"]))
    run(session, "-m", "reports", "runs/latest")


@nox.session(default=False)
def claims(session: nox.Session) -> None:
    """Judge what is said of these architectures: run what is missing, then write the page.

    `nox -s claims [-- scenarios/claims/batching_pays.toml ...]`. About an hour where nothing has
    been run; a run that fails leaves its claims not tested, and the session ends with an error.
    """
    named = ("-m", "reports", "claims", *session.posargs)
    asked = session.run(
        python(session), *named, "--missing", external=True, silent=True, stderr=None
    )
    failed = []
    for kind, scenario in (line.split(maxsplit=1) for line in str(asked).splitlines()):
        try:
            run(session, "-m", "harness", kind, scenario)
        except CommandFailed:
            failed.append(scenario)
    run(session, *named)
    if failed:
        session.error(f"could not be run, see above: {', '.join(failed)}")


@nox.session(default=False)
def gate(session: nox.Session) -> None:
    """Is this version slower, dearer or less reliable? `nox -s gate [-- SCENARIO --baseline REV]`.

    Ends with the verdict: 0 pass, 1 regression, 2 error, 3 inconclusive, 4 unfit. Without options
    the working tree is compared with where it left the default branch; docs/gate.md, docs/ci.md.
    """
    judged(session, "-m", "reports", "gate", *(session.posargs or ["scenarios/gate.toml"]))


@nox.session(default=False)
def aa(session: nox.Session) -> None:
    """What can this machine see? The gate on identical versions: `nox -s aa [-- SCENARIO]`."""
    judged(session, "-m", "reports", "aa", *(session.posargs or ["scenarios/gate.toml"]))


@nox.session(default=False)
def gate_study(session: nox.Session) -> None:
    """How often does the gate cry wolf, and what does it miss? `nox -s gate_study [-- PART]...`."""
    run(session, "-m", "tests.gate_study", *(session.posargs or ["simulate"]))


@nox.session(default=False)
def trends(session: nox.Session) -> None:
    """Runs stored over time and what lies outside them: `nox -s trends -- add|check|page ...`."""
    judged(session, "-m", "reports", "baselines", *(session.posargs or ["list"]))


@nox.session(default=False)
def report(session: nox.Session) -> None:
    """Make a run's page again, without load: `nox -s report -- runs/ID`."""
    run(session, "-m", "reports", *(session.posargs or ["runs/latest"]))


@nox.session(default=False)
def index(session: nox.Session) -> None:
    """List what lies under runs/ and make its page: `nox -s index [-- --tag WORD ...]`."""
    run(session, "-m", "reports", "index", *session.posargs)


@nox.session(default=False)
def serve(session: nox.Session) -> None:
    """Deploy one architecture and print its URL: `nox -s serve -- monolith:naive`."""
    run(session, "-m", "harness", "serve", *session.posargs)


@nox.session(default=False)
def web(session: nox.Session) -> None:
    """Explore a live deployment in Locust's web UI, and report it: `nox -s web -- ray_serve`.

    Ctrl-C ends it; what was played by then is a run, and its page is made. docs/web_ui.md.
    """
    told = Path(session.create_tmp(), "run")
    told.unlink(missing_ok=True)
    try:
        # Ctrl-C reaches the program too, which drains the attempt being played and keeps it.
        session.run(
            *(python(session), "-m", "harness", "web", "--tell", str(told), *session.posargs),
            external=True,
            interrupt_timeout=None,
        )
    finally:
        if told.exists():
            run(session, "-m", "reports", told.read_text())


@nox.session(default=False)
def train(session: nox.Session) -> None:
    """Make a tier's weights and model card again from the seed: `nox -s train -- --tier tiny`."""
    run(session, "-m", "architectures.ensemble.training", *session.posargs)


@nox.session(default=False)
def model_card(session: nox.Session) -> None:
    """Compute the shipped weights' held-out figures anew; fail where they are not the card's."""
    run(session, "-m", "architectures.ensemble.model_card", *session.posargs)


@nox.session(default=False)
def reference(session: nox.Session) -> None:
    """Write the tables of docs/ that the code knows: keys, metrics, reasons, variants, commands."""
    run(session, "-m", "reports.reference", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Every test, real servers included."""
    run(session, "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff's checks and formatting."""
    run(session, "-m", "ruff", "check", *(session.posargs or ["."]))
    run(session, "-m", "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy, strict."""
    run(session, "-m", "mypy", *session.posargs)


@nox.session
def contracts(session: nox.Session) -> None:
    """The one-way flow between rooms, by import-linter's contracts."""
    python(session)
    session.run(str(ENVIRONMENT / "bin" / "lint-imports"), external=True)


@nox.session(default=False)
def selfbench(session: nox.Session) -> None:
    """Measure our own instrument against others: `nox -s selfbench [-- PART]...`; about an hour."""
    run(session, "-m", "tests.selfbench", *session.posargs)


@nox.session(default=False)
def pictures(session: nox.Session) -> None:
    """Draw the pages for README and docs, light and dark: `nox -s pictures [-- runs/ID]`."""
    run(session, "-m", "tests.pictures", *session.posargs)


@nox.session(default=False)
def changelog(session: nox.Session) -> None:
    """Show what the next release's notes would say."""
    run(session, "-m", "towncrier", "build", "--draft", *session.posargs)
