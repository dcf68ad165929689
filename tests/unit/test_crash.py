"""A real run killed again and again: always readable, nothing left behind, whole in the end."""

import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from harness.record import RunRecord
from harness.run_directory import RunDirectory
from reports.__main__ import report
from reports.frames import NotARun, open_run
from tests.foreign import listening
from tests.leftovers import left_of

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "tests" / "second_ensemble"
PATIENCE_S = 240.0
KILLS = int(os.environ.get("SERVEBENCH_KILLS", "1"))
"""At random moments, beyond those chosen; more make the test longer and its proof stronger."""

SCENARIO = f"""
name = "killed"
suts = ["null_service", "remote:theirs"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["SECOND"]
[load]
workload = "constant"
rates = [60, 30]
warm_up_s = 0.2
steady_s = 1
drain_s = 0.5
blocks = {1 + KILLS // 3}
payloads = 6
[slo]
percentile = 50
response_time_s = 0.5
[remote.theirs]
url = "URL"
"""

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


class Theirs(BaseHTTPRequestHandler):
    """A service of somebody else's that answers at the contract's path."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def do_GET(self) -> None:
        self._answer(404)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked was killed
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().finish()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
        pass


@pytest.fixture(scope="module")
def theirs() -> Iterator[str]:
    with listening(Theirs) as url:
        yield url


def harness(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "run", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def begun(folder: Path, url: str) -> subprocess.Popen[str]:
    path = folder / "killed.toml"
    path.write_text(SCENARIO.replace("SECOND", str(SECOND)).replace("URL", url))
    return harness(str(path), "--out", str(folder / "runs"))


def homes_of(pid: int) -> set[Path]:
    """The scratch directories of all that runs below a process."""
    found, waiting = set(), [pid]
    while waiting:
        try:
            task = Path(f"/proc/{waiting.pop()}")
            waiting += map(int, (task / "task" / task.name / "children").read_text().split())
            words = (task / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        homes = (w.removeprefix(b"HOME=").decode() for w in words if w.startswith(b"HOME=/tmp/sb-"))
        found |= {Path(home) for home in homes}
    return found


def wait_until(seen: Callable[[], object], process: subprocess.Popen[str], folder: Path) -> None:
    end_ns = time.monotonic_ns() + int(PATIENCE_S * 1e9)
    while not seen():
        assert process.poll() is None, (folder, process.communicate())
        assert time.monotonic_ns() < end_ns, folder
        time.sleep(0.005)


def end(process: subprocess.Popen[str], number: signal.Signals, folder: Path) -> None:
    """End a run so, and see that nothing of it is left."""
    homes = homes_of(process.pid)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in ((130,) if number != signal.SIGKILL else (-9,)), err
    assert "Traceback" not in err
    end_ns = time.monotonic_ns() + int(60e9)
    while (left := left_of(folder)) or (left := [str(h) for h in homes if h.exists()]):
        assert time.monotonic_ns() < end_ns, left
        time.sleep(0.1)


def saved(run: Path) -> int:
    return len(list(run.glob("trials/*/trial.json")))


def being_saved(run: Path) -> bool:
    """Whether some trial's samples are there and its record is not."""
    folders = {path.parent for path in run.glob("trials/*/samples-*")}
    return any(not (folder / "trial.json").exists() for folder in folders)


def resumed(run: Path) -> int:
    return len(RunRecord.read(run).resumed)


def after(seconds: float) -> Callable[[], object]:
    """A moment so long after one first asks."""
    asked: list[int] = []

    def passed() -> bool:
        asked.append(time.monotonic_ns())
        return asked[-1] - asked[0] >= seconds * 1e9

    return passed


def check_readable(run: Path, status: str) -> None:
    found = open_run(run)
    assert found.record.status == status
    assert not list(run.glob("*.partial"))
    page = report(run)
    assert "</html>" in page.read_text()


def plans(run: Path) -> dict[str, str]:
    shared = (*run.glob("plans/*"), run / "payloads.parquet", run / "references.jsonl")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in shared}


