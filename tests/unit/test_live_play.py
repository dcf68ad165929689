"""Attempts as a session keeps them, word by word: what fails is a trial that says so."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from architectures.spec import EnsembleChoice
from harness.bench import Bench
from harness.drive import DriveError
from harness.live.asked import Asked
from harness.live.attempts import Attempts
from harness.live.inside import Inside
from harness.live.play import Asking, Player
from harness.live.watching import Watching
from harness.prepare import resolve
from harness.record import RunRecord
from harness.run_directory import RunDirectory
from harness.subject import Subject
from harness.usage import Target
from tests.live_sessions import SECOND
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, write_plan

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


class Script:
    """A web UI that says its lines, and then lets the session end."""

    workers = 1

    def __init__(self, heard: Asking, *lines: str) -> None:
        self._heard = heard
        self._lines = list(lines)
        self.stopped = 0

    def hear(self) -> tuple[str, str]:
        if not self._lines:
            self._heard.ended = True
            return "", ""
        word, _, rest = self._lines.pop(0).partition(" ")
        return word, rest

    def stop(self) -> None:
        self.stopped += 1


class Kept:
    """A session's run in a folder, its player, and what was said."""

    def __init__(self, folder: Path, watching: Watching) -> None:
        choice = EnsembleChoice("language_guess", "plain", search_path=(str(SECOND),))
        scenario = Asked("null_service:floor", choice, "guess").scenario()
        resolved = resolve(scenario)
        for part in ("plans", "trials", "logs", "attempts"):
            (folder / part).mkdir(parents=True)
        directory = RunDirectory(folder)
        examples = resolved.ensemble.examples("load", 3, 1)
        write_payloads(directory.payloads, examples)
        bench = Bench(scenario, resolved.cores, directory, examples, {}, (), None)
        self.exits: tuple[str, ...] = ()
        self.said: list[str] = []
        self.run = Attempts(resolved, bench)
        running = cast("Any", SimpleNamespace(exits=lambda: self.exits, info={}, start_up_s=1.0))
        subject = Subject(bench, running, answers=False)
        inside = Inside("http://127.0.0.1:9")
        self.player = Player(subject, self.run, watching, inside, self.said.append)
        self.heard = Asking()

    def plays(self, *lines: str) -> Script:
        ui = Script(self.heard, *lines)
        self.player.until_it_ends(cast("Any", ui), self.heard)
        return ui

    def asked(self, number: int) -> str:
        """The line of an attempt whose plan is there."""
        folder = self.run.directory.path / "attempts" / f"attempt-{number}"
        folder.mkdir()
        header = PlanHeader("constant", ("guess",), 10.0, 0.0, 0.5, number)
        write_plan(folder / "plan.parquet", build_plan(header, 3))
        return f"attempt {number} {folder}"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with Watching((Target({"mine": os.getpid()}),)) as watching:
        yield Kept(tmp_path / "run with space", watching)


def test_what_fails_is_recorded_and_the_next_attempt_may_begin(kept: Kept) -> None:
    kept.plays(
        "here 1 1 0 0",
        kept.asked(1),
        "ready",
        "start 5",
        "counts 3 1",
        "health 0.5 2 0",
        "failed a worker died",
        "done",
        kept.asked(2),
        "health nan 0 0",
        "done",  # and no worker has left anything
    )
    first, second = kept.run.directory.trials()
    assert (first.outcome, first.error) == (
        "failed",
        "the load generator failed: a worker died",
    )
    assert second.outcome == "failed"
    assert "generator-0.json" in str(second.error)
    assert [line for line in kept.said if "failed" in line]
    assert RunRecord.read(kept.run.directory.path).status == "running"
    kept.run.end(orderly=True)
    record = RunRecord.read(kept.run.directory.path)
    assert record.status == "complete"
    assert [step.asked for step in record.steps] == ["constant 10 rps"] * 2


def test_the_step_is_on_disk_before_the_attempt_is_played(kept: Kept) -> None:
    kept.run.begin(Path(kept.asked(1).partition(" ")[2].partition(" ")[2]))
    record = RunRecord.read(kept.run.directory.path)
    assert [place.directory for place in record.schedule] == ["b00-s00-null_service-floor"]
    assert "plans/b00-s00.parquet" in record.digests


def test_a_sut_that_died_has_the_attempt_stopped_once(kept: Kept) -> None:
    kept.exits = ("component 'server' was ended by SIGKILL",)
    ui = Script(kept.heard, kept.asked(1), "start 5", "counts 0 0", "counts 1 0", "failed gone")
    with pytest.raises(Exception, match="SIGKILL while it was explored"):
        kept.player.until_it_ends(cast("Any", ui), kept.heard)
    assert ui.stopped == 1
    (trial,) = kept.run.directory.trials()
    assert str(trial.error).endswith("gone; component 'server' was ended by SIGKILL")


def test_an_attempt_without_a_plan_is_named(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(DriveError, match=r"attempt 7: \S+ holds no plan"):
        kept.plays(f"attempt 7 {tmp_path}")


def test_a_session_without_an_attempt_records_nothing(kept: Kept) -> None:
    kept.plays("here 1 1 0 0")
    kept.run.end(orderly=True)
    assert not kept.run.directory.begun()
    assert not (kept.run.directory.path / "attempts").exists()
