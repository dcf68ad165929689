"""What a section [capacity] cannot mean, in words, and the scenarios that have one."""

from pathlib import Path

import pytest

from harness.expected import expected_s
from harness.rate import parse_rate
from harness.scenario_file import ScenarioError, parse_scenario, read_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
LEAST = 'name = "least"\nsuts = ["monolith"]\n[load]\n{load}\n[capacity]\n{capacity}\n'


def test_a_search_alone_makes_a_scenario() -> None:
    scenario = parse_scenario(LEAST.format(load="", capacity=""), "f.toml")
    assert scenario.capacity is not None
    assert scenario.load.offered() == ()


@pytest.mark.parametrize(
    ("load", "capacity", "words"),
    [
        (
            'workload = "ramp"',
            "",
            ["load.workload = 'ramp'", "choose from constant, poisson, gamma"],
        ),
        ("", "most_probe_s = 5", ["capacity.most_probe_s = 5", "capacity.probe_s = 10"]),
        ("", "start = 9\nmost = 8", ["capacity.start = 9", "start below most"]),
        ("", 'start = "5 ceiling"', ["capacity.start = '5 ceiling'", "'4 ceiling'"]),
        ("", "precision = 1.5", ["capacity.precision = 1.5", "width of the bracket"]),
        ("", "confidense = 0.9", ["did you mean 'confidence'?", "[capacity] knows start, most"]),
        ("sweep = { low = 1, hgh = 2 }", "", ["did you mean 'high'?", "[load.sweep] knows low"]),
        ('loop = "closed"\nconcurrency = [1]', "", ["[capacity] searches an offered rate"]),
    ],
)
def test_what_cannot_be_meant_is_said(load: str, capacity: str, words: list[str]) -> None:
    with pytest.raises(ScenarioError) as found:
        parse_scenario(LEAST.format(load=load, capacity=capacity), "f.toml")
    for word in words:
        assert word in str(found.value)


def test_the_tracked_search_takes_a_quarter_of_an_hour_at_most() -> None:
    scenario = read_scenario(SCENARIOS / "capacity.toml")
    assert scenario.capacity is not None
    assert scenario.slo.percentile == 99
    assert expected_s(scenario) <= 15 * 60


def test_the_tracked_sweep_goes_past_saturation() -> None:
    offered = read_scenario(SCENARIOS / "sweep.toml").load.offered()
    assert offered[0] == parse_rate("0.2 ceiling")
    assert offered[-1] == parse_rate("1.4 ceiling")
    assert len(offered) == 7
