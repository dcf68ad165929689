"""Deployment effort: what is counted, what is measured of real deployments, and its page."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from architectures import catalog
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice
from harness.effort.measure import run
from harness.effort.plan import read_plan
from harness.effort.record import EFFORT_FILE
from harness.effort.wiring import code_lines, count_code_lines
from harness.scenario_file import ScenarioError
from reports.__main__ import report
from reports.effort.found import FIGURES, read_effort
from reports.effort.tables import failures, per_model
from reports.frames import NotARun

ROOT = Path(__file__).parents[2]
SECOND = str(ROOT / "tests" / "second_ensemble")
PLAN = """
name = "effort"
suts = ["monolith", "microservices"]
module = "two_questions"
tier = "plain"
axis = "models"
repeats = 1
requests = 3
deployments = [{ name = "1", graphs = ["%s"] }, { name = "2", graphs = ["%s", "%s"] }]
"""


def test_only_lines_that_say_something_to_python_are_counted() -> None:
    source = '''"""Doc."""

# why
X = [  # here
    1,
]


def f():
    """Doc,
    two lines."""
    return """text,
    two lines"""
'''
    assert count_code_lines(source) == 6


def test_wiring_is_the_architecture_s_own_package() -> None:
    lines = {name: code_lines(catalog.find(name)) for name in ("monolith", "microservices")}
    assert 100 < lines["monolith"] < lines["microservices"]


@pytest.mark.parametrize("name", ["growth.toml", "effort.toml"])
def test_tracked_plans_can_be_read(name: str) -> None:
    assert read_plan(ROOT / "scenarios" / name).deployments


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ("suts = []", "suts = .*must not be empty"),
        ("repeat = 3", "there is no key 'repeat' .did you mean 'repeats'"),
        ("deployments = [{ name = 'a' }]", "'deployments.0.graphs' is missing"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, mistake: str, said: str) -> None:
    key = mistake.partition(" ")[0]
    kept = [line for line in PLAN.splitlines() if not line.startswith(f"{key} ")]
    path = tmp_path / "plan.toml"
    path.write_text("\n".join([*kept, mistake]))
    with pytest.raises(ScenarioError, match=said):
        read_plan(path)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two architectures, one and two graphs of an ensemble without torch."""
    graphs = _graphs()
    folder = tmp_path_factory.mktemp("effort")
    path = folder / "plan.toml"
    path.write_text(PLAN % (graphs[0], *graphs[:2]) + f"search_path = [{SECOND!r}]\n")
    return run(path, folder, Console(quiet=True))


def _graphs() -> list[str]:
    choice = EnsembleChoice("two_questions", "plain", search_path=(SECOND,))
    return list(load_ensemble(choice).GRAPHS)


def test_deployments_are_measured_from_outside(measured: Path) -> None:
    found = read_effort(measured)
    assert found.errors() == []
    assert found.record.complete
    monolith = found.rows("monolith:default", "2")[0]
    services = found.rows("microservices:fused_cpu", "2")[0]
    assert (monolith.processes, monolith.ports, monolith.hops) == (1, 1, 0)
    assert services.processes == services.ports == 1 + services.models
    assert services.hops is not None
    assert services.hops >= 1
    assert services.moved_bytes is not None
    assert monolith.moved_bytes is not None
    assert services.moved_bytes > monolith.moved_bytes > 0
    assert monolith.start_up_s is not None
    assert monolith.start_up_s > 0


def test_the_page_is_made_of_it(measured: Path, tmp_path: Path) -> None:
    page = report(measured, tmp_path / "page.html").read_text()
    assert "Each further model adds" in page
    for figure in FIGURES:
        assert figure.name in page
    assert "http://" not in page.partition('<script type="application/octet-stream"')[0]


def test_what_failed_is_said_and_leaves_the_figures(measured: Path, tmp_path: Path) -> None:
    document = json.loads((measured / EFFORT_FILE).read_text())
    document["rows"][0] |= {"error": "it <died>", "start_up_s": None}
    (tmp_path / EFFORT_FILE).write_text(json.dumps(document))
    found = read_effort(tmp_path)
    table = failures(found)
    assert table is not None
    assert table.rows[0][2].text == "it <died>"
    assert per_model(found) is not None
    assert "it &lt;died&gt;" in report(tmp_path).read_text()


def test_damage_and_newer_formats_are_named(tmp_path: Path) -> None:
    (tmp_path / EFFORT_FILE).write_text("{")
    with pytest.raises(NotARun, match="cannot be read as effort"):
        read_effort(tmp_path)
    (tmp_path / EFFORT_FILE).write_text(json.dumps({"effort_format": 99}))
    with pytest.raises(NotARun, match="reads up to 1"):
        read_effort(tmp_path)
