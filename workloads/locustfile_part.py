"""One worker's part of a trial: from files to a player, and from its rows to files."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from architectures import contract
from architectures.plugin import Example
from workloads.locustfile_client import Connections, request_head
from workloads.locustfile_player import Heard, Limits, Player
from workloads.locustfile_timer import NS
from workloads.payloads import read_payloads
from workloads.plan import LoadPlan, PlanHeader, build_plan, read_plan
from workloads.recorder import Recorder
from workloads.sample import Outcome


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says, checked.

    Attributes:
        url: the server under test.
        payloads: the payload file.
        plan: a frozen plan, or the header to draw one from.
        out: where samples and the report go; None keeps nothing (exploration).
        answer_every: keep every k-th answer; 0 keeps none.
        path: asked for in place of the graphs' own; empty is theirs.
    """

    url: str
    payloads: Path
    plan: Path | PlanHeader
    out: Path | None
    answer_every: int
    limits: Limits
    path: str = ""


class Part:
    """Everything worker ``worker`` of ``workers`` needs, loaded before the common start.

    Attributes:
        path: what is asked for.

    Raises:
        OSError: a file is missing.
        WorkloadError: the plan cannot be drawn.
    """

    def __init__(self, options: Options, worker: int, workers: int, heard: Heard) -> None:
        examples = read_payloads(options.payloads)
        self._plan = _plan(options.plan, len(examples))
        self._out = options.out
        self._workers = workers
        indices = self._plan.part(worker, workers)
        self._recorder = Recorder(
            indices, self._plan.offsets_ns[indices], worker, options.answer_every
        )
        self._connections = Connections(options.url)
        prefix = urlsplit(options.url).path.rstrip("/")
        self.path = prefix + (options.path or contract.graph_path(self._plan.header.graphs[0]))
        requests = _requests(options.url, self.path, examples)
        self._player = Player(
            self._recorder,
            [requests[payload] for payload in self._plan.payloads[indices].tolist()],
            self._connections,
            options.limits,
            heard,
        )
        self._finished: dict[str, float] = {}

    def play(self, start_ns: int) -> None:
        """Play from the common start to the end of the drain."""
        before_s = time.process_time()
        drained_ns = self._player.play(start_ns, self._plan.duration_s)
        self._finished = {"drained_ns": drained_ns, "cpu_s": time.process_time() - before_s}

    def save(self) -> None:
        """Write the samples and this worker's report; after an early stop too."""
        if self._out is None:
            return
        self._out.mkdir(parents=True, exist_ok=True)
        worker = self._recorder.worker
        self._recorder.write(self._out / f"samples-{worker}.parquet")
        report = json.dumps(self.report(), indent=1)
        (self._out / f"generator-{worker}.json").write_text(report)

    def report(self) -> dict[str, float]:
        """This worker's account of itself: clock readings, counts, and how late it was."""
        recorder, header = self._recorder, self._plan.header
        start_ns = recorder.start_ns
        return {
            "worker": recorder.worker,
            "workers": self._workers,
            "start_ns": start_ns,
            "steady_ns": start_ns + int(header.warm_up_s * NS),
            "end_ns": start_ns + int(self._plan.duration_s * NS),
            **self._finished,
            "planned": len(recorder.indices),
            "sent": int((recorder.sent_ns > 0).sum()),
            "dropped": recorder.count(Outcome.DROPPED),
            "censored": recorder.count(Outcome.CENSORED),
            "connections": self._connections.opened,
            **_lateness("schedule_lag", recorder.lags_ns().tolist()),
            **_lateness("loop_lag", self._player.loop_lags_ns),
        }


def _plan(plan: Path | PlanHeader, payloads: int) -> LoadPlan:
    return read_plan(plan) if isinstance(plan, Path) else build_plan(plan, payloads)


def _requests(url: str, path: str, examples: Sequence[Example]) -> list[tuple[bytes, bytes]]:
    """Per payload: the bytes before the request id and those after, encoded once, not per send."""
    return [
        (
            request_head(url, path, example.media_type, len(example.body)),
            b"\r\n\r\n" + example.body,
        )
        for example in examples
    ]


def _lateness(name: str, lags_ns: Sequence[int]) -> dict[str, float]:
    if not lags_ns:
        return {}
    p50, p99 = np.percentile(lags_ns, (50, 99))
    return {
        f"{name}_p50_ns": float(p50),
        f"{name}_p99_ns": float(p99),
        f"{name}_max_ns": float(max(lags_ns)),
    }
