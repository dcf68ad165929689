"""The load generator: a Locust subprocess that plays one load plan on cores of its own.

It is booted early, beside the deployment, because importing Locust takes a second; it waits for
the word go on a socket. The socket closing ends it, so does its parent's death, so does leaving
the context manager.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from harness.locust_process import LocustProcess
from harness.record import Phases
from harness.remote_workers import RemoteWorkers, who_came
from workloads.plan import LoadPlan, read_plan
from workloads.sample import read_samples

_BOOT_LIMIT_S = 60.0
_SAVE_LIMIT_S = 30.0
_GATHER_LIMIT_S = 120.0
"""For workers of other machines, which somebody may be starting by hand."""

_COLLECT_LIMIT_S = 150.0
"""For their samples to come back."""

_END_LIMIT_S = 5.0
_TICK_S = 0.2
_NS = 1_000_000_000


class DriveError(Exception):
    """The load generator failed; what it measured, if anything, is not a trial."""


@dataclass(frozen=True, slots=True)
class Counts:
    """A trial's steady state so far, of all workers together, half a second old at most.

    Attributes:
        ended: requests that have ended, in whatever way.
        missed: those of them, and of those still unanswered, that are later than the objective's
            response time or have failed.
    """

    ended: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class DriveResult:
    """What playing a plan left.

    Attributes:
        phases: the clock readings that part the trial.
        samples: one file per worker; together they hold each index that was due before
            ``phases.end_ns`` once.
        report: the generator about itself, all workers together. ``cores`` is what the busiest
            worker used on average; lags are over the steady state, in ns.
        ended_early: why play stopped before the plan's end; None where it did not.
    """

    phases: Phases
    samples: list[Path]
    report: dict[str, float]
    ended_early: str | None = None


def boot(
    *,
    plan: Path,
    payloads: Path,
    url: str,
    directory: Path,
    cores: Sequence[int],
    workers: int = 1,
    answer_every: int = 0,
    max_in_flight: int = 500,
    timeout_s: float = 12.0,
    drain_s: float = 12.0,
    slo_s: float | None = None,
    path: str = "",
    remote: RemoteWorkers | None = None,
) -> "Generator":
    """Start a load generator that will wait for :meth:`Generator.play`; returns at once.

    Call it from a thread that outlives the trial: Linux ends the generator with that thread.

    Args:
        plan: the frozen load plan.
        payloads: the run's payload file.
        url: the SUT; it need not answer before play begins.
        directory: the trial's: samples, reports and the log go there.
        cores: the only cores it may use; none of the SUT's.
        workers: processes of this machine that share the plan.
        answer_every: keep the body of every k-th answer; 0 keeps none.
        max_in_flight: of all workers together; an arrival beyond it is dropped.
        timeout_s: patience with one answer: the SUT's deadline and a margin.
        drain_s: how long to wait at the end for what is in flight.
        slo_s: the response time beyond which a request counts as missed; None counts none.
        path: asked for in place of the graphs' own; empty is theirs.
        remote: load workers of other machines that share the plan too.

    Raises:
        DriveError: the plan cannot be read.
    """
    for stale in (*directory.glob("samples-*.parquet"), *directory.glob("generator-*.json")):
        stale.unlink()
    try:
        frozen = read_plan(plan)
    except (OSError, KeyError, ValueError) as error:
        raise DriveError(f"{plan} is no load plan ({error}); make the run again") from error
    crew = workers + (remote.count if remote else 0)
    options = {
        "host": url,
        "plan": plan.resolve(),
        "payloads": payloads.resolve(),
        "out": directory.resolve(),
        "answer-every": answer_every,
        "max-in-flight": -(-max_in_flight // crew),
        "timeout-s": timeout_s,
        "drain-s": drain_s,
        "path": path,
        **({} if slo_s is None else {"slo-s": slo_s}),
    }
    # No table every two seconds, from the loop that sends.
    flags = ("--headless", "--only-summary")
    process = LocustProcess(
        flags, options, directory=directory, cores=cores, workers=workers, remote=remote
    )
    limit_s = frozen.duration_s + drain_s + (_COLLECT_LIMIT_S if remote else _SAVE_LIMIT_S)
    return Generator(process, frozen, directory, workers=crew, play_limit_s=limit_s, remote=remote)


class Said:
    """What a load generator's conductor says, line by line."""

    def __init__(self, process: LocustProcess) -> None:
        self._process = process
        self._pending = b""

    def line(self) -> str:
        """The next line, or nothing if none comes within a tick.

        Raises:
            DriveError: the load generator has ended; says what its log says.
        """
        control = self._process.control
        if b"\n" not in self._pending and select([control], [], [], _TICK_S)[0]:
            received = control.recv(4096)
            if not received:
                raise DriveError(
                    f"the load generator ended by itself\n{self._process.last_lines()}"
                )
            self._pending += received
        if b"\n" not in self._pending:
            return ""
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()


