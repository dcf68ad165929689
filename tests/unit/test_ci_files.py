"""What switches the gate on: the action, the workflows, nox, scenarios, the pinned baseline."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nox
import pytest
import yaml
from nox.command import CommandFailed

from harness.scenario_file import read_scenario, scenario_files
from reports.gate.command import gate
from reports.gate.metrics import BY_KEY

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "gate"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def parsed(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    return {("on" if key is True else key): value for key, value in document.items()}


def steps(path: Path) -> list[dict[str, Any]]:
    document = parsed(path)
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", [ACTION / "action.yml", *WORKFLOWS], ids=lambda path: path.stem)
def test_no_script_holds_an_expression_and_every_action_is_pinned(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "pull_request_target" not in text
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step
        used = step.get("uses", "./")
        assert used.startswith("./") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", used), used
    pinned = re.findall(r"uses: [\w/-]+@[0-9a-f]{40}(.*)", text)
    assert all(re.fullmatch(r" # v\d+\.\d+\.\d+", said) for said in pinned)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_asks_for_no_more_than_it_needs(path: Path) -> None:
    document = parsed(path)
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert set(job["permissions"].items()) <= {("contents", "read"), ("pull-requests", "write")}
        assert job["timeout-minutes"] <= 60
    checkout = next(step for step in steps(path) if step["uses"].startswith("actions/checkout@"))
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_passes_only_what_the_action_knows_and_names_files_that_are_there(
    path: Path,
) -> None:
    known = parsed(ACTION / "action.yml")
    ours = [step for step in steps(path) if step.get("uses", "").startswith("./")]
    assert ours
    for step in ours:
        assert (ROOT / step["uses"] / "action.yml").is_file()
        assert set(step["with"]) <= set(known["inputs"])
        assert (ROOT / step["with"]["scenario"]).is_file()
        name = step.get("id")
        asked = re.findall(rf"steps\.{name}\.outputs\.([\w-]+)", path.read_text(encoding="utf-8"))
        assert set(asked) <= set(known["outputs"])


def test_the_action_uses_all_of_its_inputs_and_no_other() -> None:
    text = (ACTION / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(
        parsed(ACTION / "action.yml")["inputs"]
    )
    for script in re.findall(r"\$GITHUB_ACTION_PATH/([\w./]+)", text):
        assert (ACTION / script).exists()
    given = {name for step in steps(ACTION / "action.yml") for name in step.get("env", {})}
    asked = set(re.findall(r"\$\{?(GATE_\w+)", (ACTION / "gate.sh").read_text(encoding="utf-8")))
    assert asked <= given


@pytest.mark.parametrize(
    "path",
    [ACTION / "gate.sh", ROOT / ".ci" / "self_gate", ROOT / "docs" / "ci.md"],
    ids=lambda path: path.name,
)
def test_every_option_that_is_passed_is_one_the_command_knows(path: Path) -> None:
    known = {option for parameter in gate.params for option in parameter.opts}
    text = path.read_text(encoding="utf-8")
    # Written out after the command, on lines of their own too, or collected by `add`.
    commands = re.findall(r"-m reports (?:gate|aa)\b((?:[^`\n#]|\n\s+--|\\\n)*)", text)
    told = {word for command in commands for word in re.findall(r"--[a-z]+(?:-[a-z]+)*", command)}
    told |= set(re.findall(r"\badd(?:_lines)? (--[a-z-]+)", text))
    assert len(told) >= 2
    assert told <= known


@pytest.mark.parametrize("name", ["gate", "self_gate"])
def test_the_scenarios_gate_what_there_is(name: str) -> None:
    path = ROOT / "scenarios" / f"{name}.toml"
    assert path in scenario_files(ROOT / "scenarios")
    section = read_scenario(path).gate
    assert section is not None
    named = {*section.margins, *section.informational, *section.only}
    assert named <= set(BY_KEY)
    if section.rate_rps and section.capacity_rps:
        assert section.rate_rps / section.capacity_rps <= 0.65


def test_the_pinned_baseline_is_a_commit_of_this_history() -> None:
    lines = (ROOT / ".ci" / "gate_baseline").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert len(pinned) == 1
    assert re.fullmatch(r"[0-9a-f]{40}", pinned[0])
    if (ROOT / ".git").exists():
        git = ["git", "-C", str(ROOT), "merge-base", "--is-ancestor", pinned[0], "HEAD"]
        assert subprocess.run(git, check=False).returncode == 0


class Session:
    """A nox session whose program ends with a code."""

    posargs: tuple[str, ...] = ()

    def __init__(self, code: int | None) -> None:
        self.code = code

    def run(self, *_words: str, **_options: object) -> None:
        if self.code != 0:
            raise CommandFailed("it failed", return_code=self.code)


@pytest.fixture(scope="module")
def noxfile() -> ModuleType:
    spec = importlib.util.spec_from_file_location("the_noxfile", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    nox.registry.reset()
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("session", ["gate", "aa", "trends"])
def test_nox_ends_with_the_verdicts_own_code(
    monkeypatch: pytest.MonkeyPatch, noxfile: ModuleType, session: str
) -> None:
    monkeypatch.setattr(noxfile, "python", lambda _session: sys.executable)
    function = getattr(noxfile, session)
    function.func(Session(0))
    for code in (1, 2, 3, 4):
        with pytest.raises(SystemExit) as ended:
            function.func(Session(code))
        assert ended.value.code == code
    with pytest.raises(CommandFailed):
        function.func(Session(None))
