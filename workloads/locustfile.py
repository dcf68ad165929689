r"""The Locust side: a user that plays a load plan, headless or under Locust's web UI.

    python -m locust -f workloads/locustfile.py --host http://127.0.0.1:8000 --headless \
        --payloads payloads.parquet --plan plan.parquet --out samples
    python -m locust -f workloads/locustfile.py --host http://127.0.0.1:8000 \
        --payloads payloads.parquet --rate 50 --arrivals poisson

Every worker (``--processes n``) runs one user: worker ``k`` of ``n`` plays the arrivals ``i`` with
``i % n == k``, all from one common start. Locust's statistics show response times from the intended
start while it runs; what is published comes from the samples in ``--out``.
"""

import logging
import os
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

import locust
import pyarrow as pa
from gevent.event import AsyncResult
from locust import LoadTestShape, User, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from workloads.arrivals import WorkloadError
from workloads.locustfile_arguments import add_arguments
from workloads.locustfile_conductor import (
    COUNTS,
    DONE,
    HEALTH,
    RAN_OUT,
    READY,
    START,
    STOP,
    Conductor,
    end_with,
)
from workloads.locustfile_live import show, three_digits
from workloads.locustfile_part import Options, Part
from workloads.locustfile_player import Limits, Told
from workloads.locustfile_roll import Crew, Roll, identity
from workloads.locustfile_seat import Remote, Seat
from workloads.locustfile_web import Led, open_web_ui
from workloads.payload_files import own_files
from workloads.plan import PlanHeader
from workloads.web_form import with_mix

_log = logging.getLogger(__name__)
_locust: Any = locust  # whose annotations stop half way


def _tie(first_process: int) -> None:
    """Tie a forked worker to the process it was forked from, without which it is of no use.

    Locust forks its workers before it wires anything; what is forked later is none.
    """
    if not PlanUser.wired:
        end_with(first_process)


def wire(environment: Any, **_: Any) -> None:
    """Connect the workers to the conductor before anything starts."""
    PlanUser.wired = True
    options = environment.parsed_options
    remote = _remote(options)
    if remote is None and not Path(options.payloads or "").is_file():
        raise SystemExit(f"--payloads {options.payloads}: no such file; name a payloads.parquet")
    if not options.headless:
        _locust.runners.WORKER_REPORT_INTERVAL = 1.0  # people are watching; else every three
    environment.process_exit_code = 0  # a server's errors are a finding, not our failure
    runner = environment.runner
    if not isinstance(runner, WorkerRunner):
        _wire_conductor(environment, options)
    if not isinstance(runner, MasterRunner):
        PlanUser.seat = Seat(environment, remote)
        runner.register_message(START, PlanUser.on_start_message)
        runner.register_message(STOP, PlanUser.on_stop_message)
        environment.events.test_start.add_listener(PlanUser.on_test_start)


def _wire_conductor(environment: Any, options: Any) -> None:
    local = options.expect_workers if isinstance(environment.runner, MasterRunner) else 1
    crew = Crew(local, options.remote_workers)
    by_hand = environment.web_ui is not None
    if by_hand and crew.remote:
        raise SystemExit("--remote-workers play in headless runs only; leave them out here")
    conductor = Conductor(environment, crew.workers, options.control_fd, waits_for_go=not by_hand)
    lent = _lent(options) if crew.remote else {}
    out = Path(options.out) if options.out else None
    OneUserPerWorker.conductor = conductor
    OneUserPerWorker.roll = Roll(
        environment, crew, lent, out, say=conductor.say, fail=conductor.fail
    )
    environment.events.test_stopping.add_listener(OneUserPerWorker.name_the_lost)
    # Who is here, the roll knows; Locust would count whoever connects, and look once a second.
    options.expect_workers = 0
    if by_hand:
        try:
            open_web_ui(Led(environment, conductor, OneUserPerWorker.roll))
        except (OSError, WorkloadError, pa.ArrowInvalid) as error:
            raise SystemExit(str(error)) from error


def _lent(options: Any) -> dict[str, Path]:
    """The files that a remote worker needs, by their names in the messages."""
    payloads = Path(options.payloads)
    own = {path.stem: path for path in own_files(payloads).values()}
    return {"payloads": payloads, "plan": Path(options.plan), **own}


def _remote(options: Any) -> Remote | None:
    if not options.lent:
        return None
    return Remote(Path(options.lent), options.control_fd, options.only)


