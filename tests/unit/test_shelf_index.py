"""The shelf: every folder is a row, searched by what it is; none hides another."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.effort.record import EFFORT_FILE, EffortRecord, EffortRow
from harness.pairs.record import GATE_FILE, GateRecord, PairRecord, SideRecord
from harness.pairs.section import GateSection
from harness.record import FORMAT_VERSION, RunRecord
from reports.__main__ import main
from reports.shelf.entry import Entry, Share
from reports.shelf.read import ShelfError, read_shelf
from reports.shelf.tags import retag
from tests.golden.report.simulated_run import MONOLITH, Plan, simulate
from tests.shelf_runs import put

ANSWER = "monolith:default carries 24 rps."


def index(*arguments: object) -> str:
    done = CliRunner().invoke(main, ["index", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def listed(runs: Path, *arguments: str) -> set[str]:
    """The names of the runs that the table holds."""
    output = index(runs, "--limit", "1000", *arguments)
    return {path.name for path in runs.iterdir() if f" {path.name}" in output}


def only(runs: Path) -> Entry:
    (entry,) = read_shelf(runs)
    return entry


def test_a_run_is_a_row_with_what_it_was_and_what_it_found(tmp_path: Path) -> None:
    folder = put(tmp_path, 5, trials=3, doubted=1, answer=ANSWER, tags=("nightly",))
    retag(folder, ["+good"])
    entry = only(tmp_path)
    assert (entry.kind, entry.name, entry.scenario) == ("run", "20261101-130000-quick", "quick")
    assert (entry.status, entry.trusted) == ("complete", Share(2, 3, "trials"))
    assert entry.suts == ("monolith:default", "ray_serve:tuned")
    assert entry.architectures == ("monolith", "ray_serve")
    assert entry.answer == ANSWER
    assert entry.tags == ("nightly", "good")
    assert entry.revision == "abababababab"
    assert entry.page == "20261101-130000-quick/report.html"
    assert entry.command == f"python -m reports {folder}"
    assert entry.doubt == ""


def test_a_run_without_a_page_says_how_to_make_it(tmp_path: Path) -> None:
    put(tmp_path, 0)
    entry = only(tmp_path)
    assert (entry.answer, entry.page) == ("", "")
    assert "no page yet" in index(tmp_path)
    assert f"<code>{entry.command}</code>" in (tmp_path / "index.html").read_text()


def test_a_page_that_was_made_while_it_ran_says_so(tmp_path: Path) -> None:
    folder = put(tmp_path, 0, answer=ANSWER, status="running")
    record = RunRecord.read(folder).model_copy(update={"status": "complete"})
    (folder / "run.json").write_text(record.model_dump_json())
    assert "its page was made while it was running: make it again" in only(tmp_path).doubt


def test_the_answer_of_a_real_summary_is_found_at_its_head(tmp_path: Path) -> None:
    simulate(tmp_path / "run", Plan(suts=(MONOLITH,), blocks=1, steady_s=2.0, warm_up_s=0.5))
    assert only(tmp_path).answer == ""
    index(tmp_path, "--fresh")
    found = json.loads((tmp_path / "run/summary.json").read_text())["answer"]
    said = next(one["text"] for one in found if one["kind"] == "answer")
    entry = only(tmp_path)
    assert entry.answer == said
    assert entry.page == "run/report.html"


def test_newest_first_and_the_whole_shelf_quickly(tmp_path: Path) -> None:
    for number in range(300):
        put(tmp_path, number, trials=1, answer=ANSWER)
    entries = read_shelf(tmp_path)
    assert [entry.name for entry in entries] == sorted((e.name for e in entries), reverse=True)
    output = index(tmp_path, "--limit", 7)
    assert output.count("-quick ") == 7
    assert "7 of 300 shown, 300 on the shelf" in output
    assert max(map(len, output.splitlines())) <= max(100, len(str(tmp_path / "index.html")))
    assert (tmp_path / "index.html").read_text().count('<tr role="row" id=') == 300


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    put(runs, 0, tags=("nightly", "idea"))
    put(runs, 24, name="sweep", tags=("nightly",), suts=("monolith:naive", "microservices:grpc"))
    put(runs, 48, name="web", suts=("ray_serve:tuned",))
    return runs


QUICK, SWEEP, WEB = "20261101-080000-quick", "20261102-080000-sweep", "20261103-080000-web"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), {QUICK, SWEEP, WEB}),
        (("--tag", "nightly"), {QUICK, SWEEP}),
        (("--tag", "nightly", "--tag", "idea"), {QUICK}),
        (("--scenario", "sweep"), {SWEEP}),
        (("--scenario", "sweep", "--scenario", "scenarios/web.toml"), {SWEEP, WEB}),
        (("--architecture", "monolith"), {QUICK, SWEEP}),
        (("--architecture", "monolith", "--architecture", "ray_serve"), {QUICK}),
        (("--architecture", "monolith:naive"), {SWEEP}),
        (("--since", "2026-11-02"), {SWEEP, WEB}),
        (("--since", "2026-11-02T08:01"), {WEB}),
        (("--tag", "nightly", "--since", "2026-11-02"), {SWEEP}),
        (("--tag", "never"), set()),
    ],
)
def test_search(shelf: Path, arguments: tuple[str, ...], found: set[str]) -> None:
    assert listed(shelf, *arguments) == found


def test_a_search_is_in_the_pages_link_and_the_page_holds_everything(shelf: Path) -> None:
    output = index(shelf, "--tag", "idea", "--architecture", "monolith:default")
    fragment = "#tag=idea&architecture=monolith%3Adefault"
    assert output.splitlines()[-1] == f"{shelf / 'index.html'}{fragment}"
    assert (shelf / "index.html").read_text().count('<tr role="row" id=') == 3


def test_a_word_that_nothing_has_brings_the_nearest(shelf: Path) -> None:
    done = CliRunner().invoke(main, ["index", str(shelf), "--tag", "nigthly"])
    assert "nothing on the shelf has the tag 'nigthly'; did you mean nightly?" in done.output


def test_a_web_session_is_called_one(shelf: Path) -> None:
    kinds = {entry.name: entry.kind for entry in read_shelf(shelf)}
    assert kinds == {QUICK: "run", SWEEP: "run", WEB: "web session"}


def test_damaged_and_newer_runs_are_rows_and_hide_nothing(tmp_path: Path) -> None:
    put(tmp_path, 0, tags=("nightly",))
    damaged, newer = put(tmp_path, 1), put(tmp_path, 2)
    (damaged / "run.json").write_text('{"format_version": 1, "run')
    document = json.loads((newer / "run.json").read_text())
    newest = {**document, "format_version": FORMAT_VERSION + 1, "new": 1}
    (newer / "run.json").write_text(json.dumps(newest))
    binary, half, empty = put(tmp_path, 3), put(tmp_path, 4), put(tmp_path, 5)
    (binary / "run.json").write_bytes(b"\xff\xfe\x00")
    (half / "trials/b00-s00-monolith-default/trial.json").write_text("{")
    (half / "tags.json").write_text("[]")
    (empty / "run.json").unlink()
    (empty / "scenario.toml").write_text("")
    (tmp_path / "notes").mkdir()
    found = {entry.name: entry for entry in read_shelf(tmp_path)}
    assert len(found) == 6
    for folder in (damaged, newer, binary, empty):
        assert (found[folder.name].status, found[folder.name].kind) == ("unreadable", "unknown")
        assert found[folder.name].when
    assert "damaged or edited" in found[damaged.name].doubt
    assert f"format_version is {FORMAT_VERSION + 1}" in found[newer.name].doubt
    assert "ended while it was prepared" in found[empty.name].doubt
    assert found[half.name].trusted == Share(1, 2, "trials")
    assert "1 of its trial records cannot be read" in found[half.name].doubt
    assert "cannot be read as tags" in found[half.name].doubt
    output = index(tmp_path, "--tag", "nightly")
    assert all(name in output for name in (damaged.name, newer.name, QUICK))
    assert "Traceback" not in output


def test_effort_and_gates_are_rows(tmp_path: Path) -> None:
    run = RunRecord.read(put(tmp_path / "apart", 0))
    row = EffortRow(sut="monolith:default", deployment="3", repeat=0)
    effort = EffortRecord(
        run_id="e", created_utc="2026-11-05T10:00:00+00:00", version="0.1.0", name="growth",
        summary="How it grows", axis="models", suts=("monolith:default",), deployments=("3",),
        code_lines={}, environment=run.environment, ensemble=run.ensemble,
        rows=(row, row.model_copy(update={"error": "did not start"})), complete=True,
    )  # fmt: skip
    (tmp_path / "runs/e").mkdir(parents=True)
    (tmp_path / "runs/e" / EFFORT_FILE).write_text(effort.model_dump_json())
    sides = tuple(
        SideRecord(name=name, kind="revision", label=name, revision=name[0] * 40, sut="monolith:x",
                   scenario="gate.toml")
        for name in ("baseline", "candidate")
    )  # fmt: skip
    pairs = tuple(
        PairRecord(block=block, first="baseline", contaminated=why, wall_s=1.0)
        for block, why in enumerate(((), ("a noisy host",), ()))
    )
    gate = GateRecord(
        gate_id="g", created_utc="2026-11-06T10:00:00+00:00", version="0.1.0", name="gate",
        kind="gate", section=GateSection(), seed=1, sides=sides, pairs=pairs, status="complete",
    )  # fmt: skip
    (tmp_path / "runs/g/baseline/one").mkdir(parents=True)
    (tmp_path / "runs/g/baseline/one/run.json").write_text(run.model_dump_json())
    (tmp_path / "runs/g" / GATE_FILE).write_text(gate.model_dump_json())
    (tmp_path / "runs/g/verdict.json").write_text('{"outcome": "pass", "words": "All is well."}')
    first, second = read_shelf(tmp_path / "runs")
    assert (first.kind, first.scenario, first.answer) == ("gate", "gate", "pass: All is well.")
    assert (first.trusted, first.suts) == (Share(2, 3, "pairs"), ("monolith:x",))
    assert first.summary == "candidate against baseline"
    assert (second.kind, second.answer) == ("effort", "How it grows")
    assert (second.trusted, second.status) == (Share(1, 2, "deployments"), "complete")


def test_links_beside_their_run_are_no_rows_and_links_from_elsewhere_are(tmp_path: Path) -> None:
    folder = put(tmp_path / "runs", 0)
    (tmp_path / "runs/latest").symlink_to(folder.name)
    (tmp_path / "runs/gone").symlink_to("nowhere")
    (tmp_path / "runs/far").symlink_to(put(tmp_path / "elsewhere", 1))
    assert {entry.name for entry in read_shelf(tmp_path / "runs")} == {folder.name, "far"}


def test_pages_beside_the_runs_are_rows(tmp_path: Path) -> None:
    (tmp_path / "trends.html").write_text("<title>Stored runs \u00b7 servebench &amp; co</title>")
    (tmp_path / "index.html").write_text("<title>itself</title>")
    entry = only(tmp_path)
    assert (entry.kind, entry.answer, entry.page) == ("page", "Stored runs", "trends.html")


def test_markup_is_text_everywhere(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>\"'&[red]"
    put(tmp_path, 0, name="a b#c?", answer=evil, tags=(evil, "fine"), suts=(f"{evil}:x",))
    (tmp_path / f"{'<b>'}.html").write_text(f"<title>{evil}</title>")
    output = index(tmp_path)
    assert "[red]" in output
    page = (tmp_path / "index.html").read_text()
    assert "<img" not in page
    assert "<b>" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") > 5
    assert 'href="20261101-080000-a%20b%23c%3F/report.html"' in page


def test_a_page_elsewhere_links_back(tmp_path: Path) -> None:
    folder = put(tmp_path / "my runs", 0, answer=ANSWER)
    out = tmp_path / "pages" / "here.html"
    index(tmp_path / "my runs", "--out", out)
    assert f'href="../my%20runs/{folder.name}/report.html"' in out.read_text()


def test_an_empty_shelf_says_how_to_begin(tmp_path: Path) -> None:
    assert "0 on the shelf" in index(tmp_path)
    assert "nox -s bench" in (tmp_path / "index.html").read_text()


def test_no_shelf_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(ShelfError, match="is no folder of runs"):
        read_shelf(tmp_path / "nothing")
    done = CliRunner().invoke(main, ["index", str(tmp_path / "nothing")])
    assert done.exit_code == 2
    assert "index: " in done.output
