"""An interpreter that has a revision's dependencies: this one where they are the same."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.durable import write_durably
from harness.pairs.asked import SideError
from harness.pairs.locks import locked
from harness.pairs.satisfied import satisfied

INPUTS = (
    "pyproject.toml",
    "constraints.txt",
    "requirements*.txt",
    "uv.lock",
    "poetry.lock",
    "setup.py",
    "setup.cfg",
)
"""What an installation follows from, at the top of a checkout."""

_LINES = 12
_VENV = ("-m", "venv")
_STAMP = "made.txt"
"""Written last: an environment without it was never finished."""


def interpreter_for(folder: Path, own: Path, cache: Path, install: str | None = None) -> str:
    """A Python with the dependencies of the checkout in ``folder``.

    The packages of the checkout itself are not taken from it: they come first by PYTHONPATH.

    Args:
        folder: the checkout that is to be run.
        own: the checkout that this interpreter was installed for; it serves where both ask for the
            same, or where what it has is what ``folder`` asks for.
        cache: environments are made there, once, and kept for the next gate.
        install: a shell command that fills the environment, run in ``folder`` with the
            environment's programs first in PATH; None installs by pip, within constraints.txt.

    Returns:
        The path of the interpreter.

    Raises:
        SideError: it could not be made; the message has the end of what the installer said.
    """
    if digest(folder) == digest(own) or satisfied(folder, own, _files(folder), _files(own)):
        return sys.executable
    made = cache.resolve() / "environments" / digest(folder, install or "")[:16]
    made.parent.mkdir(parents=True, exist_ok=True)
    # It may lie in a checkout that does not ignore it, and must not show as changes there.
    (made.parent / ".gitignore").write_text("*\n")
    with locked(made.with_suffix(".lock"), wait=True) as lock:
        if not (made / _STAMP).exists():
            _make(made, folder, install, lock)
    return str(made / "bin" / "python")


def beside(interpreter: str) -> Mapping[str, str]:
    """Variables that an environment's programs are found by; none for the one we are run by."""
    if interpreter == sys.executable:
        return {}
    root = Path(interpreter).parents[1]
    path = f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, "VIRTUAL_ENV": str(root)}


def digest(folder: Path, more: str = "") -> str:
    """Of all that an installation of ``folder`` follows from, the Python version included."""
    found = hashlib.sha256(f"{sys.version}\n{more}\n".encode())
    for name, content in _files(folder).items():
        found.update(f"{name} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _files(folder: Path) -> dict[str, bytes]:
    """Name -> content of the inputs, in one order."""
    paths = sorted(path for name in INPUTS for path in folder.glob(name) if path.is_file())
    return {path.name: path.read_bytes() for path in paths}


def _make(made: Path, folder: Path, install: str | None, lock: int) -> None:
    """Make it anew; whatever an installation that was cut short has left goes first."""
    shutil.rmtree(made, ignore_errors=True)
    log = made.with_suffix(".log")
    environment = {**os.environ, **beside(str(made / "bin" / "python"))}
    environment.pop("PYTHONPATH", None)  # an installer must see only what it installs
    environment.pop("PYTHONHOME", None)
    with log.open("wb") as file:
        for words in _commands(made, folder, install):
            # It holds the lock too: if we are killed, the next gate waits for it to end.
            done = subprocess.run(
                words,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=(lock,),
                check=False,
            )
            if done.returncode:
                raise SideError(_failed(words, log))
    write_durably(made / _STAMP, f"{sys.version}\n")


def _commands(made: Path, folder: Path, install: str | None) -> Iterator[list[str]]:
    yield [sys.executable, *_VENV, str(made)]
    if install is not None:
        yield ["/bin/sh", "-c", install]
        return
    what = [word for path in sorted(folder.glob("requirements*.txt")) for word in ("-r", path.name)]
    if (folder / "setup.py").exists() or _is_project(folder):
        # Editable: of the project itself only its metadata stay. A copy would be the code of
        # whichever revision came first, and could be run in place of another's.
        what += ["-e", "."]
    if what:
        bound = ["-c", "constraints.txt"] if (folder / "constraints.txt").exists() else []
        yield [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", *bound, *what]


def _is_project(folder: Path) -> bool:
    """Whether pyproject.toml describes something to install, and not only tools."""
    path = folder / "pyproject.toml"
    if not path.exists():
        return False
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SideError(f"{path}: is not TOML: {error}; compare with another revision") from error
    return "project" in document or "poetry" in document.get("tool", {})


def _failed(words: list[str], log: Path) -> str:
    said = log.read_text(errors="replace").splitlines()[-_LINES:]
    shown = "\n".join(f"  {line}" for line in said) or "  (nothing)"
    return (
        f"an environment for the revision cannot be made: `{' '.join(words)}` failed; it said:\n"
        f"{shown}\nAll of it: {log}. Mend it there, or say how to install with --install COMMAND"
    )
