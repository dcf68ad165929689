"""What a run prepares before its first trial, with a real ensemble of two graphs."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness.environment import now_utc
from harness.in_process import measure_ceiling
from harness.plans import closed_plan, open_plan, read_sources, steps_of, write_plans
from harness.prepare import (
    Resolved,
    in_process_request,
    make_payloads,
    read_all_references,
    recorded,
    resolve,
)
from harness.run_directory import RunDirectory
from harness.scenario_file import ScenarioError, read_scenario
from workloads.arrivals import WorkloadError
from workloads.payloads import read_payloads
from workloads.plan import read_plan

SECOND = Path(__file__).parents[1] / "second_ensemble"
SCENARIO = f"""
name = "prepared"
suts = ["monolith"]
[ensemble]
module = "two_questions"
tier = "plain"
graph = "guess"
search_path = ["{SECOND}"]
[load]
warm_up_s = 0.5
steady_s = 2
payloads = 12
blocks = 2
"""
TRACE = (
    "timestamp_s,payload,graph\n0,3,length\n0.5,1,guess\n1,1,length\n1.5,0,length\n2,11,length\n"
)
REPLAY = SCENARIO + 'workload = "trace"\ntrace = "day.csv"\nrates = ["1 trace", 1.6]\n'


def prepared(folder: Path, text: str) -> tuple[Resolved, RunDirectory]:
    path = folder / "prepared.toml"
    path.write_text(text)
    scenario = read_scenario(path)
    return resolve(scenario), RunDirectory.create(folder, scenario.name, now_utc(), path)


def test_a_mix_is_prepared_from_payloads_to_plans(tmp_path: Path) -> None:
    text = (
        SCENARIO
        + """
