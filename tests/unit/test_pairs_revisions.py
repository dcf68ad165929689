"""Revisions are found, checked out and cleared away; each runs on what it asks for."""

import os
import signal
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.pairs import environments
from harness.pairs.asked import SideError
from harness.pairs.environments import beside, digest, interpreter_for
from harness.pairs.locks import locked
from harness.pairs.revisions import Checkout, git
from harness.pairs.satisfied import satisfied
from tests.leftovers import has_ended
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def commit(top: Path, subject: str) -> str:
    """Commit all there is; its hash."""
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@localhost")
    for words in (("add", "-A"), (*who, "commit", "-q", "--allow-empty", "-m", subject)):
        done = git(top, *words)
        assert done.returncode == 0, done.stderr
    return git(top, "rev-parse", "HEAD").stdout.strip()


def repository(top: Path) -> Path:
    """A git repository with one commit, on a branch called main."""
    top.mkdir(parents=True, exist_ok=True)
    assert git(top, "init", "-q", "-b", "main").returncode == 0
    commit(top, "Begin")
    return top


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    top = repository(tmp_path / "checkout")
    (top / "file.txt").write_text("first\n")
    commit(top, "Write the first")
    (top / "file.txt").write_text("second\n")
    commit(top, "Write the second")
    (top / "folder").mkdir()
    return Checkout.around(top / "folder")


def worktrees(checkout: Checkout) -> list[Path]:
    """Beside the checkout itself."""
    lines = git(checkout.top, "worktree", "list", "--porcelain").stdout.splitlines()
    return [Path(line[9:]) for line in lines if line.startswith("worktree ")][1:]


def test_a_revision_has_a_hash_a_subject_and_a_label(checkout: Checkout) -> None:
    found = checkout.resolve("main")
    assert found.commit == git(checkout.top, "rev-parse", "HEAD").stdout.strip()
    assert found.subject == "Write the second"
    assert found.label == f"main ({found.commit[:7]})"
    assert checkout.resolve(found.commit[:12]).label == found.commit[:7]
    assert checkout.resolve("HEAD~1").subject == "Write the first"
    git(checkout.top, "-c", "user.name=A", "-c", "user.email=a@b", "tag", "-a", "v1", "-m", "One")
    assert checkout.resolve("v1").commit == found.commit, "a tag is the commit it stands for"


def test_an_unknown_revision_names_the_nearest(checkout: Checkout) -> None:
    with pytest.raises(SideError, match=r"no revision 'mian' \(did you mean 'main'\?\)"):
        checkout.resolve("mian")
    with pytest.raises(SideError, match=r"did you mean 'sut=monolith'\?"):
        checkout.resolve("monolith")
    with pytest.raises(SideError, match=r"no revision 'main:file\.txt'"):
        checkout.resolve("main:file.txt")


def test_a_branch_that_is_only_at_a_remote_is_named_so(checkout: Checkout, tmp_path: Path) -> None:
    git(checkout.top, "branch", "topic")
    git(tmp_path, "clone", "-q", str(checkout.top), "clone")
    clone = Checkout.around(tmp_path / "clone")
    with pytest.raises(SideError, match=r"did you mean 'origin/topic'\?"):
        clone.resolve("topic")


def test_a_shallow_clone_says_what_to_fetch(checkout: Checkout, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout.top}", "clone")
    clone = Checkout.around(tmp_path / "clone")
    with pytest.raises(SideError, match=r"shallow; run `git fetch --unshallow`.*fetch-depth: 0"):
        clone.resolve("HEAD~1")


def test_what_is_no_checkout_says_so(tmp_path: Path) -> None:
    with pytest.raises(SideError, match=r"lies in no git checkout.*Git says: .*not a git repo"):
        Checkout.around(tmp_path)


def test_git_looks_where_it_is_told_even_inside_a_hook(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(ROOT / ".git"))
    assert Checkout.around(checkout.top).resolve("HEAD").subject == "Write the second"


def test_a_worktree_goes_whatever_happens(checkout: Checkout, tmp_path: Path) -> None:
    def fail() -> None:
        with checkout.worktree(checkout.resolve("HEAD~1"), tmp_path / "made") as tree:
            assert (tree / "file.txt").read_text() == "first\n"
            (tree / "file.txt").write_text("changed\n")
            (tree / "untracked").touch()
            checkout.sweep()
            assert tree.exists(), "its maker lives"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert worktrees(checkout) == []
    assert list((tmp_path / "made").iterdir()) == []


_MAKE = """
import sys
from pathlib import Path
from harness.pairs.revisions import Checkout
checkout = Checkout.around(Path(sys.argv[1]))
with checkout.worktree(checkout.resolve("HEAD~1"), Path(sys.argv[2])) as tree:
    print(tree, flush=True)
    sys.stdin.read()
"""


