"""The command: which run a word means, what it writes, and what each mistake ends with."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.pairs.asked import SideError
from reports.compared.command import compare
from reports.compared.sides import CompareError, choose
from tests.compared_runs import A, B, plant
from tests.golden.report.simulated_run import MONOLITH

SMALL = {"blocks": 2, "steady_s": 1.0}
OLD, NEW = "2026-11-20T10:00:00+00:00", "2026-11-21T10:00:00+00:00"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("here") / "runs"
    plant(runs, "one", A, MONOLITH, **SMALL)
    plant(runs, "two", B, MONOLITH, seed=8, created=NEW, **SMALL)
    return runs


def ask(runs: Path, *words: str) -> Result:
    return CliRunner().invoke(compare, ["--runs", str(runs), *words])


def test_it_writes_a_page_its_numbers_and_its_markdown(planted: Path, tmp_path: Path) -> None:
    done = ask(planted, str(planted / "one"), "two", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "compared.html", "compared.json", "compared.md"
    }  # fmt: skip
    assert done.output.splitlines()[-1] == str(tmp_path / "compared.html")
    numbers = json.loads((tmp_path / "compared.json").read_text())
    cpu = next(row for row in numbers["rows"] if row["metric"] == "cpu_ms")
    assert f"{cpu['change']['point']:.3g}" in (tmp_path / "compared.md").read_text()
    for text in ("A: the run one", "differs: revision", "Of ", "different times", "nox -s gate"):
        assert text in done.output


def test_its_folder_is_named_by_both_runs(planted: Path) -> None:
    done = ask(planted, "one", "two")
    assert done.exit_code == 0, done.output
    assert (planted / "compare" / "one-two" / "compared.html").is_file()
    shutil.rmtree(planted / "compare")


def test_a_revision_means_its_newest_complete_run_and_says_so(
    planted: Path, tmp_path: Path
) -> None:
    done = ask(planted, A[:7], B[:10], "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert f"A: {A[:7]} is revision {A[:10]}; of scenario simulated its run one" in done.output


def test_not_comparable_ends_with_four_and_anyway_with_a_banner(
    planted: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(planted / "one", runs / "one")
    other = {"weights_digest": "beef"}
    plant(runs, "other", B, MONOLITH, sections={"ensemble": other}, **SMALL)
    done = ask(runs, "one", "other")
    assert done.exit_code == 4
    assert "other/run.json" in done.output
    assert "weights_digest is 00ff of the baseline and beef" in done.output
    assert "--anyway" in done.output
    done = ask(runs, "one", "other", "--anyway")
    assert done.exit_code == 0
    page = (runs / "compare" / "one-other" / "compared.html").read_text()
    assert "side by side and not compared" in page
    for word in (">better<", ">worse<", ">cannot tell<"):
        assert word not in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("one", "one"), "are one run"),
        (("runs/nowhere", "two"), "is not there"),
        (("one", "two", "--margin", "much"), "is no SHARE"),
        (("one", "two", "--margin", "cpu=0.1"), "did you mean 'cpu_ms'?"),
        (("one", "two", "--price", "gcp-e3"), "did you mean 'gcp-e2'?"),
        ((A[:7], B[:7], "--scenario", "simulate"), "did you mean 'simulated'?"),
    ],
)
def test_a_mistake_is_words_and_two(planted: Path, words: tuple[str, ...], says: str) -> None:
    done = ask(planted, *words)
    assert done.exit_code == 2, done.output
    assert says in done.output
    assert "Traceback" not in done.output


def test_what_is_no_run_says_what_it_is(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "gate.json").write_text("{}")
    done = ask(planted, str(tmp_path / "gate"), "two")
    assert (done.exit_code, "is a gate's folder" in done.output) == (2, True)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text("[1, 2")
    done = ask(planted, str(damaged), "two")
    assert (done.exit_code, "damaged or edited" in done.output) == (2, True)
    cut = Path(shutil.copytree(planted / "one", tmp_path / "cut"))
    next(cut.glob("trials/*/samples-0.parquet")).write_text("PAR1")
    done = ask(planted, str(cut), "two")
    assert (done.exit_code, "one of its tables cannot be read" in done.output) == (2, True)


Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write as much of a run as choosing reads."""

    def write(
        name: str, revision: str, created: str, scenario: str = "quick", status: str = "complete"
    ) -> None:
        (tmp_path / name).mkdir()
        record = {
            "run_id": name, "created_utc": created, "status": status,
            "scenario": {"name": scenario},
            "environment": {"description": {"revision": revision}},
        }  # fmt: skip
        (tmp_path / name / "run.json").write_text(json.dumps(record))

    return write


