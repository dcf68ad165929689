"""One trial: a load plan played at a SUT that is up, watched, and judged by what was recorded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import sleep
from typing import TypeAlias

from harness.bench import Progress
from harness.drive import Counts, DriveError, Generator, boot
from harness.events.deeds import do_at
from harness.events.moments import Moment, moments_of
from harness.events.playing import playing
from harness.judge import Played, judged
from harness.moderation import ModerationError
from harness.quality import ScoreError
from harness.record import TrialPlace, TrialRecord
from harness.remote_workers import remote_workers
from harness.subject import Subject
from harness.usage import GENERATOR, Target, watch

IDLE_S = 1.0
"""Watched before load begins, for the idle draw; the load generator boots meanwhile."""

TIMEOUT_MARGIN_S = 2.0
"""The client's patience beyond the SUT's own deadline, so that its 504 is heard."""

RATE_OF_A_WORKER_RPS = 400.0

FAILURES = (DriveError, ModerationError, ScoreError, OSError)
"""What a trial fails by, and its turn goes on."""

EndEarly: TypeAlias = Callable[[Counts], str | None]
"""Told of a trial while it is played; says why it should end now, or None."""


@dataclass(frozen=True, slots=True)
class Order:
    """One trial as it is meant.

    Attributes:
        plan: the frozen load plan's file.
        offered_rps: of the plan; 0 in a closed loop.
        end_early: may end the trial before the plan's end.
    """

    place: TrialPlace
    plan: Path
    offered_rps: float
    end_early: EndEarly = lambda _: None


def play_trial(subject: Subject, order: Order, progress: Progress) -> TrialRecord:
    """Play one trial.

    Raises:
        DriveError: the load generator failed.
        OSError: what was measured cannot be written.
        ModerationError: the stub of the moderation API does not do as it is told.
        ScoreError: the ensemble's `score` failed on an answer.
    """
    subject.bench.backends.behave(None)
    folder = subject.bench.directory.trial(order.place)
    folder.mkdir(parents=True, exist_ok=True)

    def ended(counts: Counts) -> str | None:
        died = subject.running.exits()
        return f"a component died: {died[0]}" if died else order.end_early(counts)

    with _booted(subject, order, folder) as generator:
        progress("check answers", 0.0)
        checked = subject.checked  # while the generator boots on cores of its own
        own = subject.running.target()
        targets = (*([own] if own else []), Target({GENERATOR: generator.pid}))
        with (
            watch(targets) as usage,
            subject.running.watched(usage),
            playing(_moments(subject, order), partial(do_at, subject)) as player,
        ):
            progress("idle", 0.0)
            sleep(IDLE_S)
            result = generator.play(partial(progress, "load"), ended, player.begin)
            events = player.end()
        usage.write(folder)
    return judged(subject, Played(order.place, order.plan, checked, usage, result, events))


def _moments(subject: Subject, order: Order) -> tuple[Moment, ...]:
    """What is due: nothing in a capacity search, nor at a SUT that answers nothing of its own."""
    if order.place.probe is not None or not subject.answers:
        return ()
    return moments_of(subject.bench.scenario)


def _booted(subject: Subject, order: Order, folder: Path) -> Generator:
    bench = subject.bench
    load, policy = bench.scenario.load, bench.scenario.policy
    remote = remote_workers(bench.scenario)
    elsewhere = remote.count if remote else 0
    workers = _workers(subject, order.offered_rps, elsewhere)
    return boot(
        plan=order.plan,
        payloads=bench.directory.payloads,
        url=subject.running.url,
        directory=folder,
        cores=bench.cores.harness,
        workers=workers,
        answer_every=load.answer_every,
        max_in_flight=load.max_in_flight * (workers + elsewhere),
        timeout_s=policy.deadline_s + TIMEOUT_MARGIN_S,
        drain_s=load.drain_s,
        slo_s=bench.scenario.slo.response_time_s,
        path=subject.running.path,
        remote=remote,
    )


def _workers(subject: Subject, offered_rps: float, elsewhere: int) -> int:
    """On this machine: as the scenario says, or as many as the rate needs and the cores allow."""
    asked = subject.bench.scenario.generator.workers
    needed = max(1, 1 + int(offered_rps / RATE_OF_A_WORKER_RPS) - elsewhere)
    return asked or min(len(subject.bench.cores.harness), needed)