def test_the_worktree_of_a_killed_gate_is_swept_and_no_other(
    checkout: Checkout, tmp_path: Path
) -> None:
    users = tmp_path / "gate-of-the-users"
    git(checkout.top, "worktree", "add", "-q", "--detach", str(users))
    users.rename(tmp_path / "on-a-disk-that-is-not-there")
    words = [sys.executable, "-c", _MAKE, str(checkout.top), str(tmp_path / "made")]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as maker:
        assert maker.stdout is not None
        tree = Path(maker.stdout.readline().strip())
        checkout.sweep()
        assert tree.exists(), "it belongs to a process that lives"
        maker.kill()
    assert tree.exists()
    checkout.sweep()
    assert not tree.exists()
    assert worktrees(checkout) == [users], "the user's own stays, wherever it is now"
    assert list((tmp_path / "made").iterdir()) == []


def test_what_was_cut_short_or_lost_its_folder_is_swept_too(
    checkout: Checkout, tmp_path: Path
) -> None:
    for name in ("gate-worktree-1-half", "gate-worktree-2-gone"):
        path = tmp_path / name
        git(checkout.top, "worktree", "add", "-q", "--detach", str(path))
        git(checkout.top, "worktree", "lock", "--reason", "initializing", str(path))
    (tmp_path / "gate-worktree-1-half" / ".git").unlink()
    (tmp_path / "gate-worktree-2-gone").rename(tmp_path / "elsewhere")
    checkout.sweep()
    assert worktrees(checkout) == []
    assert not (tmp_path / "gate-worktree-1-half").exists()


PROJECT = '[project]\nname = "ours"\nversion = "1"\ndependencies = ["numpy"]\n'


