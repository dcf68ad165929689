"""A gate as a person runs it: real deployments, real load, exit codes, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.pairs.play import too_many_redone
from harness.pairs.record import GateRecord
from reports.gate.verdict import Verdict
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SCENARIO = """
name = "tiny-gate"
suts = ["null_service"]
[budget]
cores = 1
memory_gib = 2
[load]
workload = "constant"
rates = [100]
warm_up_s = 0.2
steady_s = 0.5
drain_s = 1
payloads = 4
answer_every = 5
[slo]
percentile = 50
[gate]
rate_rps = 100
capacity_rps = 1000
looks = [4]
only = ["error_share"]
margins = { error_share = 0.05 }
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


def words(tmp_path: Path, command: str, *more: str) -> list[str]:
    scenario = tmp_path / "tiny.toml"
    scenario.write_text(SCENARIO)
    out, machine = tmp_path / "runs", tmp_path / "machine"
    places = ("--out", str(out), "--machine", str(machine))
    return [sys.executable, "-m", "reports", command, str(scenario), *places, *more]


def ended(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_an_aa_gate_ends_with_a_verdict_in_every_form_and_a_record_of_the_machine(
    tmp_path: Path,
) -> None:
    done = ended(words(tmp_path, "aa", "--markdown", str(tmp_path / "summary.md")))
    directory = Path(done.stdout.splitlines()[-1])
    record = GateRecord.read(directory)
    verdict = Verdict.model_validate_json((directory / "verdict.json").read_text())
    assert done.returncode == verdict.exit_code, done.stderr
    for name in ("report.html", "verdict.md", "junit.xml", "scenario.toml"):
        assert (directory / name).stat().st_size > 0
    assert (tmp_path / "summary.md").read_text().strip() == (
        directory / "verdict.md"
    ).read_text().strip()
    if too_many_redone(record):  # a busy machine says so, and no more
        assert (verdict.outcome, verdict.exit_code) == ("unfit", 4)
        return
    assert (verdict.outcome, verdict.exit_code) == ("pass", 0), verdict.words
    assert len(record.counted) == 4
    lines = next((tmp_path / "machine").glob("*.jsonl")).read_text().splitlines()
    assert [json.loads(line)["gate_id"] for line in lines] == [record.gate_id]

    first = (directory / "verdict.json").read_text()
    again = ended([sys.executable, "-m", "reports", str(directory)])
    assert again.returncode == 0, again.stderr
    said = Verdict.model_validate_json((directory / "verdict.json").read_text())
    before = Verdict.model_validate_json(first)
    assert said.rows == before.rows, "judged again from disk, it is the same"
    assert said.looks == before.looks


def test_a_killed_gate_leaves_nothing_running(tmp_path: Path) -> None:
    gate = subprocess.Popen(
        words(tmp_path, "aa"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    runs = tmp_path / "runs"
    until(lambda: list(runs.glob("*/*/*/trials/*/*.log")))
    below = psutil.Process(gate.pid).children(recursive=True)
    assert below
    gate.send_signal(signal.SIGKILL)
    gate.wait()
    until(lambda: not any(map(alive, below)))


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_gate_that_is_told_to_stop_says_so_and_keeps_its_pairs(tmp_path: Path) -> None:
    command = words(tmp_path, "aa")
    gate = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    runs = tmp_path / "runs"
    until(lambda: played(runs))
    below = psutil.Process(gate.pid).children(recursive=True)
    gate.send_signal(signal.SIGTERM)
    _, errors = gate.communicate()
    assert gate.returncode == 130
    assert "stopped; every process it had started has ended" in errors
    assert not any(map(alive, below))
    record = GateRecord.read(next(runs.glob("*-gate-*")))
    assert record.status == "interrupted"
    assert record.pairs


def played(runs: Path) -> bool:
    return any(GateRecord.read(path.parent).pairs for path in runs.glob("*-gate-*/gate.json"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--only", "cpu"), "gate.only names 'cpu' (did you mean 'cpu_ms'?)"),
        (("--margin", "cpu_ms=fast"), "is no METRIC=SHARE above 0, such as cpu_ms=0.1"),
        (("--baseline", "no-such-branch"), "git knows no revision 'no-such-branch'"),
        (("--candidate", "url=http://127.0.0.1:9"), "no baseline"),
        (("--sut", "monolit"), "monolith"),
        (("--seed", "16777216"), "0<=x<=16777215"),
    ],
)
def test_mistakes_are_named_before_anything_is_played(
    tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    done = ended(words(tmp_path, "gate", *more))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "runs").glob("*")) if (tmp_path / "runs").exists() else True
