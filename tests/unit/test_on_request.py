"""A run that plays a block whenever it is asked: real servers, real load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.record import RunRecord
from harness.run_directory import RunDirectory

ROOT = Path(__file__).parents[2]
SCENARIO = """
name = "asked"
suts = ["null_service"]
[load]
rates = [RATE]
warm_up_s = 0.2
steady_s = 0.5
drain_s = 1
blocks = 3
payloads = 4
[slo]
percentile = 50
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


def asked(tmp_path: Path, rate: str, *flags: str) -> "subprocess.Popen[str]":
    path = tmp_path / "asked.toml"
    path.write_text(SCENARIO.replace("RATE", rate))
    words = (sys.executable, "-m", "harness", "run", str(path), "--out", str(tmp_path / "runs"))
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*words, *flags], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def test_blocks_are_played_one_by_one_and_the_rest_is_left_to_a_resume(tmp_path: Path) -> None:
    with asked(tmp_path, "80", "--on-request", "--no-ceiling") as run:
        assert run.stdin is not None
        assert run.stdout is not None
        word, _, folder = run.stdout.readline().strip().partition(" ")
        assert word == "ready"
        directory = RunDirectory(Path(folder))
        for block in range(2):
            assert len(directory.trials()) == block, "nothing is played that was not asked for"
            run.stdin.write("next\n")
            run.stdin.flush()
            assert run.stdout.readline() == f"played {block}\n"
        run.stdin.close()
        assert run.wait() == 0
        record = RunRecord.read(directory.path)
        assert record.status == "interrupted"
        assert record.ceiling == ()
        assert [trial.outcome for trial in directory.trials()] == ["ok", "ok"]

    words = (sys.executable, "-m", "harness", "run", "--resume", folder)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert RunRecord.read(directory.path).status == "complete"
    assert len(directory.trials()) == 3


def test_a_run_that_is_never_asked_plays_nothing(tmp_path: Path) -> None:
    with asked(tmp_path, "80", "--on-request", "--no-ceiling") as run:
        said, errors = run.communicate("")
        assert run.returncode == 0, errors
        assert said.startswith("ready ")
        assert RunDirectory(Path(said.split()[1])).trials() == []


def test_a_share_of_the_ceiling_needs_the_ceiling(tmp_path: Path) -> None:
    with asked(tmp_path, '"0.5 ceiling"', "--no-ceiling") as run:
        _, errors = run.communicate("")
        assert run.returncode == 2
        assert "no ceiling is to be measured; write requests per second" in errors