def project(folder: Path, dependencies: str = PROJECT, constraints: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(dependencies)
    if constraints is not None:
        (folder / "constraints.txt").write_text(constraints)
    return folder


def test_equal_inputs_need_no_environment(tmp_path: Path) -> None:
    own, folder = project(tmp_path / "own"), project(tmp_path / "tree")
    (folder / "code.py").write_text("anything\n")
    assert interpreter_for(folder, own, tmp_path / "cache") == sys.executable
    assert not (tmp_path / "cache").exists()
    (folder / "requirements-more.txt").write_text("scipy\n")
    assert digest(folder) != digest(own)


def frozen(*, numpy: str | None = None) -> str:
    return f"# frozen\nnumpy=={numpy or version('numpy')}\n"


def is_satisfied(folder: Path, own: Path) -> bool:
    files = (
        {path.name: path.read_bytes() for path in sorted(place.iterdir())}
        for place in (folder, own)
    )
    return satisfied(folder, own, *files)


def test_pins_that_are_installed_here_need_no_environment(tmp_path: Path) -> None:
    """A version, a tool's rule, one dependency more in the newer: the older runs on the same."""
    newer = PROJECT.replace('"1"', '"2"').replace('"numpy"', '"numpy", "scipy"')
    own = project(tmp_path / "own", newer + "[tool.ruff]\nline-length = 90\n", frozen())
    tree = project(tmp_path / "tree", PROJECT, frozen())
    assert is_satisfied(tree, own)
    assert interpreter_for(tree, own, tmp_path / "cache") == sys.executable


def test_a_requirement_of_one_version_needs_no_pin(tmp_path: Path) -> None:
    exact = PROJECT.replace('"numpy"', f'"numpy=={version("numpy")}"')
    own, tree = (project(tmp_path / name, exact, "# none\n") for name in ("own", "tree"))
    assert is_satisfied(tree, own)
    project(tree, exact.replace(version("numpy"), "1.0"))
    assert not is_satisfied(tree, own)


@pytest.mark.parametrize(
    ("dependencies", "constraints"),
    [
        (PROJECT, frozen(numpy="1.0")),
        (PROJECT, None),
        (PROJECT, "# nothing is pinned\n"),
        (PROJECT.replace('"numpy"', '"numpy<1"'), frozen()),
        (PROJECT.replace('"numpy"', '"numpy", "no-such-thing-here"'), frozen()),
        (PROJECT.replace('"ours"', '"another"'), frozen()),
        (
            PROJECT.replace("dependencies", "# dependencies") + 'dynamic = ["dependencies"]',
            frozen(),
        ),
        (PROJECT.replace('"numpy"', '"numpy =!"'), frozen()),
    ],
)
def test_anything_else_needs_one(
    tmp_path: Path, dependencies: str, constraints: str | None
) -> None:
    own = project(tmp_path / "own", PROJECT, frozen())
    assert not is_satisfied(project(tmp_path / "tree", dependencies, constraints), own)


def test_another_lock_needs_one(tmp_path: Path) -> None:
    own, tree = (project(tmp_path / name, PROJECT, frozen()) for name in ("own", "tree"))
    assert is_satisfied(tree, own)
    (tree / "uv.lock").write_text("other\n")
    assert not is_satisfied(tree, own)


BACKEND = """
from zipfile import ZipFile
def build_editable(folder, config_settings=None, metadata_directory=None):
    about = "told-7.dist-info/"
    with ZipFile(f"{folder}/told-7-py3-none-any.whl", "w") as wheel:
        wheel.writestr("told_editable.pth", __file__.rpartition("/")[0])
        wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\\nName: told\\nVersion: 7\\n")
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(about + "RECORD", "")
    return "told-7-py3-none-any.whl"
"""
PACKAGE = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "told"
version = "7"
"""
_ASK = "import told; from importlib.metadata import version; print(told.WORD, version('told'))"


def test_pip_makes_what_a_revision_asks_for(tmp_path: Path) -> None:
    """Without a network: a project that builds itself. Its code is no copy, so it is never old."""
    own, tree = project(tmp_path / "own"), project(tmp_path / "tree", PACKAGE, "told==7\n")
    (tree / "backend.py").write_text(BACKEND)
    (tree / "told.py").write_text("WORD = 'first'\n")
    python = interpreter_for(tree, own, tmp_path / "cache")
    assert python != sys.executable
    (tree / "told.py").write_text("WORD = 'changed'\n")
    found = subprocess.run(
        [python, "-c", _ASK], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout == "changed 7\n"
    assert beside(python)["PATH"].split(os.pathsep)[0] == str(Path(python).parent)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments without pip, which takes longest to make."""
    monkeypatch.setattr(environments, "_VENV", (*environments._VENV, "--without-pip"))


_INSTALL = "echo $VIRTUAL_ENV >>../installed"


@pytest.mark.usefixtures("bare")
def test_an_environment_is_made_once_whole_or_not_at_all(tmp_path: Path) -> None:
    own, tree = project(tmp_path / "own"), project(tmp_path / "tree", PACKAGE)
    cache, installed = tmp_path / "cache", tmp_path / "installed"
    made: list[str] = []

    def make() -> None:
        made.append(interpreter_for(tree, own, cache, _INSTALL))

    at_once = [threading.Thread(target=make) for _ in range(2)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert len(made) == 2
    folder = Path(made[0]).parents[1]
    assert installed.read_text().split() == [str(folder)], "by one, and the other waited"
    # As if the last write of the one who made it had not come: it is made again, from nothing.
    (folder / "made.txt").unlink()
    (folder / "half").touch()
    make()
    assert len(installed.read_text().split()) == 2
    assert not (folder / "half").exists()
    make()
    assert len(installed.read_text().split()) == 2
    assert set(made) == {str(folder / "bin" / "python")}


@pytest.mark.usefixtures("bare")
def test_a_failed_installation_says_what_the_installer_said(tmp_path: Path) -> None:
    own, tree = project(tmp_path / "own"), project(tmp_path / "tree", PACKAGE)
    said = r"(?s)`/bin/sh -c echo no network; exit 3` failed; it said:\n  no network\n.*--install"
    for _ in range(2):  # what failed is no environment the second time either
        with pytest.raises(SideError, match=said):
            interpreter_for(tree, own, tmp_path / "cache", "echo no network; exit 3")


_KILLED = """
import sys
from pathlib import Path
from harness.pairs import environments
environments._VENV = (*environments._VENV, "--without-pip")
environments.interpreter_for(*map(Path, sys.argv[1:4]), "echo $$ >>../pid; exec sleep 300")
"""


def test_a_killed_installation_holds_its_environment_until_it_has_ended(tmp_path: Path) -> None:
    own, tree = project(tmp_path / "own"), project(tmp_path / "tree", PACKAGE)
    words = [sys.executable, "-c", _KILLED, str(tree), str(own), str(tmp_path / "cache")]
    told = tmp_path / "pid"
    with subprocess.Popen(words, cwd=ROOT) as maker:
        until(lambda: told.exists() and told.read_text().strip())
        maker.kill()
    installer = int(told.read_text())
    (lock,) = (tmp_path / "cache" / "environments").glob("*.lock")
    try:
        assert not has_ended(installer)
        with pytest.raises(BlockingIOError), locked(lock, wait=False):
            pass
    finally:
        os.kill(installer, signal.SIGKILL)
    with locked(lock, wait=True):
        assert not list((tmp_path / "cache").glob("*/*/made.txt"))
