"""Scenario files: what is read, and the words for what cannot be meant."""

from pathlib import Path

import pytest

from architectures.spec import EnsembleChoice, ServingPolicy
from harness.scenario import Scenario
from harness.scenario_file import (
    ScenarioError,
    parse_scenario,
    read_scenario,
    scenario_files,
)

LEAST = 'name = "least"\nsuts = ["monolith"]\n[load]\nrates = ["0.5 ceiling", 12]\n'
SCENARIOS = Path(__file__).parents[2] / "scenarios"
BURST = LEAST + 'workload = "burst"\n'
TRACE = LEAST + 'workload = "trace"\ntrace = "t.csv"\n'
CLOSED = LEAST.partition("rates")[0] + 'loop = "closed"\nconcurrency = [1, 8]\n'
TRACKED = scenario_files(SCENARIOS)


def test_defaults_make_a_whole_scenario() -> None:
    scenario = parse_scenario(LEAST, "least.toml")
    assert scenario.ensemble.choice() == EnsembleChoice("architectures.ensemble", "tiny")
    assert scenario.policy.policy() == ServingPolicy()
    half, twelve = scenario.load.offered()
    assert (half.asked, half.rps(200.0)) == ("0.5 ceiling", 100.0)
    assert (twelve.asked, twelve.rps(200.0)) == ("12 rps", 12.0)


def test_is_frozen() -> None:
    scenario = parse_scenario(LEAST, "least.toml")
    with pytest.raises(ValueError, match="frozen"):
        scenario.load.blocks = 7  # type: ignore[misc]


@pytest.mark.parametrize("path", TRACKED, ids=lambda path: path.name)
def test_every_tracked_scenario_parses(path: Path) -> None:
    scenario = read_scenario(path)
    assert scenario.name == path.stem
    assert scenario.summary
    assert Scenario.model_validate(scenario.model_dump()) == scenario


def test_there_are_tracked_scenarios() -> None:
    assert {"quick", "standard", "smoke"} <= {path.stem for path in TRACKED}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", ["f.toml: is not TOML", "mend it there"]),
        ("", ["'name' is missing", "'suts' is missing", "'load' is missing"]),
        (LEAST + "stedy_s = 3", ["'load.stedy_s'", "did you mean 'steady_s'?", "[load] knows"]),
        ("sut = 3\n" + LEAST, ["'sut'", "did you mean 'suts'?", "the top of the file knows"]),
        (LEAST.replace("12", "-12"), ["load.rates.1 = -12", "write requests per second above 0"]),
        (LEAST.replace("12", "true"), ["load.rates.1 = True"]),
        (LEAST.replace("12", "nan"), ["load.rates.1 = nan"]),
        (LEAST.replace("0.5 ceiling", "0.5 roof"), ["load.rates.0 = '0.5 roof'", "0.5 ceiling"]),
        (LEAST + 'workload = "poison"', ["load.workload = 'poison'", "did you mean 'poisson'?"]),
        (LEAST + 'steady_s = "3"', ["load.steady_s = '3'", "number", "seconds counted"]),
        (LEAST + "max_in_flight = 1000", ["load.max_in_flight = 1000", "900"]),
        (LEAST + '[ensemble]\ndevice = "gpu"', ["ensemble.device = 'gpu'", "cpu or cuda"]),
        (LEAST.replace('["monolith"]', '["a", "a"]'), ["suts", "a is named twice"]),
        (LEAST.replace('["monolith"]', '"monolith"'), ["suts = 'monolith'", "must be a list"]),
        (LEAST.replace("least", "A b"), ["name = 'A b'", "lower-case letters"]),
        (LEAST + "max_in_flight = 64", ["max_in_flight = 64", "policy.queue_bound = 64"]),
        (LEAST + "drain_s = 0.1", ["drain_s = 0.1", "slo.response_time_s = 0.5"]),
        (LEAST + "shape = { cv = 2 }", ["'load.shape.cv' for 'poisson'", "it knows none"]),
        (BURST + "shape = { factr = 2 }", ["'load.shape.factr'", "did you mean 'factor'?"]),
        (BURST + 'shape = { factor = "2" }', ["load.shape.factor = '2'", "from 0 to 1000"]),
        (BURST + "shape = 3", ["load.shape = 3", "the arrival process's own parameters"]),
        (LEAST + 'trace = "t.csv"', ["load.trace = 't.csv'", "by load.workload = 'trace' only"]),
        (LEAST + 'workload = "trace"', ["'trace' needs load.trace", "timestamp_s"]),
        (LEAST.replace("12", '"1 trace"'), ["shares of a recorded rate", 'workload = "trace"']),
        (TRACE + "[capacity]", ["probes as long as", "{ repeat = 1 }"]),
        (LEAST + '[capacity]\nstart = "1 trace"', ["[capacity] searches in requests per second"]),
        (CLOSED + 'workload = "burst"', ["load.workload, load.shape and load.trace", "leave"]),
        (CLOSED + "shape = { cv = 2 }", ["load.workload, load.shape and load.trace", "leave"]),
        (LEAST + "graphs = { tag = 0 }", ["load.graphs.tag = 0", "greater than 0"]),
        (LEAST + '[load.mix]\nby = "category"', ["load.mix.weights' is missing"]),
        (
            LEAST + '[load.mix]\nby = "category"\nweights = { cat = -1 }',
            ["load.mix.weights.cat = -1", "greater than 0"],
        ),
        ("load = 3\n" + LEAST.partition("[load]")[0], ["load = 3", "must be a section"]),
    ],
)
def test_mistakes_in_words(text: str, words: list[str]) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "f.toml")
    for word in ("f.toml", *words):
        assert word in str(caught.value)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(LEAST + "steady_s = 0\nblocks = 0", "f.toml")
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"cannot be read.*harness list"):
        read_scenario(tmp_path / "no.toml")


def test_a_trace_is_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "least.toml"
    path.write_text(TRACE)
    with pytest.raises(ScenarioError, match=r"t\.csv, which is no file; it is relative"):
        read_scenario(path)
    (tmp_path / "t.csv").write_text("timestamp_s\n0\n1\n")
    assert read_scenario(path).load.trace == str(tmp_path / "t.csv")


def test_everything_a_load_can_say_is_read() -> None:
    text = (
        LEAST
        + """
workload = "step"
shape = { levels = [[5, 0.5], [2.5, 3]] }
graphs = { tag = 3, other = 1 }
[load.mix]
by = "category"
weights = { cat = 9, dog = 1 }
"""
    )
    load = parse_scenario(text, "f.toml").load
    assert load.shape == {"levels": [[5, 0.5], [2.5, 3]]}
    assert load.graphs == {"tag": 3.0, "other": 1.0}
    assert load.mix
    assert load.mix.weights == {"cat": 9.0, "dog": 1.0}
    assert parse_scenario(CLOSED + "think_time_s = 0.5", "f.toml").load.concurrency == (1, 8)


def test_search_path_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    path = tmp_path / "least.toml"
    path.write_text(LEAST + '[ensemble]\nsearch_path = ["models"]')
    assert read_scenario(path).ensemble.search_path == (str(tmp_path / "models"),)


def test_search_path_that_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "least.toml"
    path.write_text(LEAST + '[ensemble]\nsearch_path = ["nowhere"]')
    with pytest.raises(ScenarioError, match="nowhere, which is no folder"):
        read_scenario(path)
