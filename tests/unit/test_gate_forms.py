"""A verdict as a table, in Markdown and as JUnit XML: the same numbers, whatever is in a label."""

import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from reports.gate import phrases, tables
from reports.gate.charts import pair_chart
from reports.gate.forest import margins
from reports.gate.junit import junit
from reports.gate.markdown import escaped, markdown, marker, noted
from reports.gate.page import render
from reports.gate.verdict import Verdict
from tests import gate_verdicts

EVERY = [
    gate_verdicts.passed,
    gate_verdicts.regressed,
    gate_verdicts.inconclusive,
    gate_verdicts.warned,
    gate_verdicts.unfit,
    gate_verdicts.disturbed,
    gate_verdicts.aa,
    gate_verdicts.hostile,
]
Make = Callable[[], Verdict]
every = pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)


class Page(HTMLParser):
    """What a reader of rendered Markdown has before him: elements, cells and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags and self.tags[-1] in {"td", "th", "strong"} and self.rows:
            self.rows[-1][-1] += data.strip("\n")


def rendered(verdict: Verdict) -> Page:
    page = Page()
    page.feed(MarkdownIt("commonmark").enable("table").render(markdown(verdict)))
    return page


@every
def test_markdown_begins_with_its_marker_and_the_outcome(make: Make) -> None:
    verdict = make()
    lines = markdown(verdict).splitlines()
    assert lines[0] == marker(verdict.name)
    assert lines[1].startswith("### ")
    assert phrases.TITLES[verdict.outcome] in lines[1]
    assert len(markdown(verdict)) < 65_536, "GitHub takes no longer comment"


@every
def test_every_row_of_the_table_has_every_column(make: Make) -> None:
    verdict = make()
    page = rendered(verdict)
    judged = [cells for cells in page.rows if len(cells) == 8]
    rows = phrases.spoken_of(verdict)
    assert {row.key for row in rows} >= {row.key for row in verdict.rows if row.gating}
    assert len(judged) == (len(rows) + 1 if rows else 0)
    for row, cells in zip(rows, judged[1:], strict=False):
        assert cells[0] == row.name
        assert cells[3] == phrases.worse_by(row, row.estimate)
        assert cells[7].startswith(row.word)


def test_a_label_cannot_break_a_comment_or_call_anybody() -> None:
    page = rendered(gate_verdicts.hostile())
    assert "a|b `c` <script>alert(1)</script>" in page.text
    assert "*x* [y](z) | new row" in page.text
    (differs,) = [cells for cells in page.rows if cells[-1] == "other"]
    assert len(differs) == 3
    assert differs[0] == differs[1]
    assert differs[0].startswith("a|b `c` <script>")
    assert not {"script", "em", "a"} & set(page.tags)
    assert not re.search(r"@\w", page.text), "somebody would be called"
    assert markdown(gate_verdicts.hostile()).splitlines()[0] == "<!-- servebench-gate: na-me -->"


def test_nothing_of_a_label_is_left_to_be_read_as_markup() -> None:
    assert not set(escaped("a|b `c` <d> *e* [f] _g_ \\ # @h ~i~ $j$ &k;")) & set("|`<>*[]_\\~$")
    assert escaped("snake_case, 1.5 %") == "snake_case, 1.5 %"
    assert noted("give `--only cpu_ms` to <it>") == "give `--only cpu_ms` to &#60;it&#62;"


def test_the_marker_stays_inside_its_comment() -> None:
    assert marker("a --> <b>") == "<!-- servebench-gate: a-b -->"
    assert marker("---") == "<!-- servebench-gate: gate -->"


def test_a_link_leads_to_the_page() -> None:
    said = markdown(gate_verdicts.passed(), link="https://ci.example/1 (2)")
    assert "](https://ci.example/1%20%282%29)" in said
    assert "](" not in markdown(gate_verdicts.passed())


def test_what_was_redone_and_what_differs_is_there() -> None:
    said = rendered(gate_verdicts.regressed()).text
    assert "others used 0.380 of the SUT's cores" in said
    assert "2.4.5" in said
    assert "8 pairs of at most 16, 1 redone" in said
    assert "50 % of the baseline's capacity of 80.0 rps" in said


def suite_of(verdict: Verdict) -> ET.Element:
    root = ET.fromstring(junit(verdict))  # noqa: S314 - our own
    assert root.tag == "testsuites"
    (suite,) = root
    return suite


def results(verdict: Verdict) -> dict[str, str]:
    """Case -> how it ended."""
    return {
        case.get("name", ""): case[0].tag if len(case) else "passed"
        for case in suite_of(verdict).iter("testcase")
    }


@every
def test_junit_is_what_its_schemas_take(make: Make) -> None:
    """Those of Ant's JUnitReport and of Jenkins' xUnit plugin, where they are strict."""
    suite = suite_of(make())
    order = [child.tag for child in suite]
    cases = list(suite.iter("testcase"))
    assert order == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
    assert set(suite.keys()) == {
        "name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id",
        "package",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
    assert re.fullmatch(r"\d+\.\d+", suite.get("time", ""))
    for case in cases:
        assert set(case.keys()) == {"name", "classname", "time"}
        assert len(case) <= 1
        assert all(set(child.keys()) == {"type", "message"} for child in case)
    ended = [case[0].tag for case in cases if len(case)]
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(key, "")) == ended.count(tag)
    assert int(suite.get("tests", "")) == len(cases) > 0


def test_junit_ends_as_the_gate_does() -> None:
    found = results(gate_verdicts.regressed())
    assert found["CPU per request"] == "failure"
    assert found["Start-up"] == "passed"
    assert found["Response time p99"] == "skipped", "informational"
    assert results(gate_verdicts.inconclusive())["Response time p95"] == "failure"
    assert results(gate_verdicts.warned())["Response time p95"] == "skipped"
    assert results(gate_verdicts.unfit()) == {"The comparison": "error"}
    disturbed = results(gate_verdicts.disturbed())
    assert disturbed["CPU per request"] == "error"
    assert disturbed["Response time p99"] == "skipped"


@every
def test_junit_fails_where_the_exit_code_does(make: Make) -> None:
    verdict = make()
    suite = suite_of(verdict)
    bad = int(suite.get("failures", "")) + int(suite.get("errors", ""))
    assert (bad > 0) == (verdict.exit_code != 0)


def test_a_regression_nobody_believes_fails_only_where_inconclusive_does() -> None:
    for how, ended, code in (("warn", "skipped", 0), ("fail", "failure", 3)):
        verdict = gate_verdicts.regressed().model_copy(
            update={"outcome": "inconclusive", "inconclusive": how, "exit_code": code}
        )
        assert results(verdict)["CPU per request"] == ended


def test_junit_holds_what_xml_cannot() -> None:
    verdict = gate_verdicts.made(6, spread=0.5, name="bell\x07", words="esc\x1b[0m \ufffe")
    assert suite_of(verdict).get("name") == "servebench gate: bell "


@every
def test_the_terminal_has_every_metric(make: Make) -> None:
    verdict = make()
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(tables.terminal(verdict))
    said = console.export_text()
    for row in phrases.spoken_of(verdict):
        (line,) = (line for line in said.splitlines() if line.startswith(f" {row.name} "))
        assert phrases.worse_by(row, row.estimate) in line
        assert row.word in line


@every
def test_sides_agree_with_the_estimate(make: Make) -> None:
    """The geometric means' ratio is the estimate, turned where more is better."""
    for row in make().rows:
        if row.estimate is None:
            continue
        before, after = phrases.middle(row, "baseline"), phrases.middle(row, "candidate")
        assert before is not None
        assert after is not None
        if row.kind == "ratio":
            assert row.estimate == pytest.approx(
                after / before if row.better == "lower" else before / after
            )
            changes = [change for p in row.pairs if (change := phrases.oriented(row, p))]
            assert math.prod(changes) ** (1 / row.n) == pytest.approx(row.estimate)