def tagged(word: str) -> str:
    """Git, which knows two tags."""
    tags = {"v1": A, "v2": B}
    if word not in tags:
        raise SideError(f"git knows no revision {word!r}")
    return tags[word]


def test_of_revisions_the_newest_runs_of_one_scenario_are_taken(put: Put, tmp_path: Path) -> None:
    put("a-quick-old", A, OLD)
    put("a-quick-new", A, NEW)
    put("a-cut-short", A, "2026-11-30T10:00:00+00:00", status="interrupted")
    put("a-sweep", A, NEW, "sweep")
    put("b-quick", B, NEW)
    put("b-floor", B, "2026-11-29T10:00:00+00:00", "floor")
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "run.json").write_text("{]")
    (tmp_path / "latest").symlink_to("b-floor")
    mine, theirs = choose(("v1", "v2"), tmp_path, None, tagged)
    assert (mine.path.name, theirs.path.name) == ("a-quick-new", "b-quick")
    assert "the newest of 2" in mine.why
    # A folder settles the scenario.
    mine, theirs = choose((str(tmp_path / "a-sweep"), "v1"), tmp_path, "quick", tagged)
    assert (mine.path.name, theirs.path.name) == ("a-sweep", "a-quick-new")


def test_a_revision_without_a_complete_run_names_those_that_have_one(
    put: Put, tmp_path: Path
) -> None:
    put("a", A, OLD)
    put("b", B, NEW, status="running")
    with pytest.raises(CompareError, match=r"none is complete.*aaaaaaaaaa \(quick, a\)"):
        choose(("v1", "v2"), tmp_path, None, tagged)
    put("b2", B, NEW, "floor")
    with pytest.raises(CompareError, match="v1 has runs of quick, v2 has runs of floor"):
        choose(("v1", "v2"), tmp_path, None, tagged)
    with pytest.raises(CompareError, match="no complete run lies under"):
        choose(("v1", "v2"), tmp_path / "none", None, tagged)


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Ask git, in a checkout of one commit that is the working directory."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    monkeypatch.chdir(checkout)
    name = ("-c", "user.name=n", "-c", "user.email=e@example.org")

    def ask_it(*words: str) -> str:
        command = ["git", *name, *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    ask_it("init", "-q")
    ask_it("commit", "-q", "--allow-empty", "-m", "First")
    return ask_it


def test_a_tag_of_a_real_checkout_is_found(
    put: Put, tmp_path: Path, git: Callable[..., str]
) -> None:
    git("tag", "v1")
    put("a", git("rev-parse", "HEAD"), OLD)
    put("b", B, NEW)
    done = ask(tmp_path, "v1", str(tmp_path / "a"))
    assert done.exit_code == 2
    assert "are one run" in done.output


def test_a_word_that_is_neither_run_nor_revision_names_what_there_is(
    planted: Path, git: Callable[..., str]
) -> None:
    done = ask(planted, "one", "twoo")
    assert done.exit_code == 2
    assert "twoo is no run (did you mean 'two'?), and" in done.output
    assert "git knows no revision 'twoo'" in done.output
    assert f"revisions that have runs: {B[:10]} (simulated, two), {A[:10]}" in done.output
    done = ask(planted, "one", git("rev-parse", "--short", "HEAD"))
    assert done.exit_code == 2
    assert "has no run under" in done.output


def test_without_a_checkout_a_word_is_refused_in_words(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    done = ask(planted, "one", "v1")
    assert done.exit_code == 2
    assert "lies in no git checkout" in done.output