class OneUserPerWorker(LoadTestShape):
    """Runs one user on each worker, until every worker has finished."""

    conductor: Conductor
    roll: Roll

    def tick(self) -> tuple[int, float] | None:
        """The users there should be; None ends the run. Waits here, or Locust waits a second."""
        workers = self.conductor.workers
        runner: Any = self.runner
        if runner.shape_last_tick is None:
            self.roll.close()
            return workers, 100.0
        self.name_the_lost()
        return None if self.conductor.finished.wait(1.0) else (workers, 100.0)

    @classmethod
    def name_the_lost(cls, **_: Any) -> None:
        """Fail for workers that went. When the last one goes, Locust stops before the next tick."""
        lost = ", ".join(cls.roll.missing())
        if lost and not cls.conductor.finished.is_set():
            cls.conductor.fail(
                f"a worker of the load generator died or fell silent: {lost}; its last lines are "
                "in its log"
            )


class PlanUser(User):
    """The one user of a worker: plays the worker's whole part of the plan."""

    wired = False
    seat: Seat
    start_ns: AsyncResult
    _part: Part | None = None

    @classmethod
    def on_test_start(cls, **_: Any) -> None:
        """A new run awaits a new start."""
        cls.start_ns = AsyncResult()

    @classmethod
    def on_start_message(cls, msg: Any, **_: Any) -> None:
        """The conductor has named the common start."""
        cls.start_ns.set(msg.data)

    @classmethod
    def on_stop_message(cls, msg: Any, **_: Any) -> None:
        """The conductor has named an earlier end, counted from the common start."""
        if cls._part is not None:
            cls._part.stop(msg.data)

    @task
    def play(self) -> None:
        """Play once; a failure is told to the conductor, for Locust would only try again."""
        failure = ""
        try:
            self._play_part()
        except (OSError, WorkloadError, pa.ArrowInvalid) as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001 - the run must end and say so
            _log.exception("the generator has failed")
            failure = f"{type(error).__name__}: {error}"
        runner: Any = self.environment.runner
        options: Any = self.environment.parsed_options
        if isinstance(runner, WorkerRunner) and not options.headless:
            runner._send_stats()  # noqa: SLF001 - or the page would stop looking before the last
        runner.send_message(DONE, failure)
        raise StopUser

    def _play_part(self) -> None:
        runner: Any = self.environment.runner
        options: Any = self.environment.parsed_options
        seat = self.seat
        mine = seat.sit(_options(options, self.host or ""))

        def health(lag_ms: float, in_flight: int, dropped: int) -> None:
            runner.send_message(HEALTH, (seat.worker, lag_ms, in_flight, dropped))

        told = Told(
            heard=lambda heard: show(self.environment.stats, part.paths, heard),
            counts=lambda *counts: runner.send_message(COUNTS, (seat.worker, *counts)),
            ran_out=lambda after_ns, why: runner.send_message(RAN_OUT, (after_ns, why)),
            health=None if options.headless else health,
        )
        part = PlanUser._part = Part(mine, seat.worker, seat.workers, told)
        seat.measure_clock()
        runner.send_message(READY)
        try:
            part.play(seat.own(self.start_ns.get()))
        finally:
            PlanUser._part = None
            part.save()
        seat.leave(mine.out)


def _options(options: Namespace, url: str) -> Options:
    drawn, mix_by = with_mix(
        PlanHeader(
            options.arrivals,
            (options.graph,),
            options.rate,
            options.warm_up,
            options.duration,
            options.seed,
        ),
        options.mix,
    )
    return Options(
        url=url,
        payloads=Path(options.payloads),
        plan=Path(options.plan) if options.plan else drawn,
        out=Path(options.out) if options.out else None,
        answer_every=options.answer_every,
        limits=Limits(options.max_in_flight, options.timeout_s, options.drain_s, options.slo_s),
        path=options.path,
        mix_by=mix_by,
        own=own_files(Path(options.payloads)) if options.payloads else {},
    )


_locust.stats.bucket_response_time = three_digits
_locust.stats.PERCENTILES_TO_CHART = [0.5, 0.95, 0.99]
_locust.events.init_command_line_parser.add_listener(add_arguments)
_locust.events.init.add_listener(wire)
# A worker starved of CPU is late with its heartbeat, not dead; Locust gives it three seconds.
_locust.runners.HEARTBEAT_LIVENESS = 10
identity()  # once, before workers are forked: a file may change while they start
# pyarrow imports pandas at its first array, a quarter of a second: once here, not in each worker.
pa.array([0])
os.register_at_fork(after_in_child=partial(_tie, os.getpid()))