def test_margins_are_one_scale() -> None:
    row = gate_verdicts.passed().row("goodput_rps")
    assert margins(row, 1.0) == 0
    assert margins(row, 1 + row.margin) == pytest.approx(1)
    errors = gate_verdicts.passed().row("error_share")
    assert margins(errors, errors.margin / 2) == pytest.approx(0.5)
    answers = gate_verdicts.passed().row("wrong_share")
    assert margins(answers, 0.0) == 0
    assert margins(answers, 0.01) == math.inf


def test_a_metric_without_numbers_says_why() -> None:
    verdict = gate_verdicts.passed()
    empty = verdict.rows[0].model_copy(
        update={
            "pairs": (), "n": 0, "estimate": None, "low": None, "high": None, "holm_low": None,
            "p": None, "holm_rank": None, "holm_level": None, "spread": None, "detectable": None,
            "pairs_needed": None, "robust": None, "word": "inconclusive", "says": "no OK answers",
        }
    )  # fmt: skip
    bare = verdict.model_copy(update={"rows": (empty,), "pressure": {}, "fingerprint": {}})
    assert "no OK answers" in rendered(bare).text
    assert "no OK answers" in ET.tostring(suite_of(bare), encoding="unicode")
    rulings = tables.rulings(bare)
    assert rulings is not None
    assert rulings.rows[0][-1].text == "no OK answers"


def test_a_page_without_anything_measured_says_what_is_missing() -> None:
    said = render(gate_verdicts.unfit())
    assert said.count("the two sides were asked for others") == 1
    assert "cores: the baseline had 2, not 4" in said
    assert "nox -s aa" in said
    assert "data-figure" not in said
    assert 'id="found"' not in said


def test_every_chart_of_the_page_has_its_table() -> None:
    verdict = gate_verdicts.regressed()
    said = render(verdict)
    drawn = [row for row in verdict.rows if row.estimate is not None]
    assert said.count('data-figure="pairs-') == len(drawn) > 5
    for row in drawn:
        assert f"<summary>{row.name}, every pair</summary>" in said
    for section in ("found", "pairs", "evidence", "looks", "redone", "sides", "machine", "codes"):
        assert f'id="{section}"' in said


@every
def test_every_mark_lies_inside_its_chart(make: Make) -> None:
    """Plotly leaves out, without a word, what lies outside."""
    verdict = make()
    for row in verdict.rows:
        chart = pair_chart(verdict, row)
        assert (chart is None) == (row.estimate is None)
        if chart is None:
            continue
        scale = chart.figure["layout"]["yaxis"]
        low, high = scale["range"]
        for trace in chart.figure["data"]:
            places = [math.log10(y) if scale.get("type") == "log" else y for y in trace["y"]]
            assert all(low <= place <= high for place in places), (row.key, trace["name"])
