"""What a run knows of its deployments, and the effort that lies beside it."""

import pytest

from harness.effort.record import EFFORT_FILE, EffortRecord, EffortRow
from reports.charts.start_up import start_up_charts
from reports.deployment import deployments
from reports.deployment_beside import effort_beside
from reports.deployment_tables import beside, deployed
from reports.frames import open_run
from reports.page_sections import sections
from reports.results import Results, measure_run
from reports.summary import summary
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, SLOW_HOST, Plan, simulate

PLAN = Plan(
    suts=(MONOLITH, MICROSERVICES),
    rates=(50.0, 80.0),
    blocks=3,
    steady_s=4.0,
    doubts={(2, step, MONOLITH.key): (SLOW_HOST,) for step in (0, 1)},
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, PLAN)
    return measure_run(open_run(path))


def effort(results: Results, run_id: str, suts: tuple[str, ...], *, complete: bool = True) -> None:
    record = EffortRecord(
        run_id=run_id,
        created_utc=f"2026-11-{10 + len(run_id):02}T00:00:00Z",
        version="0.1.0",
        name=run_id,
        summary="",
        axis="",
        suts=suts,
        deployments=("whole",),
        code_lines=dict.fromkeys(suts, 77),
        environment=results.record.environment,
        ensemble=results.record.ensemble,
        rows=tuple(
            EffortRow(sut=sut, deployment="whole", repeat=0, processes=5, settings=9)
            for sut in suts
        ),
        complete=complete,
    )
    folder = results.run.directory.parent / run_id
    folder.mkdir()
    (folder / EFFORT_FILE).write_text(record.model_dump_json())


def test_a_block_counts_once_and_an_untrusted_one_not_at_all(results: Results) -> None:
    monolith, microservices = deployments(results)
    assert [block for block, _ in monolith.blocks("start_up_s")] == [0, 1]
    assert monolith.start_up_s.n == 2
    assert microservices.start_up_s.n == 3
    first = [t for t in results.run.trials if t.place.sut == MICROSERVICES.key]
    expected = {t.place.block: t.start_up_s for t in reversed(first)}
    assert dict(microservices.blocks("start_up_s")) == expected


def test_the_table_says_what_a_sut_is_made_of(results: Results) -> None:
    every = list(deployments(results))
    assert every[1].components == MICROSERVICES.components
    assert (every[1].processes, every[1].threads) == (3, 12)
    table = deployed(results, every)
    assert table is not None
    assert table.rows[1][1].under == "gateway, detect, classify"
    assert table.rows[0][4].under == "not told"


def test_the_summary_tells_the_same(results: Results) -> None:
    found = summary(results)
    told = {one["sut"]: one for one in found["deployments"]}
    for one in deployments(results):
        assert told[one.sut]["start_up_s"]["point"] == one.start_up_s.point
        assert told[one.sut]["threads"] == one.threads
    cell = next(cell for cell in found["cells"] if cell["sut"] == MICROSERVICES.key)
    assert set(cell["cores"]) == set(MICROSERVICES.components)
    assert all(estimate["unit"] == "cores" for estimate in cell["cores"].values())


def test_start_up_is_drawn_block_by_block(results: Results) -> None:
    start_up, _ = start_up_charts(results, list(deployments(results)))
    estimates, blocks = start_up.figure["data"]
    assert estimates["y"] == [MICROSERVICES.key, MONOLITH.key]
    assert len(blocks["x"]) == 5
    assert blocks["meta"]["columns"] == ["block"]


def test_effort_beside_is_of_the_same_suts_whole_and_the_newest(results: Results) -> None:
    both = (MONOLITH.key, MICROSERVICES.key)
    assert effort_beside(results) is None
    effort(results, "less", both[:1])
    effort(results, "unfinished-yet", both, complete=False)
    assert effort_beside(results) is None
    effort(results, "old", both)
    effort(results, "newer", (*both, "ray_serve:tuned"))
    (results.run.directory.parent / "damaged").mkdir()
    (results.run.directory.parent / "damaged" / EFFORT_FILE).write_text("{")
    found = effort_beside(results)
    assert found is not None
    assert found.effort.record.run_id == "newer"
    (table,) = beside(results, found)
    assert [row[0].text for row in table.rows] == list(both)
    assert table.rows[0][1].text == "77"
    assert table.note.startswith("From newer, measured 2026-11-15 with servebench 0.1.0.")
    keys = [section.key for section in sections(results)]
    assert keys.index("start-up") + 1 == keys.index("deployment") < keys.index("trials")
