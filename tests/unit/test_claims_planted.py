"""Claims about runs of known truth get the known verdicts, the same in every form."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reports.claims import phrases
from reports.claims.command import claims as command
from reports.claims.forest import forests
from reports.claims.markdown import markdown
from reports.claims.page import render
from reports.claims.record import (
    CLAIMS_FORMAT,
    Claims,
    JudgedClaim,
    JudgedHypothesis,
    read_claims,
)
from reports.claims.rule import shared_level
from reports.compare import compare
from reports.frames import open_run
from reports.results import measure_run
from tests.planted_claims import SAID, SUTS, Planted, claims_of_every_verdict

ROOT = Path(__file__).parents[2]
MONOLITH, MICROSERVICES, RAY = SUTS


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return claims_of_every_verdict(tmp_path_factory.mktemp("claims"))


def ask(planted: Planted, *more: str) -> Result:
    files = [str(path) for path in sorted((planted.claims).glob("*.toml"))]
    named = () if "--from" in more else (*files, "--runs", str(planted.runs))
    return CliRunner().invoke(command, [*named, *more])


@pytest.fixture(scope="module")
def out(planted: Planted) -> Path:
    folder = planted.folder / "out"
    result = ask(planted, "--out", str(folder))
    assert result.exit_code == 0, result.output
    assert result.output.rstrip().endswith("claims.html")
    assert "2 refuted" in result.output
    return folder


@pytest.fixture(scope="module")
def judged(out: Path) -> Claims:
    return read_claims(out / "claims.json")


def claim(judged: Claims, key: str) -> JudgedClaim:
    return next(one for one in judged.claims if one.key == key)


@pytest.mark.parametrize("word", ["supported", "refuted", "inconclusive"])
def test_the_truth_that_was_planted_is_found(judged: Claims, word: str) -> None:
    found = claim(judged, word)
    assert [one.word for one in found.hypotheses] == [word] * len(SAID[word])
    assert found.word == word


def test_a_claim_refuted_in_one_part_says_both(judged: Claims) -> None:
    found = claim(judged, "refuted_in_part")
    assert [one.word for one in found.hypotheses] == ["supported", "refuted"]
    assert found.word == "refuted"


def test_effects_are_the_paired_ratios_at_the_shared_level(
    planted: Planted, judged: Claims
) -> None:
    results = measure_run(open_run(next(planted.runs.glob("*-planted"))))
    found = claim(judged, "supported")
    level = shared_level(len(SAID["supported"]))
    assert found.level == pytest.approx(level)
    this, other = (results.cell(sut, 0).by_block("cpu_ms") for sut in (MICROSERVICES, MONOLITH))
    ratio = compare(this, other, level).ratio
    first = found.hypotheses[0]
    assert first.effect is not None
    assert (first.effect.point, first.effect.low, first.effect.high, first.effect.n) == (
        ratio.point, ratio.low, ratio.high, 4
    )  # fmt: skip
    assert first.way == "paired"
    assert first.effect.point == pytest.approx(1.5, rel=0.05)


def test_blocks_that_cannot_be_trusted_are_left_out_and_counted(judged: Claims) -> None:
    found = claim(judged, "supported").hypotheses[1]
    assert found.effect is not None
    assert found.effect.n == 3
    assert found.this is not None
    assert found.this.left_out == 1


def test_each_comparison_is_made_as_it_can_be(judged: Claims) -> None:
    ways = [one.way for one in claim(judged, "supported").hypotheses]
    assert ways == [
        "paired", "paired", "paired", "absolute", "absolute", "unpaired", "exact", "exact",
        "paired",
    ]  # fmt: skip
    exact = claim(judged, "supported").hypotheses[6].effect
    assert exact is not None
    assert (exact.point, exact.low, exact.high) == (3.25, 3.25, 3.25)
    two = claim(judged, "supported").hypotheses[5]
    assert (two.n_other, len(two.runs)) == (4, 2)


def test_what_stays_open_says_why(judged: Claims) -> None:
    why = [one.why for one in claim(judged, "inconclusive").hypotheses]
    assert why[0] == "the interval holds the bound"
    assert "not carried: " in why[1]
    assert "changed by deploying anew" in why[2]
    assert why[3]
    untested = claim(judged, "not_tested")
    assert untested.word == "not tested"
    assert "not on this machine: needs 513 cores" in phrases.needs(untested.hypotheses[0])


def test_the_chance_of_wrong_words_is_reckoned_from_what_was_judged(judged: Claims) -> None:
    k = {name: len(sections) for name, sections in SAID.items()}
    intervals = {"supported": 7, "refuted": 4, "inconclusive": 4, "refuted_in_part": 2}
    missed = sum(0.05 / k[name] * n for name, n in intervals.items())
    assert f"{sum(k.values()) - 1} hypotheses were judged" in phrases.chance(judged)
    assert f"chance makes {missed:.2g} miss" in phrases.chance(judged)


def test_every_form_says_every_word(out: Path, judged: Claims) -> None:
    page, words = (out / "claims.html").read_text(), (out / "claims.md").read_text()
    for one in judged.claims:
        assert f'<section id="{one.key}"' in page
        assert f"## {one.statement}" in words
        for part in one.hypotheses:
            assert phrases.effect(part).split(" (")[0] in words
    shown = re.findall(r"</span> (supported|refuted|inconclusive|not tested)</span></td>", page)
    assert shown == [one.word for one in judged.claims]
    assert "said, in substance" in page.lower()
    assert "https://example.org/said?a=1&amp;b=2" in page
    assert page.count("planted</a> (planted)") >= 4, "each claim links the run it rests on"


def test_every_effect_is_drawn_with_its_interval_and_bound(judged: Claims) -> None:
    for one in judged.claims:
        drawn = [part for part in one.hypotheses if part.effect and part.effect.point is not None]
        charts = forests(one)
        points = [trace for chart in charts for trace in chart.figure["data"] if "meta" in trace]
        assert sum(len(trace["x"]) for trace in points) == len(drawn)
        for trace in points:
            assert trace["meta"] == {"columns": ["low", "high", "n"]}
            assert len(trace["customdata"]) == len(trace["x"])
            assert {part.word for part in drawn} >= {trace["name"]}
        x = [value for trace in points for value in trace["x"]]
        assert sorted(x) == pytest.approx(sorted(effect(part) for part in drawn), rel=1e-3)
        lines = [trace for chart in charts for trace in chart.figure["data"] if "meta" not in trace]
        bounds = [value for trace in lines for value in trace["x"]]
        assert sorted(bounds) == pytest.approx(sorted(part.bound for part in drawn), rel=1e-3)
        shaded = [shape for chart in charts for shape in chart.figure["layout"]["shapes"]
                  if shape["type"] == "rect"]  # fmt: skip
        starts = sorted(shape["x0"] for shape in shaded if shape["x0"] in bounds)
        above = sorted(part.bound for part in drawn if part.side == "above")
        assert [start for start in starts if start > 0] == above


def effect(part: JudgedHypothesis) -> float:
    assert part.effect is not None
    assert part.effect.point is not None
    return part.effect.point


def test_the_forms_can_be_made_again_of_the_file_alone(
    planted: Planted, out: Path, judged: Claims
) -> None:
    source = ("--from", str(out / "claims.json"))
    printed = ask(planted, *source, "--markdown")
    assert printed.output == markdown(judged, document=True)
    assert (out / "claims.md").read_text() == markdown(judged)
    assert printed.output.splitlines()[2].startswith(
        "*Explanation* · [all documents](../README.md)"
    )
    again = ask(planted, *source, "--out", str(planted.folder / "again"))
    assert again.exit_code == 0
    assert (planted.folder / "again/claims.json").read_text() == (out / "claims.json").read_text()


def test_labels_that_are_markup_stay_text(judged: Claims) -> None:
    first = judged.claims[0]
    hostile = first.model_copy(update={"statement": "</script><b>bold</b> | [x](y)"})
    text = judged.model_copy(update={"claims": (hostile,)})
    assert "<b>bold</b>" not in render(text)
    line = next(line for line in markdown(text).splitlines() if "bold" in line)
    assert "<b>" not in line


def test_missing_is_lines_for_a_program_and_the_rest_goes_to_standard_error(
    planted: Planted,
) -> None:
    alone = planted.claims / "not_tested.toml"
    said = CliRunner().invoke(command, [str(alone), "--runs", str(planted.runs), "--missing"])
    assert said.stdout == ""
    assert "elsewhere.toml needs 513 cores" in said.stderr
    empty = planted.folder / "empty"
    empty.mkdir(exist_ok=True)
    files = [str(planted.claims / f"{name}.toml") for name in ("supported", "refuted")]
    lines = CliRunner().invoke(command, [*files, "--runs", str(empty), "--missing"]).stdout
    names = [(line.split()[0], Path(line.split()[1]).name) for line in lines.splitlines()]
    assert names == [
        ("run", "planted.toml"), ("run", "one.toml"), ("run", "two.toml"), ("effort", "growth.toml")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as judged claims"),
        ("[]", "cannot be read as judged claims"),
        (json.dumps({"claims_format": CLAIMS_FORMAT + 1}), "reads up to"),
        (None, "makes one"),
    ],
)
def test_mistakes_end_in_words(planted: Planted, text: str | None, said: str) -> None:
    path = planted.folder / "broken.json"
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)
    result = ask(planted, "--from", str(path), "--markdown")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("claims: ")


def test_a_folder_of_runs_that_is_not_there_is_named(planted: Planted) -> None:
    result = CliRunner().invoke(command, ["--runs", str(planted.folder / "nowhere")])
    assert result.exit_code == 2
    assert "nowhere: is no folder" in result.stderr


def test_committed_verdicts_are_those_of_the_committed_evidence() -> None:
    source, pages = ROOT / "docs/evidence/claims.json", sorted((ROOT / "docs/claims").glob("*.md"))
    assert source.is_file() == bool(pages), "docs/claims/*.md are made of docs/evidence/claims.json"
    for page in pages:
        assert page.read_text() == markdown(read_claims(source), document=True), (
            f"python -m reports claims --from {source.relative_to(ROOT)} --markdown > {page}"
        )
