"""What lies on the shelf beside runs: judged claims, comparisons; and what a gate exports."""

import csv
import io
import json
from pathlib import Path

from click.testing import CliRunner

from harness.pairs.record import GATE_FILE
from reports.__main__ import main
from reports.claims.record import CLAIMS_FILE, read_claims
from reports.compared.record import COMPARED_FILE, Compared, ComparedSide
from reports.gate.verdict import VERDICT_FILE
from reports.shelf.entry import Share
from reports.shelf.read import read_shelf
from tests import gate_verdicts

WHEN = "2026-11-09T12:00:00+00:00"


def test_judged_claims_are_a_row(tmp_path: Path) -> None:
    asked = ["claims", "--runs", str(tmp_path), "--out", str(tmp_path / "claims")]
    assert CliRunner().invoke(main, asked).exit_code == 0
    judged = read_claims(tmp_path / "claims" / CLAIMS_FILE)
    (entry,) = read_shelf(tmp_path)
    assert (entry.kind, entry.name, entry.when) == ("claims", "claims", judged.created_utc)
    assert entry.trusted == Share(
        0, sum(len(c.hypotheses) for c in judged.claims), "hypotheses judged"
    )
    assert set(entry.architectures) >= {"monolith", "ray_serve"}
    assert entry.answer == f"{len(judged.claims)} claims: {len(judged.claims)} not tested."
    assert (entry.page, entry.command) == ("claims/claims.html", "python -m reports claims")


def test_comparisons_are_rows_one_folder_deeper(tmp_path: Path) -> None:
    sides = tuple(
        ComparedSide(
            name=name, asked=name, chosen="c", run_id=f"run-{name}", path="p", created_utc=WHEN,
            scenario="quick", version="0.1.0", revision=name[0] * 40, changed_files=0,
            status="complete", blocks=3,
        )
        for name in ("baseline", "candidate")
    )  # fmt: skip
    compared = Compared(comparable=True, sides=sides, level=0.95, error=0.05, words=("It fell.",))
    folder = tmp_path / "compare" / "a-b"
    folder.mkdir(parents=True)
    (folder / COMPARED_FILE).write_text(compared.model_dump_json())
    (folder / "compared.html").write_text("a page")
    (tmp_path / "compare" / "broken").mkdir()
    (tmp_path / "compare" / "broken" / COMPARED_FILE).write_text("{")
    broken, entry = sorted(read_shelf(tmp_path), key=lambda one: one.kind, reverse=True)
    assert (entry.kind, entry.name, entry.scenario) == ("comparison", "compare/a-b", "quick")
    assert entry.answer == "It fell."
    assert entry.summary == "run-candidate beside run-baseline"
    assert entry.revision == "bbbbbbbbbbbb / cccccccccccc"
    assert entry.page == "compare/a-b/compared.html"
    assert (broken.kind, broken.name) == ("unknown", "compare/broken")


def test_a_gate_exports_its_rulings_and_pairs(tmp_path: Path) -> None:
    verdict = gate_verdicts.regressed()
    (tmp_path / GATE_FILE).write_text("{}")
    (tmp_path / VERDICT_FILE).write_text(verdict.model_dump_json())

    def rows(*arguments: str) -> list[dict[str, str]]:
        done = CliRunner().invoke(main, ["export", str(tmp_path), *arguments])
        assert done.exit_code == 0, done.output
        return list(csv.DictReader(io.StringIO(done.stdout)))

    ruled = rows()
    assert [row["metric"] for row in ruled] == [row.key for row in verdict.rows]
    for row, known in zip(ruled, verdict.rows, strict=True):
        assert (row["word"], row["n"]) == (known.word, str(known.n))
        assert (float(row["point"]) if row["point"] else None) == known.estimate
    values = [(p.block, p.candidate) for row in verdict.rows for p in row.pairs]
    found = [
        (int(row["block"]), float(row["candidate"]) if row["candidate"] else None)
        for row in rows("--what", "pairs")
    ]
    assert found == values
    whole = CliRunner().invoke(main, ["export", str(tmp_path), "--format", "json"]).stdout
    assert json.loads(whole) == verdict.model_dump(mode="json")
    words = CliRunner().invoke(main, ["export", str(tmp_path), "--format", "markdown"]).stdout
    assert words.startswith("<!-- servebench-gate")


def test_a_gate_without_a_verdict_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / GATE_FILE).write_text("{}")
    done = CliRunner().invoke(main, ["export", str(tmp_path)])
    assert done.exit_code == 2
    assert f"`python -m reports {tmp_path}` makes one" in done.output
