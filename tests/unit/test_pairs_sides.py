"""What two sides are made of: words, scenarios, revisions whose own code is what answers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from harness.pairs.asked import Asked, SideError, Word
from harness.pairs.document import document_of
from harness.pairs.record import SideRecord
from harness.pairs.sides import Side, opened
from harness.pairs.written import write_scenario
from harness.scenario_file import ScenarioError, read_scenario, scenario_files
from tests.unit.test_pairs_revisions import commit, repository

ROOT = Path(__file__).parents[2]

PLAIN = """
name = "plain"
suts = ["null_service"]
[load]
rates = [20]
[gate]
rate_rps = 20
"""


def scenario(folder: Path, text: str = PLAIN, name: str = "plain.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (".", "working tree", "."),
        ("main", "revision", "main"),
        ("HEAD~3", "revision", "HEAD~3"),
        ("refs/heads/odd=name", "revision", "refs/heads/odd=name"),
        ("sut=monolith:naive", "variant", "monolith:naive"),
        ("scenario=a/b.toml", "scenario", "a/b.toml"),
        ("url=http://localhost:8000/", "url", "http://localhost:8000"),
    ],
)
def test_a_word_is_read(text: str, kind: str, value: str) -> None:
    assert Word.parse(text, "baseline") == Word(kind, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suts=monolith", r"--baseline suts=monolith: there is no kind 'suts' .*mean 'sut'\?"),
        ("sut=", r"nothing stands after the =; name the sut"),
        ("url=localhost:8000", r"is no URL; write url=http://HOST:PORT"),
        ("http://localhost:8000", r"did you mean url=http://localhost:8000\?"),
        ("monolith:naive", r"did you mean sut=monolith:naive\?"),
        ("other.toml", r"did you mean scenario=other.toml\?"),
        ("--help", r"'--help': is no git revision; name one"),
        ("", r"'': is no git revision; name one"),
    ],
)
def test_a_word_that_was_meant_otherwise_says_how(text: str, said: str) -> None:
    with pytest.raises(SideError, match=said):
        Word.parse(text, "baseline")


@pytest.mark.parametrize(
    ("baseline", "candidate", "words", "differ_in"),
    [
        ("main", None, ("main", "."), "revision"),
        ("main", "topic", ("main", "topic"), "revision"),
        ("sut=monolith", "sut=ray_serve", ("sut=monolith", "sut=ray_serve"), "variant"),
        (None, "sut=ray_serve", (".", "sut=ray_serve"), "variant"),
        ("sut=monolith", None, ("sut=monolith", "."), "variant"),
        (None, "scenario=b.toml", (".", "scenario=b.toml"), "scenario"),
        ("url=http://a", "url=http://b", ("url=http://a", "url=http://b"), "url"),
    ],
)
def test_what_is_left_out_is_what_was_plainly_meant(
    baseline: str | None, candidate: str | None, words: tuple[str, str], differ_in: str
) -> None:
    asked = Asked.of(Path("s.toml"), baseline, candidate)
    assert (asked.baseline, asked.candidate) == words
    assert asked.differ_in == differ_in


@pytest.mark.parametrize(
    ("baseline", "candidate", "sut", "said"),
    [
        (None, None, None, "there is no baseline; name what to compare with"),
        (None, "topic", None, "there is no baseline"),
        ("main", "sut=monolith", None, "more than one thing.*name the SUT with --sut"),
        ("sut=monolith", "scenario=b.toml", None, "more than one thing"),
        ("url=http://a", None, None, "more than one thing.*is compared with a running service"),
        ("main", "main", None, "both sides are main: there is nothing to compare"),
        ("sut=monolith", "sut=ray_serve", "monolith", "both sides name theirs; leave it out"),
        ("url=http://a", "url=http://b", "monolith", "both sides name theirs; leave it out"),
    ],
)
def test_words_that_make_no_sense_together_are_refused(
    baseline: str | None, candidate: str | None, sut: str | None, said: str
) -> None:
    with pytest.raises(SideError, match=said):
        Asked.of(Path("s.toml"), baseline, candidate, sut)


def test_identical_sides_are_asked_for_by_name() -> None:
    asked = Asked.of(Path("s.toml"), identical=True)
    assert (asked.baseline, asked.candidate, asked.differ_in) == (".", ".", "revision")
    assert Asked.of(Path("s.toml"), "main", identical=True).candidate == "main"
    with pytest.raises(SideError, match="identical sides are asked for"):
        Asked.of(Path("s.toml"), "main", "topic", identical=True)


def test_two_variants_run_in_the_working_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = Asked.of(scenario(tmp_path), None, "sut=null_service:delay_20ms")
    with opened(asked, tmp_path / "gate") as (baseline, candidate):
        assert [side.record.label for side in (baseline, candidate)] == [
            "null_service:floor",
            "null_service:delay_20ms",
        ]
        assert candidate.document["suts"] == ["null_service:delay_20ms"]
        assert "gate" not in candidate.document
        assert candidate.interpreter == sys.executable
        assert candidate.record.fresh
    assert not (tmp_path / "gate").exists()


def test_a_scenario_of_several_suts_needs_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = scenario(tmp_path, PLAIN.replace('["null_service"]', '["null_service", "monolith"]'))
    said = r"names 2 SUTs, .*: null_service, monolith; choose by --sut"
    with pytest.raises(SideError, match=said), opened(Asked.of(path, identical=True), tmp_path):
        pass
    with opened(Asked.of(path, sut="monolith", identical=True), tmp_path) as (baseline, _):
        assert baseline.record.sut.startswith("monolith:")


def test_two_scenario_files_are_two_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = scenario(tmp_path)
    scenario(tmp_path, PLAIN + "[policy]\nmax_batch = 1\n", "other.toml")
    with opened(Asked.of(one, None, "scenario=other.toml"), tmp_path) as (baseline, candidate):
        assert (baseline.record.label, candidate.record.label) == (str(one), "other.toml")
        assert candidate.document["policy"] == {"max_batch": 1}
        assert baseline.record.kind == "scenario"
    with (
        pytest.raises(ScenarioError, match="cannot be read"),
        opened(Asked.of(one, None, "scenario=gone.toml"), tmp_path),
    ):
        pass


REMOTE = (
    PLAIN.replace('["null_service"]', '["remote:shop"]')
    + """
