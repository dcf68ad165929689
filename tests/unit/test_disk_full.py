"""A real disk that fills up while a run is played: a small tmpfs in its own mount namespace."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from harness.disk import DiskFullError, require
from harness.record import RunRecord
from harness.run_directory import RunDirectory
from reports.frames import open_run
from tests.foreign import listening

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "tests" / "second_ensemble"

SCENARIO = f"""
name = "full"
suts = ["remote:theirs"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["{SECOND}"]
[load]
workload = "constant"
rates = [40, 30, 20, 10]
warm_up_s = 0.2
steady_s = 1
drain_s = 0.5
blocks = 1
payloads = 6
[slo]
percentile = 50
response_time_s = 0.5
[remote.theirs]
url = "URL"
"""

# The disk is filled up to 12 KiB once the first trial has ended, so that the second's samples,
# usage and logs do not fit but its record does; given back; and filled to the brim in the third.
SCRIPT = """
set -e
mount -t tmpfs -o size=8m tmpfs "$1/disk"
cd "$1/disk"
trial() { while [ ! -e "latest/trials/b00-s0$1-remote-theirs/$2" ]; do sleep 0.02; done; }
brim() { dd if=/dev/zero of=filler bs=4k 2>/dev/null || true; }
( trial 0 trial.json; brim; truncate -s -12288 filler
  trial 1 trial.json; rm filler
  trial 2 locust.log; brim ) &
set +e
(cd "$3" && exec "$2" -m harness run "$1/full.toml" --out "$1/disk") >"$1/out" 2>"$1/err"
echo $? >"$1/status"
kill $! 2>/dev/null
cp -a "$(readlink -f latest)" "$1/stopped"
rm -f filler
(cd "$3" && exec "$2" -m harness run --resume "$1/disk/latest") >"$1/again" 2>&1
echo $? >>"$1/status"
cp -a "$(readlink -f latest)" "$1/resumed"
"""


def may_mount() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    asked = [unshare, "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


needs_a_disk = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2 or not may_mount(),
    reason="a small file system of its own can only be mounted by root",
)


class Theirs(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
        pass


@pytest.fixture
def theirs() -> Iterator[str]:
    with listening(Theirs) as url:
        yield url


@needs_a_disk
def test_a_trial_that_does_not_fit_fails_alone_and_a_full_disk_stops_the_run_in_words(
    tmp_path: Path, theirs: str
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "full.toml").write_text(SCENARIO.replace("URL", theirs))
    words = ["unshare", "-m", "sh", "-c", SCRIPT, "sh", str(tmp_path), sys.executable, str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    said = (tmp_path / "out").read_text() + (tmp_path / "err").read_text() + done.stderr
    assert (tmp_path / "status").read_text().split() == ["2", "0"], said

    stopped = open_run(tmp_path / "stopped")
    assert stopped.record.status == "interrupted"
    assert [trial.outcome for trial in stopped.trials] == ["ok", "failed", "failed"], said
    for trial in stopped.trials[1:]:
        assert trial.error
        assert "No space left on device" in trial.error
    error = (tmp_path / "err").read_text()
    assert "is on a full disk" in error
    assert "what remains of this run records about " in error
    assert "Traceback" not in error

    resumed = RunDirectory(tmp_path / "resumed")
    assert RunRecord.read(resumed.path).status == "complete"
    outcomes = [trial.outcome for trial in resumed.trials()]
    assert outcomes == ["ok", "failed", "failed", "ok"], (tmp_path / "again").read_text()


def test_a_run_that_does_not_fit_is_refused_before_it_begins(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    require(tmp_path, 1)
    with pytest.raises(DiskFullError, match=r"MiB free, and what remains of this run records"):
        require(tmp_path, 2 * free)
