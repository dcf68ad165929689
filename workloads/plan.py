"""A load plan: every intended start and payload of a trial, frozen to disk before it begins."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from workloads.arrivals import arrivals
from workloads.payloads import payload_order


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """What a plan was made from; enough to make it again.

    Attributes:
        workload: the arrival process's name, one of ``workloads.arrivals.ARRIVALS``; in a closed
            loop, ``closed``.
        graphs: what is asked for; ``LoadPlan.graphs`` points into it.
        rate_rps: the offered rate of the steady state, and of the warm-up before it; 0 in a
            closed loop.
        warm_up_s / steady_s: the two phases; arrivals run through both without a gap.
        seed: of arrivals, payloads and graphs.
        shape: the arrival process's own parameters.
        concurrency: closed loop: clients at once; None in an open loop.
        think_time_s: closed loop: a client's mean pause between requests.
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

    def graph(self, index: int) -> str:
        """What request ``index`` asks for."""
        return self.header.graphs[int(self.graphs[index])]

    @property
    def duration_s(self) -> float:
        """From the common start to the end of the steady state."""
        return self.header.warm_up_s + self.header.steady_s

    def part(self, worker: int, workers: int) -> npt.NDArray[np.int64]:
        """The indices worker ``k`` of ``n`` plays: those with ``i % n == k``."""
        return np.arange(worker, len(self.offsets_ns), workers)


def build_plan(header: PlanHeader, payloads: int) -> LoadPlan:
    """Draw a plan from its header: the same header gives the same plan on every machine.

    Warm-up and steady state are one uninterrupted stream of arrivals, so that the steady state
    meets queues and caches as the warm-up left them.

    Args:
        header: what the plan is made from.
        payloads: rows of the run's payload file.

    Raises:
        WorkloadError: an unknown arrival process, a rate or duration that is no positive number,
            or no payload.
    """
    duration_s = header.warm_up_s + header.steady_s
    offsets_ns = arrivals(header.workload, header.rate_rps, duration_s, header.seed)
    count = len(offsets_ns)
    order = payload_order(count, payloads, header.seed)
    return LoadPlan(header, offsets_ns, order, np.zeros(count, dtype=np.int8))


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
    count = len(table)
    graphs = (
        table["graph"].to_numpy() if "graph" in table.column_names else np.zeros(count, np.int8)
    )
    return LoadPlan(
        PlanHeader(**header), table["offset_ns"].to_numpy(), table["payload"].to_numpy(), graphs
    )