rates = [40]
graphs = { guess = 3, length = 1 }
workload = "gamma"
shape = { cv = 3 }
mix = { by = "language", weights = { german = 1, french = 4 } }
"""
    )
    resolved, directory = prepared(tmp_path, text)
    make_payloads(resolved, directory)
    references = read_all_references(resolved.scenario, directory)
    assert set(references) == {"guess", "length"}
    payloads = read_payloads(directory.payloads)
    assert [answer["length"] for answer in references["length"]] == [len(p.body) for p in payloads]
    assert [answer["language"] for answer in references["guess"]] == [
        payload.label["language"] for payload in payloads
    ]
    assert directory.references.name == "references.jsonl"
    assert (directory.path / "references-length.jsonl") in directory.shared()

    request = in_process_request(resolved, directory)
    assert request.weights == {"guess": 3.0, "length": 1.0}
    sent = [payloads[row].label["language"] for row in request.rows]
    assert sent.count("french") == pytest.approx(0.8 * len(sent), abs=2)
    (point,) = measure_ceiling(
        request,
        resolved.cores.claim(1.0),
        directory.logs,
        block=0,
        batch_sizes=(2,),
        seconds=0.2,
    )
    assert point.rate_rps <= 1 / (0.25 * 0.01) * len(resolved.cores.sut)

    steps = steps_of(resolved.scenario, 100.0)
    write_plans(resolved.scenario, steps, directory)
    first, second = (read_plan(directory.plan(block, 0)) for block in (0, 1))
    assert first.header.shape == {"cv": 3.0}
    assert first.header.weights == (3.0, 1.0)
    assert not np.array_equal(first.offsets_ns[:20], second.offsets_ns[:20])
    asked = [first.graph(i) for i in range(len(first.graphs))]
    assert asked.count("length") == pytest.approx(len(asked) / 4, abs=2)
    kinds = [payloads[row].label["language"] for row in first.payloads]
    assert kinds.count("german") == pytest.approx(len(kinds) / 5, abs=2)


def test_a_trace_is_kept_and_sent_as_it_was_recorded(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text(TRACE)
    resolved, directory = prepared(tmp_path, REPLAY)
    make_payloads(resolved, directory)
    (tmp_path / "day.csv").unlink()
    assert directory.trace
    assert directory.trace in directory.shared()
    sources = read_sources(resolved.scenario, directory)
    assert sources.trace_rps == 2.0
    assert sources.graphs == {"length": 4.0, "guess": 1.0}
    assert in_process_request(resolved, directory).rows == (3, 1, 1, 0, 11)
    steps = steps_of(resolved.scenario, None, sources.trace_rps)
    assert [(step.asked, step.offered_rps) for step in steps] == [
        ("1 trace", 2.0),
        ("1.6 rps", 1.6),
    ]
    plan = open_plan(resolved.scenario, sources, 2.0, 2.0, seed=9)
    assert plan.offsets_ns.tolist() == [0, 500_000_000, 10**9, 1_500_000_000, 2 * 10**9]
    assert [plan.graph(i) for i in (0, 1)] == ["length", "guess"]
    assert plan.payloads.tolist() == [3, 1, 1, 0, 11]
    write_plans(resolved.scenario, steps, directory)
    blocks = [read_plan(directory.plan(block, 0)) for block in (0, 1)]
    assert np.array_equal(blocks[0].offsets_ns, blocks[1].offsets_ns)
    with pytest.raises(WorkloadError, match=r"5 arrivals last 1\.25 s at 4 rps.*= 2\.5 s"):
        open_plan(resolved.scenario, sources, 4.0, 2.0, seed=9)


def test_a_closed_loop_has_a_step_for_each_concurrency(tmp_path: Path) -> None:
    text = SCENARIO + 'loop = "closed"\nconcurrency = [1, 8]\nthink_time_s = 0.25\n'
    resolved, directory = prepared(tmp_path, text)
    steps = steps_of(resolved.scenario, None)
    assert [(s.asked, s.offered_rps, s.concurrency) for s in steps] == [
        ("1 at once", 0.0, 1),
        ("8 at once", 0.0, 8),
    ]
    write_plans(resolved.scenario, steps, directory)
    plan = read_plan(directory.plan(1, 1))
    assert (plan.header.workload, plan.header.concurrency, plan.header.rate_rps) == ("closed", 8, 0)
    assert plan.header.think_time_s == 0.25
    sources = read_sources(resolved.scenario, directory)
    again = closed_plan(resolved.scenario, sources, 8, plan.header.seed)
    assert np.array_equal(again.offsets_ns, plan.offsets_ns)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            SCENARIO + "rates = [1]\ngraphs = { gues = 1 }",
            r"load\.graphs names 'gues' \(did you mean 'guess'\?\), but two_questions has",
        ),
        (
            SCENARIO.replace('graph = "guess"', 'graph = "gues"') + "rates = [1]",
            r"ensemble\.graph = 'gues' \(did you mean 'guess'\?\), but two_questions has",
        ),
    ],
)
def test_a_graph_that_is_not_there(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        prepared(tmp_path, text)


@pytest.mark.parametrize(
    ("trace", "more", "words"),
    [
        (TRACE.replace("guess", "gues"), "", "row 2: the ensemble has no graph 'gues'"),
        (TRACE.replace("2,11", "1.6,11"), "", "5 arrivals last 2 s at 2.5 rps, .* = 2.5 s"),
        (TRACE.replace("11", "12"), "", "row 5: payload 12 is no row .* raise load.payloads"),
        (TRACE, "graphs = { guess = 1 }", "'graph' and load.graphs both say what is sent"),
        (
            TRACE,
            '[load.mix]\nby = "language"\nweights = { german = 1 }',
            "'payload' and load.mix both say what is sent",
        ),
    ],
)
def test_a_trace_that_cannot_be_sent(tmp_path: Path, trace: str, more: str, words: str) -> None:
    (tmp_path / "day.csv").write_text(trace)
    resolved, _ = prepared(tmp_path, REPLAY + more)
    with pytest.raises((WorkloadError, ScenarioError), match=words):
        recorded(resolved)


def test_a_mix_of_what_no_payload_has_is_named_before_anything_runs(tmp_path: Path) -> None:
    mix = 'rates = [1]\nmix = { by = "lang", weights = { german = 1 } }'
    resolved, directory = prepared(tmp_path, SCENARIO + mix)
    with pytest.raises(WorkloadError, match=r"by = 'lang' .* \(did you mean 'language'\?\)"):
        make_payloads(resolved, directory)
    assert not list(directory.path.glob("references*"))


def test_references_of_an_older_run_are_found(tmp_path: Path) -> None:
    resolved, directory = prepared(tmp_path, SCENARIO + "rates = [1]")
    directory.references.write_text(json.dumps({"a": 1}) + "\n")
    assert read_all_references(resolved.scenario, directory) == {"guess": ({"a": 1},)}