def test_no_directory_is_left_by_whoever_dies_while_a_keeper_begins(tmp_path: Path) -> None:
    words = (
        "import sys; from pathlib import Path; from architectures.spec import ResourceClaim\n"
        "from harness.kept import Keeper, scratch_directory\n"
        "directory = scratch_directory(); print(directory, flush=True)\n"
        "Keeper(directory, Path(sys.argv[1]), ResourceClaim((0,), 1)); print('made', flush=True)\n"
        "sys.stdin.read()"
    )
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", words, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(6)
    ]
    directories = []
    for number, process in enumerate(begun):
        assert process.stdout
        directories.append(Path(process.stdout.readline().strip()))
        time.sleep(0.02 * number)  # the last have a keeper that keeps
        process.kill()
        process.communicate()
    assert len(set(directories)) == len(begun)
    end_ns = time.monotonic_ns() + int(60e9)
    while left := left_of(tmp_path):
        assert time.monotonic_ns() < end_ns, left
        time.sleep(0.05)
    assert [directory for directory in directories if directory.exists()] == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_ended_while_it_is_prepared_says_that_nothing_was_measured(
    tmp_path: Path, theirs: str, number: signal.Signals
) -> None:
    process = begun(tmp_path, theirs)
    wait_until(lambda: list(tmp_path.glob("runs/*/logs/in_process.log")), process, tmp_path)
    end(process, number, tmp_path)
    runs = list((tmp_path / "runs").iterdir())
    if number == signal.SIGTERM:
        assert runs == []
        return
    with pytest.raises(NotARun, match="nothing had been measured yet; run its scenario again"):
        open_run(runs[0])
    again = harness("--resume", str(runs[0]))
    _, err = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 2
    assert err.startswith("error: ")
    assert "was ended before its first trial" in err


def test_a_run_killed_at_any_moment_stays_readable_and_goes_on_to_its_end(
    tmp_path: Path, theirs: str
) -> None:
    process = begun(tmp_path, theirs)
    wait_until(lambda: list(tmp_path.glob("runs/*/run.json")), process, tmp_path)
    (run,) = tmp_path.glob("runs/*-killed")
    frozen = plans(run)
    moments: list[tuple[signal.Signals, Callable[[], object]]] = [
        (signal.SIGKILL, lambda: list(run.glob("trials/*/keeper.log"))),  # a deployment comes up
        (signal.SIGKILL, lambda: being_saved(run)),
        (signal.SIGINT, lambda: list(run.glob("trials/b00-s01-*/locust.log"))),
    ]
    draw = random.Random(KILLS)
    for _ in range(KILLS):
        number = draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        moments.insert(draw.randrange(1, 3), (number, after(draw.uniform(2.0, 6.0))))
    for ends, (number, moment) in enumerate(moments):
        if ends:
            process = harness("--resume", str(run))
            wait_until(lambda ends=ends: resumed(run) == ends, process, run)
        before = saved(run)
        wait_until(moment, process, run)
        end(process, number, tmp_path)
        assert saved(run) >= before
        check_readable(run, "running" if number == signal.SIGKILL else "interrupted")

    copy = tmp_path / "changed"
    shutil.copytree(run, copy)
    process = harness("--resume", str(run))
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out + err
    check_whole(run, frozen, len(moments))
    check_refused(copy)


def check_whole(run: Path, frozen: dict[str, str], times: int) -> None:
    """As a run that was never ended: the same plans, every trial of the schedule once."""
    record = RunRecord.read(run)
    assert record.status == "complete"
    assert len(record.resumed) == times
    assert plans(run) == frozen
    assert [trial.place for trial in RunDirectory(run).trials()] == list(record.schedule)
    assert {trial.outcome for trial in RunDirectory(run).trials()} == {"ok"}
    assert {path.name for path in (run / "trials").iterdir()} == {
        place.directory for place in record.schedule
    }
    assert sorted(point.batch_size for point in record.ceiling if point.block == 0) in (
        [1],
        [1, record.best_batch],
    )
    assert not (run / ".hold").exists()
    check_readable(run, "complete")
    process = harness("--resume", str(run))
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "nothing is left to do" in out


def check_refused(run: Path) -> None:
    """Another library, or another plan: what was measured cannot be gone on with."""
    record = RunRecord.read(run)
    fingerprint = {**record.environment.fingerprint, "torch": "1.0", "weights_digest": "other"}
    environment = record.environment.model_copy(update={"fingerprint": fingerprint})
    RunDirectory(run).save_run(record.model_copy(update={"environment": environment}))
    plan = run / "plans" / "b00-s00.parquet"
    plan.write_bytes(plan.read_bytes() + b"x")
    process = harness("--resume", str(run))
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "torch: it was 1.0, it is " in err
    assert "weights_digest: it was other, it is " in err
    assert "plans/b00-s00.parquet: it was changed" in err
    assert "numpy" not in err
