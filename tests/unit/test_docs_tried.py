"""What a document tells to type and costs little is typed here, on runs that are simulated."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.compared_runs import plant
from tests.documents import ROOT, fenced
from tests.typed import PROGRAMS, Asked, asked_in

TOLD_BY = ("README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in (
    "tutorial", "your_own_ensemble", "your_own_architecture", "reading_a_report",
    "costs", "comparing_runs", "browsing_runs",
)))  # fmt: skip
CHEAP = {("harness", "check"), ("harness", "list"), ("reports", "page"), ("reports", "compare")} | {
    ("reports", "index"),
    ("reports", "export"),
    ("reports", "tag"),
    ("reports", "reprice"),
}
RUNS = ("ID", "ONE", "OTHER", "A", "B")
"""Names that documents give to runs of the reader's; revisions are not tried."""
WRITTEN = {
    "my_prices.toml": ("docs/tutorial.md", 0),
    "mine.toml": ("docs/tutorial.md", 1),
    "language.toml": ("docs/your_own_ensemble.md", 0),
    "ours.toml": ("docs/costs.md", 0),
}
"""Files that a reader has written by then, and the block of a document that he copied."""


def here(command: str, words: Sequence[str]) -> bool:
    """Whether there is what it is asked of: runs by these names."""
    runs = {f"runs/{name}" for name in (*RUNS, "latest")}
    named = [word for word in words if word.startswith("runs/")]
    return set(named) <= runs and (command != "compare" or len(named) == 2)


def cheap() -> list[Asked]:
    """The commands to try, each once."""
    found: dict[str, Asked] = {}
    for name in TOLD_BY:
        path = ROOT / name
        for asked in asked_in(path.read_text(encoding="utf-8") if path.is_file() else ""):
            program, words, _ = asked
            command = words[0] if words else ""
            if program == "reports" and command not in PROGRAMS[program].commands:
                command = "page"
            is_whole = len(words) > 1 or command == "list"
            if (program, command) in CHEAP and is_whole and here(command, words):
                found.setdefault(" ".join((program, *words)), asked)
    return list(found.values())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a checkout, with runs, and the files that a reader has written."""
    desk = tmp_path_factory.mktemp("desk")
    for name in ("scenarios", "tests", "docs"):
        (desk / name).symlink_to(ROOT / name)
    for number, name in enumerate(RUNS):
        plant(desk / "runs", name, str(number) * 40, blocks=2)
    (desk / "runs" / "latest").symlink_to("ID")
    for name, (source, place) in WRITTEN.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        (desk / name).write_text(fenced(text, "toml")[place])
    return desk


def test_there_is_something_to_try() -> None:
    assert {(program, words[0]) for program, words, _ in cheap()} >= {("harness", "check")}
    assert len(cheap()) > 5


@pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="`check` needs a core for the SUT and one beside it"
)
@pytest.mark.parametrize("asked", cheap(), ids=lambda asked: " ".join((asked[0], *asked[1])))
def test_it_does_what_it_is_told(asked: Asked, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, words, _ = asked
    monkeypatch.chdir(desk)
    done = CliRunner().invoke(PROGRAMS[program], words)
    assert done.exit_code == 0, done.output
