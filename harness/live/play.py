"""Attempts, one after another, as they are started in the page; each is judged and kept."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic_ns
from types import FrameType
from typing import TypeAlias

from harness.capacity.probe import whole
from harness.capacity.tally import tally
from harness.capacity.verdict import Objective, judge
from harness.drive import Counts, DriveError, result_of
from harness.judge import Played, judged
from harness.kept import DeployError
from harness.live.attempts import Attempts
from harness.live.board import Lately
from harness.live.inside import Inside
from harness.live.tabs import Ended, Health, Playing, attempts, components, generator, slo
from harness.live.ui import WebUi
from harness.live.watching import Watching
from harness.record import TrialPlace, TrialRecord
from harness.subject import Subject
from harness.told import told
from harness.trial import FAILURES
from workloads.panels import Panel
from workloads.plan import LoadPlan
from workloads.sample import read_samples

Say: TypeAlias = Callable[[str], None]

STOPPED = "stopped in the web UI"
_LEFT = "the session was ended"
_OVERTIME_S = 30.0
"""After the drain, for the workers to save."""


class Asking:
    """Whether somebody has asked for the session's end: the first time is heard, a second raises.

    So an attempt that is being played is stopped, drained and kept first.
    """

    def __init__(self) -> None:
        self.ended = False

    def hear(self, _number: int, _frame: FrameType | None) -> None:
        """A signal.

        Raises:
            KeyboardInterrupt: it is not the first.
        """
        if self.ended:
            raise KeyboardInterrupt
        self.ended = True


@contextmanager
def asking() -> Iterator[Asking]:
    """Hear Ctrl-C, a polite kill and a closed terminal so until the block ends."""
    heard = Asking()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, heard.hear) for number in numbers]
    try:
        yield heard
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One that is being played."""

    folder: Path
    place: TrialPlace
    plan: LoadPlan


class Player:
    """Hears what the page is told to do, and keeps what comes of it.

    Args:
        subject: the SUT.
        kept: the run.
        watching: usage.
        inside: what the SUT tells of itself.
        say: for the person at the terminal.
    """

    def __init__(
        self, subject: Subject, kept: Attempts, watching: Watching, inside: Inside, say: Say
    ) -> None:
        self._subject = subject
        self._kept = kept
        self._watching = watching
        self._inside = inside
        self._say = say
        self._objective = Objective.of(kept.bench.scenario)
        self._playing = Playing()
        self._ended: tuple[Ended, ...] = ()
        self._lately = Lately()

    def panels(self) -> tuple[Panel, ...]:
        """The page's tabs as they stand; any thread may ask."""
        used, playing = self._lately.of(self._watching.usage), self._playing
        return (
            components(used, self._inside.requests()),
            generator(used, playing),
            slo(self._objective, playing),
            attempts(self._ended),
        )

    def until_it_ends(self, ui: WebUi, heard: Asking) -> None:
        """Play what is asked for, until somebody asks for the end.

        Raises:
            DeployError: a component of the SUT ended.
            DriveError: Locust ended.
        """
        while not heard.ended:
            word, rest = ui.hear()
            if word == "attempt":
                self._attempt(ui, heard, rest)
            self._watching.forget()
            self._see_it_lives()

    def _attempt(self, ui: WebUi, heard: Asking, said: str) -> None:
        """One attempt, from its plan to its record."""
        number, _, folder = said.partition(" ")
        try:
            place, plan = self._kept.begin(Path(folder))
        except (OSError, KeyError, ValueError) as error:
            raise DriveError(f"attempt {number}: {folder} holds no plan ({error})") from error
        attempt = _Attempt(Path(folder), place, plan)
        step = self._kept.steps[place.step]
        self._playing = Playing(step.asked)
        self._say(f"attempt {place.step + 1}: {step.asked} for {plan.duration_s:g} s")
        record = self._played(ui, heard, attempt)
        self._kept.directory.save_trial(record)
        self._tell(record, plan)

    def _played(self, ui: WebUi, heard: Asking, attempt: _Attempt) -> TrialRecord:
        place = attempt.place
        try:
            why = self._wait(ui, heard, attempt.plan)
            folder = self._kept.take(attempt.folder, place)
            usage = self._watching.part()
            usage.write(folder)
            result = result_of(folder, attempt.plan, ui.workers, why)
            plan = self._kept.directory.plan_of(place)
            subject = replace(self._subject, bench=self._kept.bench)
            played = Played(place, plan, self._subject.checked, usage, result)
            return judged(subject, played)
        except FAILURES as error:
            died = "".join(f"; {exit_}" for exit_ in self._subject.running.exits())
            return self._kept.failed(place, f"{error}{died}")

    def _wait(self, ui: WebUi, heard: Asking, plan: LoadPlan) -> str:
        """Until the attempt is done.

        Returns:
            Why it was not played to its end, where it was not.
        """
        why, told_to_stop, load = "", False, self._kept.bench.scenario.load
        limit_s = plan.duration_s + load.drain_s + _OVERTIME_S
        limit_ns = monotonic_ns() + int(limit_s * 1e9)
        while monotonic_ns() < limit_ns:
            word, rest = ui.hear()
            if word == "done":
                return why or STOPPED
            if word == "failed":
                raise DriveError(f"the load generator failed: {rest}")
            self._note(word, rest)
            why = rest if word == "ending" else why
            died = self._subject.running.exits()
            if (heard.ended or died) and not told_to_stop:
                why, told_to_stop = (f"a component died: {died[0]}" if died else _LEFT), True
                ui.stop()
        raise DriveError(f"the load generator did not say 'done' within {limit_s:.0f} s")

    def _note(self, word: str, rest: str) -> None:
        if word == "counts":
            self._playing = replace(self._playing, counts=Counts(*map(int, rest.split())))
        elif word == "health":
            lag_ms, in_flight, dropped = rest.split()
            health = Health(float(lag_ms), int(in_flight), int(dropped))
            self._playing = replace(self._playing, health=health)

    def _tell(self, record: TrialRecord, plan: LoadPlan) -> None:
        """Say what came of an attempt, here and in the page."""
        directory, scenario = self._kept.directory, self._kept.bench.scenario
        limit_s = scenario.slo.response_time_s
        came = told(directory, record, limit_s).partition(": ")[2]
        trusted = "" if record.reasons or record.outcome == "failed" else "; can be trusted"
        kept = self._verdict(record, plan)
        asked = self._kept.steps[record.place.step].asked
        self._ended = (*self._ended, Ended(asked, came + trusted, kept))
        self._say(f"attempt {record.place.step + 1}: {came}{trusted}\n  objective: {kept}")
        if len(self._ended) == 1:
            self._say(f"  its page so far: python -m reports {directory.path}")

    def _verdict(self, record: TrialRecord, plan: LoadPlan) -> str:
        """Whether the objective was kept, by the rule of capacity searches."""
        if record.phases is None:
            return "not judged"
        folder = self._kept.directory.trial(record.place)
        samples = read_samples(sorted(folder.glob("samples-*.parquet")))
        limit_s = self._objective.response_time_s
        verdict, why = judge(
            self._objective, record, tally(samples, record.phases, whole(plan), limit_s)
        )
        if verdict == "undecided" and record.reasons:
            return "undecided: the attempt cannot be trusted"
        said = {"holds": "kept", "fails": "missed", "undecided": "undecided"}[verdict]
        return f"{said}: {why}"

    def _see_it_lives(self) -> None:
        died = self._subject.running.exits()
        if died:
            logs = self._kept.directory.logs
            raise DeployError(f"{died[0]} while it was explored; read {logs}")