class Generator:
    """A booted load generator. A context manager: leaving it ends every process of it.

    Attributes:
        pid: the first process; every worker descends from it.
    """

    def __init__(
        self,
        process: LocustProcess,
        plan: LoadPlan,
        directory: Path,
        *,
        workers: int,
        play_limit_s: float,
        remote: RemoteWorkers | None = None,
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._plan = plan
        self._directory = directory
        self._workers = workers
        self._play_limit_s = play_limit_s
        self._remote = remote
        self._aside: dict[str, str] = {}
        self._said = Said(process)

    def __enter__(self) -> Self:
        """The generator itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every process of the generator, whatever it is doing."""
        if self._remote:
            self._let_go()
        self._process.end()

    def play(
        self,
        progress: Callable[[float], None] | None = None,
        end_early: Callable[[Counts], str | None] = lambda _: None,
        begun: Callable[[int], None] = lambda _: None,
    ) -> DriveResult:
        """Play the plan to its end, drain, and read what the workers left.

        Args:
            progress: told a few times a second which share of the plan has been played, 0 to 1.
            end_early: asked as often; a reason ends play now. Requests that were not due by then
                are left out of the samples.
            begun: told once, as the warm-up begins, when the steady state will: CLOCK_MONOTONIC.

        Raises:
            DriveError: the generator failed or took too long; says what its log says.
        """
        self._wait_for("ready", _GATHER_LIMIT_S if self._remote else _BOOT_LIMIT_S)
        self._process.control.sendall(b"go\n")
        start_ns = int(self._wait_for("start", _BOOT_LIMIT_S))
        begun(start_ns + int(self._plan.header.warm_up_s * _NS))

        ending: str | None = None

        def tick() -> None:
            nonlocal ending
            elapsed_s = (time.perf_counter_ns() - start_ns) / _NS
            if progress is not None:
                progress(min(max(elapsed_s / self._plan.duration_s, 0.0), 1.0))
            if ending is None and elapsed_s < self._plan.duration_s:
                ending = end_early(Counts(*map(int, self._aside.get("counts", "").split())))
                if ending is not None:
                    self._process.control.sendall(b"stop\n")

        self._wait_for("done", self._play_limit_s, tick)
        self._process.let_end(_END_LIMIT_S)
        why = ending or self._aside.get("ending")
        return result_of(self._directory, self._plan, self._workers, why)

    def _wait_for(self, word: str, limit_s: float, tick: Callable[[], None] = lambda: None) -> str:
        """The rest of the line that begins with ``word``."""
        limit_ns = time.perf_counter_ns() + int(limit_s * _NS)
        while time.perf_counter_ns() < limit_ns:
            said, _, rest = self._said.line().partition(" ")
            if said == word:
                return rest
            if said == "failed":
                raise self._failure(f"failed: {rest}")
            self._aside[said] = rest
            tick()
        came = who_came(self._remote, self._aside) if word == "ready" else ""
        raise self._failure(f"did not say {word!r} within {limit_s:.0f} s{came}")

    def _let_go(self) -> None:
        """Tell workers of other machines; they would go on until the silence is long enough."""
        with suppress(OSError):
            self._process.control.sendall(b"quit\n")
            self._process.let_end(_END_LIMIT_S)

    def _failure(self, what: str) -> DriveError:
        return DriveError(f"the load generator {what}\n{self._process.last_lines()}")


def result_of(directory: Path, plan: LoadPlan, workers: int, why: str | None) -> DriveResult:
    """Read what the workers left of a plan that was played.

    Args:
        directory: where their samples and reports lie.
        plan: what was played.
        workers: how many played it.
        why: play stopped before the plan's end; of no matter where it did not.

    Raises:
        DriveError: some request that was due has no row, or more than one.
        OSError: a file of theirs is not there.
    """
    reports = [
        json.loads((directory / f"generator-{worker}.json").read_text())
        for worker in range(workers)
    ]
    samples = [directory / f"samples-{worker}.parquet" for worker in range(workers)]
    first = reports[0]
    phases = Phases(
        start_ns=first["start_ns"],
        steady_ns=first["steady_ns"],
        end_ns=first["end_ns"],
        drained_ns=max(report["drained_ns"] for report in reports),
    )
    totals = ("cpu_s", "planned", "sent", "dropped", "censored", "connections")
    worst = ("loop_lag_p99_ns", "loop_lag_p999_ns")
    wall_s = (phases.drained_ns - phases.start_ns) / _NS
    summary = {
        **{name: float(sum(report[name] for report in reports)) for name in totals},
        "workers": float(workers),
        "cores": max(report["cpu_s"] for report in reports) / wall_s,
        **{name: max(report.get(name, 0.0) for report in reports) for name in worst},
        "remote_workers": float(sum(report["remote"] for report in reports)),
        "clock_error_ns": max(map(_clock_error_ns, reports)),
        **_schedule_lag(samples, plan, phases),
    }
    planned_ns = int(plan.duration_s * _NS)
    ended_early = why if phases.end_ns - phases.start_ns < planned_ns else None
    return DriveResult(phases, samples, summary, ended_early)


def _clock_error_ns(report: Mapping[str, Any]) -> float:
    """How far a worker's clock may have been from the conductor's; exactly 0 on one machine."""
    clock = report["clock"]
    return float(clock["uncertainty_ns"] + abs(clock["drift_ns"]))


def _schedule_lag(samples: list[Path], plan: LoadPlan, phases: Phases) -> dict[str, float]:
    """How late requests of the steady state were sent, over all workers' rows together.

    Raises:
        DriveError: some request that was due has no row, or more than one.
    """
    table = read_samples(samples, ("index", "worker", "intended_ns", "sent_ns"))
    if not are_those_due(table["index"].to_numpy(), plan, phases.end_ns - phases.start_ns):
        raise DriveError(
            f"the samples hold {len(table)} rows and not each request once that was due; "
            "this is a bug of the load generator: please report it"
        )
    intended_ns, sent_ns = table["intended_ns"].to_numpy(), table["sent_ns"].to_numpy()
    counted = (sent_ns > 0) & (intended_ns >= phases.steady_ns)
    lags_ns, workers = (sent_ns - intended_ns)[counted], table["worker"].to_numpy()[counted]
    if not len(lags_ns):
        return {}
    of_each = (lags_ns[workers == worker] for worker in np.unique(workers))
    p50, p95, p99 = np.percentile(lags_ns, (50, 95, 99))
    return {
        "schedule_lag_p50_ns": float(p50),
        "schedule_lag_p95_ns": float(p95),
        "schedule_lag_p95_worst_ns": max(float(np.percentile(each, 95)) for each in of_each),
        "schedule_lag_p99_ns": float(p99),
        "schedule_lag_max_ns": float(lags_ns.max()),
    }


def are_those_due(index: npt.NDArray[np.int32], plan: LoadPlan, played_ns: int) -> bool:
    """Whether samples are those of the requests that were due, each once.

    Args:
        index: ascending: the samples' positions in the plan.
        plan: what was played.
        played_ns: from the common start to the end. It says which requests of an open loop were
            due; of a closed loop the server says it, but a client plays its own in turn.
    """
    clients = plan.header.concurrency
    if clients is None:
        return np.array_equal(index, np.flatnonzero(plan.offsets_ns < played_ns))
    in_turn = index[np.argsort(index % clients, kind="stable")]
    first = np.searchsorted(in_turn % clients, np.arange(clients))
    rounds = np.arange(len(in_turn)) - first[in_turn % clients]
    return np.array_equal(in_turn // clients, rounds)