[remote.shop]
url = "http://localhost:8000"
path = "/predict"
"""
)


def test_urls_keep_what_the_scenario_says_of_such_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = scenario(tmp_path, REMOTE)
    words = ("url=http://localhost:8000/", "url=http://localhost:9000")
    asked = Asked.of(path, *words, restart={"baseline": "true"})
    with opened(asked, tmp_path) as (baseline, candidate):
        assert candidate.document["suts"] == ["remote:candidate"]
        assert candidate.document["remote"] == {
            "candidate": {"url": "http://localhost:9000", "path": "/predict"}
        }
        assert (candidate.record.sut, candidate.record.label) == (
            "remote:candidate",
            "http://localhost:9000",
        )
        assert (baseline.record.fresh, candidate.record.fresh) == (True, False)
        assert (baseline.restart, candidate.restart) == ("true", None)
        written = tmp_path / "candidate.toml"
        write_scenario(candidate, written, load={"rates": [5.0]})
        assert read_scenario(written).remote["candidate"].path == "/predict"


def test_a_running_service_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository(tmp_path / "team"))
    path = scenario(tmp_path, REMOTE)
    with (
        pytest.raises(SideError, match="is the same whatever is checked out"),
        opened(Asked.of(path, "HEAD"), tmp_path / "gate"),
    ):
        pass
    assert list((tmp_path / "gate").iterdir()) == []
    with opened(Asked.of(path, identical=True), tmp_path) as (baseline, _):
        assert baseline.record.sut == "remote:shop"


def test_a_restart_of_what_is_deployed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = Asked.of(scenario(tmp_path), identical=True, restart={"candidate": "true"})
    with (
        pytest.raises(SideError, match="deployed afresh for each block anyway"),
        opened(asked, tmp_path),
    ):
        pass


ENSEMBLE = PLAIN + '[ensemble]\nmodule = "ours"\nsearch_path = ["."]\ngraph = "mood"\n'


def test_a_revision_serves_its_own_ensemble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = repository(tmp_path / "team")
    path = scenario(team, ENSEMBLE.replace('["."]', '["models", "../shared"]'))
    (tmp_path / "shared").mkdir()
    (team / "models").mkdir()
    (team / "models" / "ours.py").write_text("VERSION = 1\n")
    commit(team, "One")
    (team / "models" / "ours.py").write_text("VERSION = 2\n")
    monkeypatch.chdir(team)
    with opened(Asked.of(path, "HEAD"), tmp_path / "gate") as (baseline, candidate):
        own, shared = (Path(part) for part in baseline.document["ensemble"]["search_path"])
        assert (own / "ours.py").read_text() == "VERSION = 1\n"
        assert own.is_relative_to(tmp_path / "gate")
        assert shared == tmp_path / "shared"
        assert (Path(candidate.document["ensemble"]["search_path"][0]) / "ours.py").read_text() == (
            "VERSION = 2\n"
        )
        assert baseline.record.kind == "revision"
        assert baseline.record.label.startswith("HEAD (")
        assert (candidate.record.kind, candidate.record.revision) == ("working tree", None)
    with (
        pytest.raises(SideError, match=r"HEAD~1 \(\w{7}\) has no folder models; commit it"),
        opened(Asked.of(path, "HEAD~1"), tmp_path / "gate"),
    ):
        pass


def test_a_trace_is_asked_of_both_sides_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = repository(tmp_path / "team")
    (team / "trace.csv").write_text("timestamp_s\n0\n1\n")
    commit(team, "One")
    path = scenario(team, PLAIN + 'workload = "trace"\ntrace = "trace.csv"\n')
    path.write_text(path.read_text().replace("[gate]\nrate_rps = 20\n", ""))
    monkeypatch.chdir(team)
    with opened(Asked.of(path, "HEAD"), tmp_path / "gate") as (baseline, candidate):
        assert baseline.document["load"]["trace"] == candidate.document["load"]["trace"]
        assert baseline.document["load"]["trace"] == str(team / "trace.csv")


def test_an_ensemble_that_is_a_package_of_the_checkout_is_each_sides_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is installed from the working tree, components would find that one otherwise."""
    team = repository(tmp_path / "team")
    (team / "src" / "ours").mkdir(parents=True)
    (team / "src" / "ours" / "__init__.py").write_text("")
    commit(team, "One")
    path = scenario(tmp_path, ENSEMBLE.replace('search_path = ["."]\n', ""))
    monkeypatch.chdir(team)
    with opened(Asked.of(path, "HEAD"), tmp_path / "gate") as sides:
        for side, folder in zip(sides, (None, team), strict=True):
            (found,) = side.document["ensemble"]["search_path"]
            assert found == str(side.folder / "src")
            assert side.environment["PYTHONPATH"].split(os.pathsep)[0] == found
            assert folder in (None, side.folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as its own repository: HEAD~1 and the working tree answer differently."""
    top = tmp_path_factory.mktemp("project") / "checkout"
    left = shutil.ignore_patterns("__pycache__")
    for name in ("architectures", "harness", "workloads"):
        shutil.copytree(ROOT / name, top / name, ignore=left)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, top / name)
    scenario(top)
    front = top / "architectures" / "front" / "__init__.py"
    now = front.read_text()
    front.write_text(now.replace('"ok\\n"', '"ok, as it was\\n"'))
    assert front.read_text() != now
    commit(repository(top), "As it was")
    front.write_text(now)
    commit(top, "As it is")
    return top


_WHERE = """
import json, subprocess, sys
from pathlib import Path
import harness, workloads
from harness import locust_process
ask = "import architectures, workloads; print(architectures.__file__, workloads.__file__)"
said = subprocess.run(
    [sys.executable, "-c", ask], env=locust_process._environment(Path("/")), cwd="/",
    capture_output=True, text=True, check=True,
).stdout.split()
print(json.dumps([harness.__file__, workloads.__file__, *said]))
"""


def test_each_side_is_its_own_code_throughout(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Harness, load generator and components, over an editable install of another checkout."""
    monkeypatch.chdir(project)
    asked = Asked.of(project / "plain.toml", "HEAD~1")
    with opened(asked, tmp_path / "gate") as sides:
        assert {side.interpreter for side in sides} == {sys.executable}
        for side, answer in zip(sides, ("ok, as it was\n", "ok\n"), strict=True):
            code = side.folder / "architectures" / "null_service"
            assert {path.name.partition(".")[0] for path in code.glob("__pycache__/*.pyc")} == {
                path.stem for path in code.glob("*.py")
            }, "no block's start-up is to compile it"
            found = json.loads(_in(side, "-c", _WHERE))
            assert all(Path(file).is_relative_to(side.folder) for file in found), found
            assert _served(side, "/healthz") == answer
    assert list((tmp_path / "gate").iterdir()) == []


def _in(side: Side, *words: str) -> str:
    environment = {**os.environ, **side.environment}
    return subprocess.run(
        [side.interpreter, *words], cwd="/", env=environment,
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def _served(side: Side, path: str) -> str:
    """What the side's null service answers, deployed by the side's own harness."""
    process = subprocess.Popen(
        [side.interpreter, "-m", "harness", "serve", "null_service"],
        cwd=side.folder,
        env={**os.environ, **side.environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with urlopen(url + path) as answer:  # noqa: S310 - loopback, as it said
            return str(answer.read().decode())
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def side_of(document: dict[str, Any]) -> Side:
    record = SideRecord(name="baseline", kind="variant", label="x", sut="x:y", scenario="s.toml")
    return Side(record, document, sys.executable, ROOT, {})


OPEN = {"rates": [7.5], "blocks": 25, "seed": 3}
CLOSED = {"loop": "closed", "concurrency": [1, 4], "blocks": 1, "steady_s": 3.0}


@pytest.mark.parametrize("path", scenario_files(ROOT / "scenarios"), ids=lambda path: path.stem)
@pytest.mark.parametrize("load", [OPEN, CLOSED], ids=["open", "closed"])
def test_every_scenario_can_be_written_at_one_rate_and_in_a_closed_loop(
    path: Path, load: dict[str, Any], tmp_path: Path
) -> None:
    document = document_of(path)
    document["suts"] = document["suts"][:1]
    write_scenario(side_of(document), tmp_path / "side.toml", load=load)
    was, found = read_scenario(path), read_scenario(tmp_path / "side.toml")
    assert found.capacity is None
    assert found.gate is None
    assert found.suts == was.suts[:1]
    assert found.policy == was.policy
    assert found.ensemble == was.ensemble
    assert found.events == was.events
    assert found.load.blocks == load["blocks"]
    assert found.load.loop == load.get("loop", "open")
    assert found.load.rates == tuple(load.get("rates", ()))
    assert found.load.sweep is None
    assert found.load.concurrency == tuple(load.get("concurrency", ()))


@pytest.mark.parametrize("suts", [None, ["monolith", "ray_serve"]])
def test_what_is_written_is_the_document_with_what_was_asked(
    tmp_path: Path, suts: list[str] | None
) -> None:
    document = document_of(scenario(tmp_path, PLAIN.replace("rates = [20]", _SWEPT)))
    write_scenario(side_of(document), tmp_path / "side.toml", load=OPEN, suts=suts)
    written = tomllib.loads((tmp_path / "side.toml").read_text())
    assert written["load"] == {"warm_up_s": 0.5, "loop": "open", **OPEN}
    assert written["suts"] == suts or ["null_service"]
    assert "sweep" in document["load"], "the side's own document is not to be changed"


_SWEPT = 'warm_up_s = 0.5\nsweep = { low = "0.1 ceiling", high = "1 ceiling" }'


def test_what_cannot_be_run_is_said_before_it_is_played(tmp_path: Path) -> None:
    document = document_of(scenario(tmp_path))
    with pytest.raises(ScenarioError, match=r"side\.toml: load.blocks = 0"):
        write_scenario(side_of(document), tmp_path / "side.toml", load={"blocks": 0})
