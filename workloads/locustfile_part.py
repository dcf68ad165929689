"""One worker's part of a trial: from files to a player, and from its rows to files."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import gevent
import numpy as np
import numpy.typing as npt

from architectures import contract
from architectures.plugin import Example
from workloads.arrivals import WorkloadError
from workloads.locustfile_client import request_head
from workloads.locustfile_exchanges import Exchanges, Requests
from workloads.locustfile_loops import ClosedLoop, Loop, OpenLoop
from workloads.locustfile_player import Limits, Player, Told
from workloads.locustfile_timer import NS
from workloads.payload_files import read_requests
from workloads.plan import LoadPlan, PlanHeader, read_plan
from workloads.recorder import Recorder
from workloads.sample import Outcome
from workloads.tally import Tally
from workloads.web_form import draw

MOST_IN_FLIGHT = 900
"""Each needs a socket, and a process's usual limit is 1024."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says, checked.

    Attributes:
        url: the server under test.
        payloads: the payload file.
        plan: a frozen plan, or the header to draw one from.
        mix_by: of a header with a mix: the label's field, or empty where its values tell it.
        out: where samples and the report go; None keeps nothing (exploration).
        answer_every: keep every k-th answer; 0 keeps none.
        path: asked for in place of the graphs' own; empty is theirs.
        own: graph -> the payload file of one that has its own.
    """

    url: str
    payloads: Path
    plan: Path | PlanHeader
    out: Path | None
    answer_every: int
    limits: Limits
    path: str = ""
    mix_by: str = ""
    own: Mapping[str, Path] = field(default_factory=dict)


class Part:
    """Everything worker ``worker`` of ``workers`` needs, loaded before the common start.

    Attributes:
        paths: what is asked for, by the plan's graphs.

    Raises:
        OSError: a file is missing.
        WorkloadError: the plan cannot be drawn, or has more clients than workers can carry.
    """

    def __init__(self, options: Options, worker: int, workers: int, told: Told) -> None:
        self._plan = _plan(options)
        graphs = self._plan.header.graphs
        requests = read_requests(options.payloads, options.own, graphs)
        self._options = options
        self._workers = workers
        self._told = told
        self._start_ns = 0
        indices = self._plan.part(worker, workers)
        self._recorder = Recorder(indices, worker, options.answer_every)
        prefix = urlsplit(options.url).path.rstrip("/")
        paths = map(contract.graph_path, graphs)
        self.paths = [prefix + (options.path or path) for path in paths]
        limits = options.limits
        self._exchanges = Exchanges(
            options.url,
            self._recorder,
            _requests(options.url, self.paths, tuple(requests.values()), (self._plan, indices)),
            limits.timeout_s,
            closed=self._plan.header.concurrency is not None,
        )
        self._player = Player(self._exchanges, self._loop(indices), limits, told)
        self._finished: dict[str, float] = {}

    def play(self, start_ns: int) -> None:
        """Play from the common start to the end of the drain."""
        self._start_ns = start_ns
        slo_s = self._options.limits.slo_s
        steady_ns = start_ns + int(self._plan.header.warm_up_s * NS)
        self._exchanges.tally = Tally(steady_ns, None if slo_s is None else int(slo_s * NS))
        before_s = time.process_time()
        drained_ns = self._player.play(start_ns, start_ns + int(self._plan.duration_s * NS))
        self._finished = {
            "start_ns": start_ns,
            # Stopped while warming up, it has an empty steady state.
            "steady_ns": min(steady_ns, self._player.end_ns),
            "end_ns": self._player.end_ns,
            "drained_ns": drained_ns,
            "cpu_s": time.process_time() - before_s,
        }

    def stop(self, after_ns: int) -> None:
        """End the trial's time already ``after_ns`` after the common start."""
        self._player.stop(after_ns)

    def save(self) -> None:
        """Write the samples and this worker's report; after an early stop too."""
        out = self._options.out
        if out is None:
            return
        out.mkdir(parents=True, exist_ok=True)
        worker = self._recorder.worker
        self._recorder.write(out / f"samples-{worker}.parquet", self._player.end_ns)
        report = json.dumps(self.report(), indent=1)
        (out / f"generator-{worker}.json").write_text(report)

    def report(self) -> dict[str, float]:
        """This worker's account of itself: clock readings, counts, and how late it was."""
        recorder = self._recorder
        due = recorder.due(self._player.end_ns)
        outcome, sent_ns = recorder.outcome[due], recorder.sent_ns[due]
        lags_ns = (sent_ns - recorder.intended_ns[due])[sent_ns > 0]
        return {
            "worker": recorder.worker,
            "workers": self._workers,
            **self._finished,
            "planned": len(due),
            "sent": len(lags_ns),
            "dropped": int((outcome == Outcome.DROPPED).sum()),
            "censored": int((outcome == Outcome.CENSORED).sum()),
            "connections": self._exchanges.connections.opened,
            **_lateness("schedule_lag", lags_ns),
            **_lateness("loop_lag", np.array(self._player.loop_lags_ns)),
        }

    def _loop(self, indices: npt.NDArray[np.int64]) -> Loop:
        own_ns = self._plan.offsets_ns[indices]
        concurrency = self._plan.header.concurrency
        if concurrency is None:
            in_flight = self._options.limits.in_flight
            return OpenLoop(self._recorder, self._exchanges, own_ns, in_flight)
        worker, workers = self._recorder.worker, self._workers
        clients = len(range(worker, concurrency, workers))
        if clients > MOST_IN_FLIGHT:
            raise WorkloadError(
                f"concurrency {concurrency} with {workers} workers is {clients} clients a worker, "
                f"and each needs a socket: more than {MOST_IN_FLIGHT} are beyond a process's usual "
                f"limit; use {-(-concurrency // MOST_IN_FLIGHT)} workers (generator.workers)"
            )
        return ClosedLoop(self._recorder, self._exchanges, own_ns, clients, self._ran_out)

    def _ran_out(self) -> None:
        """Called by the event loop, which must not wait for the message to leave."""
        after_ns = time.perf_counter_ns() - self._start_ns
        why = (
            f"the plan's {len(self._plan.offsets_ns)} requests for {self._plan.header.concurrency} "
            f"clients ran out after {after_ns / NS:.1f} s of {self._plan.duration_s:.1f} s"
        )
        gevent.spawn(self._told.ran_out, after_ns, why)


