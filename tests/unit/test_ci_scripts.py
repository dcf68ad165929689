"""The scripts that run the gate in CI, beside a stub that ends as it is told."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "gate"
BASH = shutil.which("bash") or "bash"
STUB = """\
import json, os, sys
from pathlib import Path
if "--version" in sys.argv: sys.exit(0)
Path(os.environ["STUB_ARGV"]).write_text(json.dumps(sys.argv[1:]))
told = json.loads(os.environ["STUB_TELLS"])
directory = Path(os.environ["STUB_ARGV"]).parent / "gate"
directory.mkdir(exist_ok=True)
for name, text in told["files"].items():
    (directory / name).write_text(text)
if "--markdown" in sys.argv:
    Path(sys.argv[sys.argv.index("--markdown") + 1]).write_text(told["files"].get("verdict.md", ""))
print("GITHUB_ENV" in os.environ, "GITHUB_OUTPUT" in os.environ)
print(directory)
sys.exit(told["code"])
"""
"""Stands where Python does: notes what it is asked, and ends as it is told."""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    script = tmp_path / "stub.py"
    script.write_text(STUB)
    interpreter = tmp_path / "python"
    interpreter.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{script}" "$@"\n')
    interpreter.chmod(0o755)
    return interpreter


def tells(code: int, **files: str) -> str:
    return json.dumps({"code": code, "files": files})


def verdict(outcome: str) -> dict[str, str]:
    return {
        "verdict.json": json.dumps({"outcome": outcome}, indent=2),
        "verdict.md": f"### {outcome}\n",
    }


@pytest.mark.parametrize(
    ("code", "files", "ends"),
    [
        (0, verdict("pass"), 0),
        (1, verdict("regression"), 1),
        (1, {}, 2),  # Python's own
        (2, {}, 2),
        (3, verdict("inconclusive"), 0),
        (4, verdict("unfit"), 0),
        (130, {}, 2),
    ],
)
def test_the_self_gate_fails_on_a_regression_and_on_an_error_only(
    stub: Path, tmp_path: Path, code: int, files: dict[str, str], ends: int
) -> None:
    environment = os.environ | {
        "STUB_ARGV": str(tmp_path / "argv"),
        "STUB_TELLS": tells(code, **files),
        "GATE_BASELINE": "v1.2",
    }
    done = subprocess.run(
        [BASH, str(ROOT / ".ci" / "self_gate"), str(stub)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stderr
    assert ("WARNING" in done.stderr) == (code in {3, 4})
    assert files.get("verdict.md", "") in done.stdout
    argv = json.loads((tmp_path / "argv").read_text())
    assert argv[:3] == ["-m", "reports", "gate"]
    assert argv[argv.index("--baseline") + 1] == "v1.2"


def run_action(
    stub: Path, folder: Path, told: str, **asked: str
) -> tuple[dict[str, str], str, str]:
    """Play the step `Gate`; returns its outputs, its summary and what it printed."""
    action = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))
    (step,) = (step for step in action["runs"]["steps"] if step.get("id") == "gate")
    outputs, summary = folder / "outputs", folder / "summary"
    environment = dict.fromkeys(step["env"], "") | {
        "PATH": os.environ["PATH"],
        "GITHUB_ACTION_PATH": str(ACTION),
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_ENV": str(folder / "env"),
        "RUNNER_TEMP": str(folder),
        "GATE_COMMAND": "gate",
        "GATE_SCENARIO": "scenarios/gate.toml",
        "GATE_UNFIT": "fail",
        "GATE_PYTHON": str(stub),
        "STUB_ARGV": str(folder / "argv"),
        "STUB_TELLS": told,
        **asked,
    }
    done = subprocess.run(
        [BASH, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pairs = (line.partition("=") for line in outputs.read_text().splitlines())
    return {key: value for key, _, value in pairs}, summary.read_text(), done.stdout


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(0, "pass"), (0, "inconclusive"), (1, "regression"), (3, "inconclusive"), (4, "unfit")],
)
def test_the_action_says_what_became_of_it(
    stub: Path, tmp_path: Path, code: int, outcome: str
) -> None:
    outputs, summary, printed = run_action(stub, tmp_path, tells(code, **verdict(outcome)))
    assert outputs["outcome"] == outcome
    assert (outputs["exit-code"], outputs["end"]) == (str(code), str(code))
    assert outputs["report"] == f"{outputs['directory']}/report.html"
    assert summary == Path(outputs["markdown"]).read_text() == f"### {outcome}\n"
    assert ("::warning" in printed) == (code == 0 and outcome != "pass")
    # What is gated may neither speak to the runner nor write where steps do.
    (token,) = re.findall(r"^::stop-commands::(\w{32})$", printed, re.MULTILINE)
    assert f"::{token}::" in printed
    assert "False False" in printed


@pytest.mark.parametrize("code", [1, 2, 130])
def test_a_gate_without_a_verdict_is_an_error_and_shows_what_it_printed(
    stub: Path, tmp_path: Path, code: int
) -> None:
    outputs, summary, _ = run_action(stub, tmp_path, tells(code))
    assert (outputs["outcome"], outputs["end"], outputs["directory"]) == ("error", "2", "")
    assert f"exit code {code}" in summary
    assert "False False" in summary


def test_an_unfit_runner_may_be_a_warning(stub: Path, tmp_path: Path) -> None:
    told = tells(4, **verdict("unfit"))
    outputs, _, printed = run_action(stub, tmp_path, told, GATE_UNFIT="warn")
    assert (outputs["exit-code"], outputs["end"]) == ("4", "0")
    assert "::warning" in printed


def test_the_action_passes_on_what_is_asked_word_for_word(stub: Path, tmp_path: Path) -> None:
    run_action(
        stub,
        tmp_path,
        tells(0, **verdict("pass")),
        GATE_BASELINE="main; touch pwned $(touch pwned)",
        GATE_MARGINS="cpu_ms=0.1\n\n  response_p95_ms=0.2  \n",
        GATE_ONLY="cpu_ms",
        GATE_MACHINE_RECORD="a folder",
    )
    argv = json.loads((tmp_path / "argv").read_text())
    assert argv[:4] == ["-P", "-m", "reports", "gate"]
    assert argv[argv.index("--baseline") + 1] == "main; touch pwned $(touch pwned)"
    assert argv[argv.index("--machine") + 1] == "a folder"
    margins = [argv[at + 1] for at, word in enumerate(argv) if word == "--margin"]
    assert margins == ["cpu_ms=0.1", "response_p95_ms=0.2"]
    assert argv[-2:] == ["--", "scenarios/gate.toml"]
    assert "--candidate" not in argv
