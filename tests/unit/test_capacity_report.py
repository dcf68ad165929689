"""Capacities: what the searches found, estimated over blocks, in words, tables and the summary."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reports.answer import answer
from reports.capacity_tables import capacity, probes, searches
from reports.charts.capacity import capacity_charts
from reports.cost_tables import capacity_costs
from reports.estimate import Missing
from reports.frames import open_run
from reports.page import render
from reports.prices import read_prices
from reports.record_tables import validity
from reports.results import Results, measure_run
from reports.summary import summary
from reports.wording import figure, interval, number
from tests.golden.report.simulated_run import CEILING_RATE, MICROSERVICES, MONOLITH, Plan, simulate

T_95_DF2 = 4.302652729911275
FOUND = (120.0, 128.0, 124.0)
STEADY = replace(MONOLITH, block_spread=0.001)
DEARER = replace(MICROSERVICES, block_spread=0.001)
PLAN = Plan(
    suts=(STEADY, DEARER),
    rates=(),
    steady_s=3.0,
    warm_up_s=0.5,
    searched_rps={
        STEADY.key: tuple((60.0, rate, 160.0, rate) for rate in FOUND),
        DEARER.key: tuple((50.0, rate - 30, 150.0, rate - 30) for rate in FOUND),
    },
)


def measured(path: Path, plan: Plan) -> Results:
    simulate(path, plan)
    return measure_run(open_run(path), read_prices())


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return measured(tmp_path_factory.mktemp("runs") / "run", PLAN)


def test_the_estimate_is_the_geometric_mean_over_blocks(results: Results) -> None:
    found = results.capacities[0]
    logs = [math.log(rate) for rate in FOUND]
    mean = sum(logs) / 3
    half = T_95_DF2 * math.sqrt(sum((x - mean) ** 2 for x in logs) / 2) / math.sqrt(3)
    assert found.rps.point == pytest.approx(math.exp(mean))
    assert found.rps.low == pytest.approx(math.exp(mean - half))
    assert found.rps.n == 3
    ceiling = (CEILING_RATE / 0.99, CEILING_RATE, CEILING_RATE / 1.01)
    shares = [
        rate / of for rate, of in zip(FOUND, (ceiling[0], ceiling[1], ceiling[2]), strict=True)
    ]
    assert [block.efficiency for block in found.blocks] == pytest.approx(shares)


def test_figures_at_capacity_are_those_of_the_confirming_trials(results: Results) -> None:
    for found in results.capacities:
        for block in found.blocks:
            assert block.confirming is not None
            assert block.confirming.record.place.probe == 3
            assert block.confirming.record.offered_rps == block.rps
            assert block.value("goodput_rps") == block.confirming.values["goodput_rps"]
            assert block.above is not None
            assert block.above.record.place.probe == 2
        assert found.estimates["goodput_rps"].n == 3


def test_the_answer_names_the_leader_and_the_price(results: Results) -> None:
    said = [sentence.text for sentence in answer(results)]
    first = results.capacities[0].rps
    shown = f"{number(first.point)} rps ({interval(first, 'rps')}, n = 3)"
    cost = figure(results.capacities[0].estimates["usd_per_million_reserved"], "USD")
    assert said[0].startswith("On this machine, with ")
    assert f"monolith:batched carries {shown} for {cost} a million good answers" in said[0]
    assert "AWS's list price for Fargate, Linux on x86 in us-east-1 of 2026-04-01" in said[0]
    assert f"monolith:batched has the highest capacity, {shown}; it was 0.7" in said[1]
    assert not any("There is no answer yet" in text for text in said)


def test_a_sut_without_a_confirmed_capacity_says_why(tmp_path: Path) -> None:
    found = measured(tmp_path / "run", replace(PLAN, no_capacity=frozenset({(1, DEARER.key)})))
    lost = found.capacities[1]
    assert lost.rps.point is None
    assert lost.by_block()[1] == Missing("block 1: even the lowest rate fails")
    cautions = [sentence.text for sentence in answer(found) if sentence.kind == "caution"]
    why = "was confirmed: block 1: even the lowest rate fails."
    assert f"No capacity of {DEARER.key} {why}" in cautions
    table = capacity(found)
    assert table is not None
    assert "even the lowest rate fails" in table.rows[1][1].under
    priced = capacity_costs(found)
    assert priced is not None
    assert [cell.text for cell in priced.head] == ["Price", STEADY.key, STEADY.key]


def test_nobody_with_a_capacity_is_no_answer(tmp_path: Path) -> None:
    none = frozenset((block, sut.key) for block in range(3) for sut in PLAN.suts)
    said = answer(measured(tmp_path / "run", replace(PLAN, no_capacity=none)))
    assert said[0].text == "There is no answer yet: no capacity was confirmed."


def test_probes_are_listed_and_stay_out_of_load_steps(tmp_path: Path, results: Results) -> None:
    stepped = replace(PLAN, rates=(60.0,), steady_s=4.0)
    with_probes = measured(tmp_path / "with", stepped)
    without = measured(tmp_path / "without", replace(stepped, searched_rps={}))
    assert len(with_probes.probes) == len(results.probes) == 24
    for cell, alone in zip(with_probes.cells, without.cells, strict=True):
        assert len(cell.trials) == 3
        assert cell.estimates["offered_rps"] == alone.estimates["offered_rps"]
    table = validity(with_probes)
    assert [row[0].text for row in table.rows] == [str(i + 1) for i in range(6 + 24)]
    listed = [row[4].text for row in table.rows if row[3].text.startswith("probe ")]
    assert len(listed) == 24
    assert set(listed) == {"holds", "fails"}


def test_tables_and_charts_show_every_probe(results: Results) -> None:
    every, each = probes(results), searches(results)
    assert every is not None
    assert each is not None
    assert len(every.rows) == 24
    assert {row[4].text for row in every.rows} == {"holds", "fails"}
    assert [row[2].text for row in each.rows[:3]] == [number(rate) for rate in FOUND]
    side_by_side, *drawn = capacity_charts(results)
    assert len(drawn) == 2
    assert sum(len(trace["x"]) for trace in drawn[0].figure["data"]) == 12
    brackets = [t for t in side_by_side.figure["data"] if t["mode"] == "lines"]
    assert max(trace["x"] for trace in brackets) == [128.0, 160.0]


def test_the_page_shows_what_the_summary_holds(results: Results) -> None:
    page = render(results)
    assert len(page.encode()) < 6_000_000
    section = page[page.index('<section id="capacity"') : page.index('<section id="cost"')]
    found = json.loads(json.dumps(summary(results)))
    for one in found["capacities"]:
        assert number(one["rps"]["point"]) in section
        assert number(one["estimates"]["usd_per_million_reserved"]["point"]) in section
        priced = one["usd_per_million"]["gcp-e2"]["reserved"]["point"]
        rest = page[page.index('<section id="cost"') :]
        assert number(priced) in rest[: rest.index("</section>")]
    assert len(found["probes"]) == 24
    assert found["capacities"][0]["searches"][0]["end"] == "a separate trial confirmed it"


def test_a_run_of_searches_alone_has_no_empty_sections(results: Results) -> None:
    page = render(results)
    assert "Nothing to show" not in page
    for key in re.findall(r'<a href="#([a-z]+)">', page):
        assert f'id="{key}"' in page


def test_every_id_on_the_page_is_its_own(results: Results) -> None:
    page = re.sub(r"<script>.*?</script>", "", render(results), flags=re.DOTALL)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 10
