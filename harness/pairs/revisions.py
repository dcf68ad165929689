"""Git revisions: found, checked out beside the working tree, and cleared away whatever happens."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from architectures import catalog
from harness.pairs.asked import SideError
from harness.pairs.locks import locked
from workloads.meant import did_you_mean

_PREFIX = "gate-worktree-"
"""Begins the name of every worktree made here, so that what a killed gate left is found."""

_SHORT = 7
_LINES = 4
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
"""Set while git runs a hook; with them it would look at another checkout than the one named."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit: as it was named, its whole hash and the first line of its message."""

    word: str
    commit: str
    subject: str

    @property
    def label(self) -> str:
        """Short, in words: ``main (1a2b3c4)``, or the hash where that is what was named."""
        short = self.commit[:_SHORT]
        return short if self.commit.startswith(self.word) else f"{self.word} ({short})"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A git checkout; ``top`` is its folder."""

    top: Path

    @classmethod
    def around(cls, folder: Path) -> Self:
        """The checkout that ``folder`` lies in.

        Raises:
            SideError: it lies in none, or git is not there.
        """
        done = git(folder, "rev-parse", "--show-toplevel")
        if done.returncode or not done.stdout.strip():
            raise SideError(
                f"{folder} lies in no git checkout, and a revision is to be found in one; go to "
                f"it, or compare sut=, scenario= or url=. Git says: {_said(done)}"
            )
        return cls(Path(done.stdout.strip()))

    def resolve(self, word: str) -> Revision:
        """Find a commit by branch, tag or hash.

        Raises:
            SideError: there is none.
        """
        found = git(self.top, "rev-parse", "--verify", "--quiet", f"{word}^{{commit}}")
        commit = found.stdout.strip()
        if found.returncode or not commit:
            raise SideError(self._unknown(word))
        subject = git(self.top, "log", "-1", "--format=%s", commit)
        if subject.returncode:
            raise SideError(self._unknown(word))
        return Revision(word, commit, subject.stdout.strip())

    def _unknown(self, word: str) -> str:
        listed = git(self.top, "for-each-ref", "--format=%(refname:short)")
        names = listed.stdout.split()
        if git(self.top, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
            return (
                f"{self.top}: git knows no revision {word!r}{_near(word, names)}, and this clone "
                "is shallow; run `git fetch --unshallow`, or have CI fetch all history "
                "(actions/checkout: fetch-depth: 0)"
            )
        return (
            f"{self.top}: git knows no revision {word!r}{_near(word, names)}; "
            "`git branch --all` and `git tag` list them, `git fetch` brings new ones"
        )

    def sweep(self) -> None:
        """Remove the worktrees of gates that were killed; those of living ones stay."""
        listed = git(self.top, "worktree", "list", "--porcelain").stdout.splitlines()
        paths = (Path(line.removeprefix("worktree ")) for line in listed if line[:9] == "worktree ")
        for path in paths:
            if path.name.startswith(_PREFIX):
                self._sweep(path)

    def _sweep(self, path: Path) -> None:
        lock = _lock_of(path)
        if not lock.exists():
            self._remove(path)
            return
        with suppress(BlockingIOError), locked(lock, wait=False):
            self._remove(path)
            lock.unlink(missing_ok=True)

    def _remove(self, path: Path) -> None:
        """Twice --force: a worktree whose making was cut short is still locked by git.

        Never `git worktree prune`: it would forget a worktree of the user's on a disk that happens
        not to be there.
        """
        remove = ("worktree", "remove", "--force", "--force", str(path))
        if git(self.top, *remove).returncode and path.exists():
            shutil.rmtree(path, ignore_errors=True)
            git(self.top, *remove)

    @contextmanager
    def worktree(self, revision: Revision, folder: Path) -> Iterator[Path]:
        """A worktree of that commit under ``folder``, until the block ends.

        Raises:
            SideError: git could not make it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{_PREFIX}{os.getpid()}-{revision.commit[:12]}-{secrets.token_hex(2)}"
        path = folder.resolve() / name
        lock = _lock_of(path)
        with locked(lock, wait=True):  # before git names it: it is never seen without its holder
            try:
                add = ("worktree", "add", "--quiet", "--detach", str(path), revision.commit)
                done = git(self.top, *add)
                if done.returncode:
                    raise SideError(
                        f"{revision.label} cannot be checked out to {path}; git says: "
                        f"{_said(done)}; mend that, or name another revision"
                    )
                yield path
            finally:
                self._remove(path)
                lock.unlink(missing_ok=True)


def git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask git about the checkout around ``folder``, in English.

    Raises:
        SideError: git is not installed.
    """
    program = shutil.which("git")
    if program is None:
        raise SideError("git is not installed, and a revision is found by it; install it")
    return subprocess.run(
        [program, "-C", str(folder), *words],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        stdin=subprocess.DEVNULL,
        env=_environment(os.environ),
    )


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    return {**{key: own[key] for key in own if key not in _OF_A_HOOK}, "LC_ALL": "C"}


def _lock_of(worktree: Path) -> Path:
    return worktree.with_name(f"{worktree.name}.lock")


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The end of what git said."""
    return " / ".join(done.stderr.strip().splitlines()[-_LINES:]) or "nothing"


def _near(word: str, names: list[str]) -> str:
    """The nearest branch or tag, first the one that is there at a remote only."""
    for name in names:
        if name.endswith(f"/{word}"):
            return f" (did you mean {name!r}?)"
    if word in catalog.names():
        return f" (did you mean 'sut={word}'?)"
    return did_you_mean(word, names)
