"""docs/workloads.md says what the code does: its table is ARRIVALS, its examples are read."""

import re
import tomllib
from pathlib import Path

import pytest

from harness.scenario_file import parse_scenario
from workloads.arrivals import ARRIVALS, ArrivalProcess, Parameter, checked_shape
from workloads.trace import read_trace

DOC = (Path(__file__).parents[2] / "docs" / "workloads.md").read_text(encoding="utf-8")
SCENARIO = 'name = "doc"\nsuts = ["monolith"]\n'


def said(parameter: Parameter) -> str:
    default = parameter.default
    shown = default if isinstance(default, list) else f"{default:g}"
    return f"`{parameter.name} = {shown}` {parameter.meaning} ({parameter.range})"


def row(name: str, process: ArrivalProcess) -> str:
    parameters = "<br>".join(map(said, process.parameters)) or "none"
    steady = "yes" if process.stationary else "no"
    cells = (f"`{name}`", parameters, process.law, process.rate, steady, process.purpose)
    return f"| {' | '.join(cells)} |"


def test_the_table_is_that_of_the_arrival_processes() -> None:
    section = DOC.partition("## Arrival processes")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [row(name, process) for name, process in ARRIVALS.items()]


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL))
def test_every_example_is_a_load_that_can_be_meant(example: str) -> None:
    load = tomllib.loads(example)["load"]
    parsed = parse_scenario(SCENARIO + example, "docs/workloads.md").load
    assert set(load) <= parsed.model_fields_set
    if parsed.loop == "open":
        assert set(checked_shape(parsed.workload, parsed.shape)) >= set(parsed.shape)


def test_there_are_examples() -> None:
    assert DOC.count("```toml") >= 5


def test_the_example_trace_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```csv\n(.*?)```", DOC, re.DOTALL)
    (tmp_path / "trace.csv").write_text(text)
    trace = read_trace(tmp_path / "trace.csv")
    assert trace.graphs is not None
    assert trace.payloads is not None
