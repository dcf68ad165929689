"""The page as a document: whole, offline, escaped, accessible."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.charts.sweep import sweep
from reports.frames import open_run
from reports.page import render
from reports.prices import read_prices
from reports.results import Results, measure_run
from reports.summary import summary
from reports.wording import number
from tests.golden.report.simulated_run import (
    MICROSERVICES,
    MONOLITH,
    NULL,
    RAY,
    SLOW_HOST,
    Plan,
    simulate,
)

HOSTILE = SLOW_HOST.model_copy(
    update={"seen": "<script>alert(1)</script>", "remedy": "</script><b>stop</b>"}
)
PLAN = Plan(
    suts=(MONOLITH, MICROSERVICES, RAY, NULL),
    steady_s=5.0,
    doubts={(0, 0, MONOLITH.key): (HOSTILE,)},
    failed=frozenset({(1, 1, RAY.key)}),
)


class Tags(HTMLParser):
    """Every tag with its attributes, outside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, PLAN)
    return render(measure_run(open_run(path)))


def test_it_needs_no_network_and_is_under_6_mb(page: str) -> None:
    assert len(page.encode()) < 6_000_000
    for tag, attributes in Tags(page).found:
        assert "src" not in attributes, tag
        if tag == "link":
            assert attributes["href"] == "data:,"
    assert "@import" not in page.split("<script>", maxsplit=1)[0]
    assert "url(" not in page.split("<script>", maxsplit=1)[0]


def test_what_a_record_says_stays_text(page: str) -> None:
    assert "<script>alert(1)" not in page
    assert "<b>stop</b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_every_table_has_a_caption_and_scoped_heads(page: str) -> None:
    tags = Tags(page)
    assert len(tags.all("table")) == len(tags.all("caption"))
    assert len(tags.all("table")) > 10
    assert all(head.get("scope") in {"col", "row"} for head in tags.all("th"))
    frames = [d for d in tags.all("div") if d.get("class") == "frame"]
    assert all(frame["tabindex"] == "0" and frame["aria-label"] for frame in frames)


def test_every_chart_has_a_figure_and_says_what_it_shows(page: str) -> None:
    tags = Tags(page)
    charts = [d for d in tags.all("div") if "data-figure" in d]
    ids = {figure["id"] for figure in tags.all("figure")}
    assert {chart["data-figure"] for chart in charts} == ids
    assert len(ids) == len(charts) > 10
    inside = [s for s in tags.all("script") if s.get("type") == "application/json"]
    assert len(inside) == len(charts)
    assert all(chart["aria-label"] for chart in charts)


def test_every_link_inside_the_page_leads_somewhere(page: str) -> None:
    tags = Tags(page)
    ids = {attributes.get("id") for _, attributes in tags.found}
    inner = [a["href"] for a in tags.all("a") if (a["href"] or "").startswith("#")]
    assert inner
    assert all(href and href[1:] in ids for href in inner)


def test_the_answer_comes_before_everything_else(page: str) -> None:
    body = page.split("<body>", maxsplit=1)[1]
    places = [body.index(mark) for mark in ('id="the-answer"', "<table", 'id="environment"')]
    assert places == sorted(places)


def test_every_trial_stands_in_the_validity_table(page: str) -> None:
    rows = page[page.index('id="trials"') : page.index('id="accuracy"')]
    assert len(re.findall(r'<a href="trials/', rows)) == 24
    assert ">failed</a>" in re.sub(r"\s+", "", rows)
    assert "not trusted" in rows


def test_trials_that_are_not_trusted_are_shown_one_by_one_and_never_averaged(
    tmp_path: Path,
) -> None:
    plan = Plan(suts=(MONOLITH,), rates=(60.0,), blocks=2, steady_s=4.0)
    doubted = {(block, 0, MONOLITH.key): (SLOW_HOST,) for block in range(2)}
    simulate(tmp_path / "run", replace(plan, doubts=doubted))
    results = measure_run(open_run(tmp_path / "run"))
    page = render(results)
    answer = page[page.index('id="answer"') : page.index('id="saturation"')]
    each = [number(t.values["throughput_rps"]) for t in results.cells[0].trials]
    assert f"not trusted: {each[0]}, {each[1]}" in answer
    assert all(e.point is None for e in results.cells[0].estimates.values())
    assert "monolith:batched (not trusted)" in page[page.index('id="stages"') :]


def test_the_null_service_is_the_floor_and_no_contender(page: str) -> None:
    answer = page[page.index('id="answer"') : page.index('id="saturation"')]
    floor = page[page.index('id="floor"') : page.index('id="trials"')]
    assert NULL.key not in answer
    assert NULL.key in floor


def section(page: str, key: str) -> str:
    start = page.index(f'<section id="{key}"')
    return page[start : page.index("</section>", start)]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, str]:
    """Closed loops beside a sweep, on a GPU; one trial ended early."""
    path = tmp_path_factory.mktemp("runs") / "run"
    plan = Plan(
        suts=(MONOLITH, MICROSERVICES),
        rates=(220.0, 30.0, 90.0),
        concurrency=(8,),
        blocks=2,
        steady_s=4.0,
        device="cuda:1",
        early={(0, 1, MONOLITH.key): "a component died: web"},
    )
    simulate(path, plan)
    results = measure_run(open_run(path), read_prices())
    return results, render(results)


def test_a_closed_loop_is_called_so_wherever_a_rate_would_stand(
    other: tuple[Results, str],
) -> None:
    _, page = other
    assert "Closed loop, 8 at once" in section(page, "answer")
    assert "at once" not in section(page, "saturation")
    assert "none offered: closed loop" in section(page, "every")
    assert "response times there run from the send" in section(page, "method")
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(?<![\d.])0 rps", text)


def test_a_trial_that_ended_early_says_why(other: tuple[Results, str]) -> None:
    results, page = other
    assert "a component died: web." in section(page, "trials")
    early = [t["ended_early"] for t in summary(results)["trials"] if t["ended_early"]]
    assert early == ["a component died: web"]


def test_the_sweep_goes_by_rate_and_breaks_where_nothing_is_carried(
    other: tuple[Results, str],
) -> None:
    results, _ = other
    charts = {chart.key: chart.figure for chart in sweep(results)}
    assert set(charts) == {"sweep-response_p50_ms", "sweep-response_p95_ms", "sweep-throughput"}
    curve = charts["sweep-response_p95_ms"]["data"][0]
    assert curve["x"] == [30.0, 90.0, 220.0]
    assert curve["y"][0] is None  # 120 answers do not carry p95
    assert curve["y"][1] is not None
    assert curve["connectgaps"] is False
    assert curve["marker"]["symbol"][2] == "x"
    assert charts["sweep-response_p95_ms"]["layout"]["shapes"][0]["y0"] == 250.0


def test_gpus_are_spoken_of_where_one_was_read(other: tuple[Results, str], page: str) -> None:
    assert "GPU power" in section(other[1], "usage")
    assert "GPU energy alone" in section(other[1], "cost")
    assert "gcp-g2-l4" in section(other[1], "cost")
    assert "GPU power" not in section(page, "usage")
    assert "GPU power" in section(page, "every")  # its definition


def test_the_metrics_of_a_request_stand_in_the_usage_section(page: str) -> None:
    assert "Switches and bytes of a request" in section(page, "usage")