def _plan(options: Options) -> LoadPlan:
    if isinstance(options.plan, Path):
        return read_plan(options.plan)
    return draw(options.plan, options.payloads, options.mix_by)


def _requests(
    url: str,
    paths: Sequence[str],
    examples: Sequence[Sequence[Example]],
    part: tuple[LoadPlan, npt.NDArray[np.int64]],
) -> Requests:
    """What each row sends; bodies are held once, headers once for each graph, not per send.

    ``paths`` and ``examples`` are of each of the plan's graphs, with as many rows each.
    """
    plan, indices = part
    encoded = [
        (request_head(url, path, one.media_type, len(one.body), one.headers), one.body)
        for path, of_graph in zip(paths, examples, strict=True)
        for one in of_graph
    ]
    kinds = plan.graphs[indices]
    which = kinds.astype(np.int32) * len(examples[0]) + plan.payloads[indices]
    return Requests(kinds, which, encoded)


def _lateness(name: str, lags_ns: npt.NDArray[np.int64]) -> dict[str, float]:
    if not len(lags_ns):
        return {}
    p50, p99, p999 = np.percentile(lags_ns, (50, 99, 99.9))
    return {
        f"{name}_p50_ns": float(p50),
        f"{name}_p99_ns": float(p99),
        f"{name}_p999_ns": float(p999),
        f"{name}_max_ns": float(lags_ns.max()),
    }
