"""A load plan: every intended start and payload of a trial, frozen to disk before it begins."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from workloads.arrivals import WorkloadError, arrivals
from workloads.closed import pauses
from workloads.mix import GRAPHS, interleaved, mixed_payloads
from workloads.payloads import payload_order
from workloads.trace import Trace


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan was made from; enough to make it again beside the payloads and the trace.

    Attributes:
        workload: the arrival process's name, one of ``workloads.arrivals.ARRIVALS``; in a closed
            loop, ``closed``.
        graphs: what is asked for; ``LoadPlan.graphs`` points into it.
        rate_rps: the offered rate, as the arrival process means it, of the steady state and of
            the warm-up before it; 0 in a closed loop.
        warm_up_s / steady_s: the two phases; arrivals run through both without a gap.
        seed: of arrivals, payloads and graphs.
        shape: the arrival process's own parameters.
        concurrency: closed loop: clients at once; None in an open loop.
        think_time_s: closed loop: a client's mean pause between requests.
        weights: of each of ``graphs``; empty where all are alike, or where the trace says which.
        mix: of payloads: value of a label's field -> weight; empty where all are alike.
    """

    workload: str
    graphs: tuple[str, ...]
    rate_rps: float
    warm_up_s: float
    steady_s: float
    seed: int
    shape: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int | None = None
    think_time_s: float = 0.0
    weights: tuple[float, ...] = ()
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class LoadPlan:
    """Frozen arrivals, or in a closed loop the frozen requests of each client.

    Attributes:
        offsets_ns: ``int64[n]``. Open loop, ascending: intended starts after the trial's common
            start. Closed loop: the pause before the request; client ``c`` of ``concurrency``
            sends rows ``i % concurrency == c`` in turn, as many as the trial's time lets it.
        payloads: ``int32[n]``: rows of the run's payload file.
        graphs: ``int8[n]``: entries of ``header.graphs``.
    """

    header: PlanHeader
    offsets_ns: npt.NDArray[np.int64]
    payloads: npt.NDArray[np.int32]
    graphs: npt.NDArray[np.int8]

    def due(self, start_ns: int, begin_ns: int, end_ns: int) -> int:
        """Open loop: how many requests are meant to start from ``begin_ns`` to before ``end_ns``.

        Args:
            start_ns: the trial's common start, on the clock of the other two.
            begin_ns: counted from here on.
            end_ns: not counted from here on.
        """
        due_ns = self.offsets_ns + start_ns
        return int(((due_ns >= begin_ns) & (due_ns < end_ns)).sum())

    def graph(self, index: int) -> str:
        """What request ``index`` asks for."""
        return self.header.graphs[int(self.graphs[index])]

    @property
    def duration_s(self) -> float:
        """From the common start to the end of the steady state."""
        return self.header.warm_up_s + self.header.steady_s

    def part(self, worker: int, workers: int) -> npt.NDArray[np.int64]:
        """The indices worker ``k`` of ``n`` plays, ascending.

        Open loop: those with ``i % n == k``. Closed loop: those of the clients ``c % n == k``,
        all of a client's, since its next request waits for its last.
        """
        rows = np.arange(len(self.offsets_ns))
        clients = rows if self.header.concurrency is None else rows % self.header.concurrency
        return np.flatnonzero(clients % workers == worker)


def build_plan(
    header: PlanHeader,
    payloads: int,
    *,
    rows: Mapping[str, Sequence[int]] | None = None,
    trace: Trace | None = None,
) -> LoadPlan:
    """Draw a plan from its header: the same header gives the same plan on every machine.

    Warm-up and steady state are one uninterrupted stream of arrivals, so that the steady state
    meets queues and caches as the warm-up left them.

    Args:
        header: what the plan is made from.
        payloads: rows of the run's payload file.
        rows: of a header with a ``mix``: the payloads of each of its values
            (``workloads.payloads.rows_by_label``).
        trace: of a workload that replays one. Its own payloads and graphs are sent where it has
            them; the header's ``graphs`` must then hold all of its graphs.

    Raises:
        WorkloadError: an unknown arrival process or parameter, a rate or duration that is no
            positive number, no payload, or a trace that is missing or too short.
    """
    offsets_ns = _offsets_ns(header, trace)
    count = len(offsets_ns)
    order = _payloads(header, count, payloads, rows)
    graphs = _graphs(header, count)
    if trace is not None:
        at = np.arange(count) % len(trace.times_ns)
        order = order if trace.payloads is None else trace.payloads[at]
        if trace.graphs is not None:
            number = {graph: index for index, graph in enumerate(header.graphs)}
            graphs = np.array([number[graph] for graph in trace.graphs], dtype=np.int8)[at]
    return LoadPlan(header, offsets_ns, order, graphs)


def _offsets_ns(header: PlanHeader, trace: Trace | None) -> npt.NDArray[np.int64]:
    duration_s = header.warm_up_s + header.steady_s
    if header.concurrency is not None:
        return pauses(header.concurrency, header.think_time_s, duration_s, header.seed)
    return arrivals(
        header.workload,
        header.rate_rps,
        duration_s,
        header.seed,
        shape=header.shape,
        recorded_ns=None if trace is None else trace.times_ns,
    )


def _payloads(
    header: PlanHeader, count: int, payloads: int, rows: Mapping[str, Sequence[int]] | None
) -> npt.NDArray[np.int32]:
    if not header.mix:
        return payload_order(count, payloads, header.seed)
    if rows is None:
        raise WorkloadError("a plan of mixed payloads needs to know which payloads are of a kind")
    return mixed_payloads(count, header.mix, rows, header.seed)


def _graphs(header: PlanHeader, count: int) -> npt.NDArray[np.int8]:
    if len(header.graphs) == 1:
        return np.zeros(count, dtype=np.int8)
    weights = header.weights or (1.0,) * len(header.graphs)
    return interleaved(count, weights, header.seed, GRAPHS).astype(np.int8)


_HEADER_KEY = b"servebench.plan"


def write_plan(path: Path, plan: LoadPlan) -> None:
    """Freeze a plan as Parquet, its header in the schema's metadata."""
    columns = {"offset_ns": plan.offsets_ns, "payload": plan.payloads, "graph": plan.graphs}
    table = pa.table(columns)
    metadata = {_HEADER_KEY: json.dumps(asdict(plan.header)).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")


def read_plan(path: Path) -> LoadPlan:
    """Read a frozen plan."""
    table = pq.read_table(path)
    header: dict[str, Any] = json.loads(table.schema.metadata[_HEADER_KEY])
    if "graph" in header:  # format 1: one graph for all requests
        header["graphs"] = [header.pop("graph")]
    header["graphs"] = tuple(header["graphs"])
    header["weights"] = tuple(header.get("weights", ()))
    count = len(table)
    graphs = (
        table["graph"].to_numpy() if "graph" in table.column_names else np.zeros(count, np.int8)
    )
    return LoadPlan(
        PlanHeader(**header), table["offset_ns"].to_numpy(), table["payload"].to_numpy(), graphs
    )
