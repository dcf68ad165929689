"""Which two runs are meant: by their folders, or by the revisions they were recorded at."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.effort.record import EFFORT_FILE
from harness.pairs.asked import SideError
from harness.pairs.record import GATE_FILE
from harness.pairs.revisions import Checkout
from reports.wording import listed, plural
from workloads.meant import did_you_mean

_HASH = re.compile(r"[0-9a-f]{7,40}")
_SHORT = 10
_NAMED = 8

Resolve = Callable[[str], str]
"""A revision's word -> its commit's whole hash; raises ``SideError`` where git knows none."""


class CompareError(Exception):
    """A comparison that cannot be begun; the message ends in what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """A run's folder, as far as it says what it is of."""

    path: Path
    run_id: str
    created_utc: str
    status: str
    scenario: str
    revision: str

    @property
    def label(self) -> str:
        """Its revision and scenario, short."""
        return f"{self.revision[:_SHORT]} ({self.scenario}, {self.run_id})"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A side's run, and in a sentence why it."""

    asked: str
    path: Path
    why: str


def choose(
    asked: tuple[str, str], runs: Path, scenario: str | None, resolve: Resolve
) -> tuple[Chosen, Chosen]:
    """Find both runs.

    Args:
        asked: folders or revisions.
        runs: the folder whose runs revisions are looked for in.
        scenario: the only one whose runs are taken; None takes what both sides have.
        resolve: git's answer to a revision's word.

    Raises:
        CompareError: one is not there, or both are the same run.
    """
    folders = [folder_of(word, runs) for word in asked]
    stored = [] if all(folders) else known_runs(runs)
    found = [
        (_known(folder),) if folder else _at_revision(word, stored, runs, resolve)
        for word, folder in zip(asked, folders, strict=True)
    ]
    name = scenario or ("" if all(folders) else _common(found, asked))
    picked = [
        _newest(word, side, name, by_folder=folder is not None)
        for word, side, folder in zip(asked, found, folders, strict=True)
    ]
    if picked[0].path == picked[1].path:
        raise CompareError(
            f"{asked[0]} and {asked[1]} are one run, {picked[0].path}, and it differs from itself "
            "in nothing; name another run or revision"
        )
    return picked[0], picked[1]


def folder_of(word: str, runs: Path) -> Path | None:
    """The run's folder that a word names; None where it is no folder, so perhaps a revision.

    Raises:
        CompareError: it names something else than a run.
    """
    for path in (Path(word), runs / word):
        if not path.exists():
            continue
        folder = path.resolve()
        if (folder / "run.json").is_file():
            return folder
        # A tag may share its name with a file or folder of the checkout, such as `docs`.
        if str(path) != word or "/" in word or _of_another_kind(folder):
            raise CompareError(f"{path} {_what(folder)}")
    if "/" in word and (word.startswith((".", "/")) or Path(word).parts[0] == runs.name):
        raise CompareError(f"{word} is not there; `ls {runs}` lists the runs")
    return None


def _of_another_kind(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (GATE_FILE, EFFORT_FILE))


def _what(folder: Path) -> str:
    if (folder / GATE_FILE).is_file():
        return (
            "is a gate's folder, whose sides are compared already: open its report.html, or name "
            "a run in its baseline/ or candidate/"
        )
    if (folder / EFFORT_FILE).is_file():
        return "is a measurement of effort, which has no load steps; name a run"
    return "is not a run: it has no run.json; name a directory under runs/, or a revision"


def known_runs(runs: Path) -> list[Known]:
    """The runs directly under a folder, oldest first; what cannot be read is none."""
    found = []
    for path in sorted(runs.glob("*/run.json")) if runs.is_dir() else []:
        if path.parent.is_symlink():
            continue
        try:
            found.append(_known(path.parent))
        except CompareError:
            continue
    return sorted(found, key=lambda run: run.created_utc)


def _known(folder: Path) -> Known:
    """Raises CompareError where its record cannot be read."""
    path = folder / "run.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        described = document["environment"]["description"]
        return Known(
            folder,
            str(document["run_id"]),
            str(document["created_utc"]),
            str(document["status"]),
            str(document["scenario"].get("name", "")),
            str(described.get("revision", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CompareError(
            f"{path} cannot be read as a run ({error!r}); it was damaged or edited: restore it, or "
            "run the scenario again"
        ) from error


def _at_revision(
    word: str, stored: Sequence[Known], runs: Path, resolve: Resolve
) -> tuple[Known, ...]:
    """The complete runs of one revision.

    A hash that runs were recorded at needs no git: they may come from another clone.
    """
    begins = word.lower() if _HASH.fullmatch(word.lower()) else None
    commits = {run.revision for run in stored if begins and run.revision.startswith(begins)}
    if len(commits) > 1:
        raise CompareError(
            f"{word} begins {len(commits)} revisions that have runs: {listed(sorted(commits))}; "
            "give more of it"
        )
    try:
        commit = commits.pop() if commits else resolve(word)
    except SideError as error:
        near = did_you_mean(word, [path.name for path in runs.glob("*") if path.is_dir()])
        raise CompareError(f"{word} is no run{near}, and {error}\n{_have(stored, runs)}") from error
    mine = [run for run in stored if run.revision == commit]
    whole = tuple(run for run in mine if run.status == "complete")
    if not whole:
        what = (
            f"{plural(len(mine), 'run')}, and none is complete: finish one with "
            "`python -m harness run --resume`"
            if mine
            else "no run"
        )
        raise CompareError(
            f"revision {word} ({commit[:_SHORT]}) has {what} under {runs}; {_have(stored, runs)}"
        )
    return whole


def _have(stored: Sequence[Known], runs: Path) -> str:
    """Which revisions have complete runs, the newest first."""
    newest = {run.revision: run for run in stored if run.status == "complete"}
    if not newest:
        return f"no complete run lies under {runs}: run a scenario there, or give --runs"
    named = [run.label for run in reversed(newest.values())]
    more = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"revisions that have runs: {', '.join(named[:_NAMED])}{more}"


def _common(found: Sequence[Sequence[Known]], asked: tuple[str, str]) -> str:
    """The scenario of the candidate's newest run that the baseline has one of, too."""
    mine, theirs = found
    names = {run.scenario for run in mine}
    common = [run for run in theirs if run.scenario in names]
    if not common:
        sides = ", ".join(
            f"{word} has runs of {listed(sorted({run.scenario for run in side}))}"
            for word, side in zip(asked, found, strict=True)
        )
        raise CompareError(f"no scenario was run on both sides: {sides}; run one of them on both")
    return max(common, key=lambda run: run.created_utc).scenario


def _newest(word: str, side: Sequence[Known], scenario: str, *, by_folder: bool) -> Chosen:
    mine = [run for run in side if not scenario or run.scenario == scenario or by_folder]
    if not mine:
        names = sorted({run.scenario for run in side})
        raise CompareError(
            f"{word} has no complete run of scenario {scenario!r}"
            f"{did_you_mean(scenario, names)}; it has {listed(names)}"
        )
    run = max(mine, key=lambda run: run.created_utc)
    if by_folder:
        return Chosen(word, run.path, f"the run {run.run_id}")
    others = f", the newest of {len(mine)}" if len(mine) > 1 else ""
    why = (
        f"{word} is revision {run.revision[:_SHORT]}; of scenario {run.scenario} its run "
        f"{run.run_id}{others}"
    )
    return Chosen(word, run.path, why)


def ask_git(word: str) -> str:
    """Resolve a revision in the checkout around the working directory."""
    return Checkout.around(Path.cwd()).resolve(word).commit
